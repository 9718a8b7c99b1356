"""A server that accepts documents (202) and shows them later, when somebody has looked at them."""

from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.rest.creating import create
from tests.contract.filed import Ward, current, documents, filing_site
from tests.contract.passes import Site


class Desk:
    """Where documents lie until somebody lets them through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting: list[tuple[Any, ...]] = []
        self.open = False
        monkeypatch.setattr("fhir_adapter.filing.documents.create", self.create)

    async def create(self, *arguments: Any) -> tuple[int, str]:
        if self.open:
            return await create(*arguments)
        self.waiting.append(arguments)
        return 202, ""

    def let_through(self, site: Site) -> None:
        for _, document, *_ in self.waiting:
            site.fhir.send("POST", "DocumentReference", document).raise_for_status()
        self.waiting = []


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_what_is_accepted_is_a_failure_until_it_is_shown(tmp_path: Path, desk: Desk) -> None:
    with filing_site(tmp_path) as sites:
        ward = Ward(*sites)
        note = ward.note()

        ended, totals = ward.ours.poll()
        assert (ended[note].status, ended[note].reason) == ("failed", "server-error")
        assert totals.by_status["failed"] == 1
        assert documents(ward.ours) == []

        desk.let_through(ward.theirs)
        assert ward.poll(note)[note] in ("written", "unchanged")
        assert desk.waiting == [], "it was not sent again"
        assert len(documents(ward.ours, note)) == 1
        assert ward.wrong() == []


def test_what_was_sent_twice_and_is_shown_twice_counts_once(tmp_path: Path, desk: Desk) -> None:
    with filing_site(tmp_path) as sites:
        ward = Ward(*sites)
        note = ward.note()
        for _ in range(2):  # each pass a process of its own, which knows nothing of what the other one sent
            ward.poll(note)
        assert len(desk.waiting) == 2

        desk.let_through(ward.theirs)
        desk.open = True
        assert ward.poll(note)[note] in ("written", "unchanged")

        assert len(documents(ward.ours, note)) == 2
        assert len(current(ward.ours, note)) == 1
        assert ward.wrong() == []
        assert len(ward.ours.audit()) == 1


def test_a_note_that_changed_meanwhile_has_the_newer_summary_in_the_end(tmp_path: Path, desk: Desk) -> None:
    with filing_site(tmp_path) as sites:
        ward = Ward(*sites)
        note = ward.note()
        ward.poll()
        ward.reword(note, "Fever since noon. Cultures were drawn.")
        ward.poll()
        assert len(desk.waiting) == 2

        desk.waiting.reverse()  # the older one is let through last
        desk.let_through(ward.theirs)
        desk.open = True
        for _ in range(3):
            ward.poll(note)

        assert len(current(ward.ours, note)) == 1
        assert ward.wrong() == []
