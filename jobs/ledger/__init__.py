"""What was done to each note: the ledger, its pages and its migrations."""
