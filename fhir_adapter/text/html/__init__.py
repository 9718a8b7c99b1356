"""The text of HTML and XHTML."""
