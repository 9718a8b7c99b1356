"""The text of Rich Text Format."""
