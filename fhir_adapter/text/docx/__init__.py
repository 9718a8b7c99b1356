"""The text of Word documents."""
