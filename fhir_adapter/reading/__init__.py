"""Which notes are there, and what belongs to each?"""
