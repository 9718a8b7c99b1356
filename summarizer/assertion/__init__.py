"""What a sentence says of its facts, and which other sentences must be read with it; rules with data files."""
