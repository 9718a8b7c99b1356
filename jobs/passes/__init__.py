"""One pass over the notes of a server."""
