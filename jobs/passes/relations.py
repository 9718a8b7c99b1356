"""What documents of a pass say of others: which of them are replaced."""

from fhir_adapter.elements import local
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.replacements import in_force
from jobs.ledger.rows import NoteRow


class Relations:
    """Which documents are replaced, or not any more, by what a pass has read; they need a second look."""

    def __init__(self) -> None:
        self._targets: dict[str, bool] = {}
        self._handled: set[str] = set()

    def see(self, note: SourceNote, base_url: str, before: NoteRow | None) -> None:
        """Takes note of a document that the pass works on, and of the ledger's row of it."""
        if before:
            self._handled.add(note.reference)
        now = in_force(note.status, note.doc_status)
        self._targets.update(dict.fromkeys(local(note.replaces, base_url), now))

    def taken(self) -> dict[str, bool]:
        """`Type/id` of each replaced document to whether the replacement is in force; each once."""
        targets = {source: now for source, now in self._targets.items() if source not in self._handled}
        self._targets.clear()
        return targets
