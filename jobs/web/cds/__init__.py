"""CDS Hooks 2.0: a card beside the record when a patient is opened."""
