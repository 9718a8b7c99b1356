"""In which order did it happen? The summaries of one patient or encounter in order."""
