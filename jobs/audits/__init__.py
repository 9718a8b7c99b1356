"""Audits of many Compositions: the walk, what a reader sees, the reports."""
