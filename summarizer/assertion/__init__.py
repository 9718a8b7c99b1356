"""What a sentence says of its facts, and which others must be read with it: rules with data files."""
