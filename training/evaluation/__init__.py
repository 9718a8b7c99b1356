"""How good the summaries are: ROUGE against abstracts, and what they find of the conclusions of notes.

`corpus` and `clinical` read what is measured on, `systems` and `peers` hold what is measured, `run` measures,
and `report`, `tables` and `picture` show it.
"""
