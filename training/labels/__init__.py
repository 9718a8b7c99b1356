"""Oracle labels: which sentences a summary should hold."""
