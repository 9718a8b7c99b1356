"""Everything that a server has already: from exports, files or searches, by the stages of a pass."""
