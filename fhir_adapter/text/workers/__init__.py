"""Extraction in child processes with limits."""
