"""A search that shows a note as it was before it was handled last."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fhir_adapter.note import SourceNote
from jobs.ledger.rows import NoteRow
from jobs.passes.stale import as_they_stand
from tests.contract.lives import only, revised, sentences
from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Use = Callable[[Fault], list[Faulty]]


def shown(note: dict[str, Any], request: httpx.Request) -> httpx.Response | None:
    """The answer to a search for notes that shows just this one."""
    searched = request.method == "GET" and request.url.path.endswith("/DocumentReference")
    if not searched or "relatesto" in request.url.params:
        return None
    entry = {"resource": note, "search": {"mode": "match"}}
    found = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [entry]}
    return httpx.Response(200, content=json.dumps(found))


def test_a_search_that_is_behind_takes_no_summary_back(site: Site, faulty: Use) -> None:
    first = site.document(text="Mild cough. Home today.")
    site.poll()
    revised(site, first, text="Pneumonia after all. Stays on the ward.")
    site.poll()
    before = only(site, first)
    assert "Pneumonia" in sentences(before)

    faulty(lambda request: shown(first, request))
    outcomes, _ = site.poll()

    assert outcomes[reference(first)].status == "unchanged"
    assert only(site, first) == before


def test_what_a_restored_server_holds_counts(site: Site, faulty: Use) -> None:
    note = site.document(text="Mild cough. Home today.")
    site.poll()
    revised(site, note, text="Pneumonia after all. Stays on the ward.")
    site.poll()

    def restored(request: httpx.Request) -> httpx.Response | None:
        read = request.method == "GET" and request.url.path.endswith(reference(note))
        return httpx.Response(200, content=json.dumps(note)) if read else shown(note, request)

    faulty(restored)
    outcomes, _ = site.poll()

    assert outcomes[reference(note)].status == "written"
    assert "Mild cough" in sentences(only(site, note))


class Reads:
    """A source that has each note in one version."""

    def __init__(self, version: str) -> None:
        self.version = version

    async def read(self, reference: str) -> SourceNote:
        return SourceNote(*reference.split("/"), self.version, "current")


@pytest.mark.parametrize(
    ("handled", "shown", "taken"),
    [
        ("10", "2", "now"),
        ("2", "10", "10"),
        ("f1-uuid", "a2-uuid", "now"),
        ("2", "MTY0", "now"),
        ("f1-uuid", "f1-uuid", "f1-uuid"),
        ("", "a2-uuid", "a2-uuid"),
        ("f1-uuid", "", ""),
    ],
)
async def test_what_may_be_an_earlier_version_is_read_by_its_id(handled: str, shown: str, taken: str) -> None:
    known = {"DocumentReference/a": NoteRow("DocumentReference/a", handled, "p", "written")}
    note = SourceNote("DocumentReference", "a", shown, "current")
    source: Any = Reads("now")
    (found,) = await as_they_stand(source, [note], known)
    assert found.version_id == taken
