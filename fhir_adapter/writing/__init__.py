"""What is written, changed, ended and taken back."""
