"""Articles and notes to learn from, and their sentences."""
