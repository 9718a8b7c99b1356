"""Is it true? Claims of a Composition, its sources read again, and the findings."""
