"""`make demo`: invented notes, a sandbox, two passes, and a table of what came of it."""
