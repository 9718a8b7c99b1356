"""Summaries as documents, for servers that take neither Compositions nor transactions (US Core 9)."""
