"""The text of C-CDA documents."""
