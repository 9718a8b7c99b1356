"""Vectors of sentences from a transformer."""
