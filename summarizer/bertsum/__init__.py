"""BERTSum: encoder, features, heads, and the folder it is kept in."""
