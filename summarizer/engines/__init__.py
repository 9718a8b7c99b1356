"""Ways to score the sentences of a document."""
