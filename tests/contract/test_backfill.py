"""A backfill by `$export`, of the sandbox and of HAPI: every note once, and what a pass finds done."""

import pytest

from jobs.backfill.pieces import Wanted
from jobs.backfill.plan import Request, Wait
from tests.contract.contract_fhir import new_id
from tests.contract.passes import Site, encoded, reference
from tests.unit.jobs.backfill.conftest import Backfilled

HTML = {"contentType": "text/html", "data": encoded("<p>Mild. Stable today.</p><p>Home.</p>")}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """HAPI says Retry-After: 120, and has the export ready in seconds."""
    patient = Wait.sleep

    async def soon(self: Wait, seconds: float) -> None:
        await patient(self, min(seconds, 2.0))

    monkeypatch.setattr(Wait, "sleep", soon)


def test_everything_then_a_group_by_export(site: Site) -> None:
    pair = [f"Patient/{site.fhir.put({'resourceType': 'Patient', 'id': new_id('p')})['id']}" for _ in "ab"]
    member = [{"entity": {"reference": pair[0]}}]
    group = new_id("group")
    site.fhir.put({"resourceType": "Group", "id": group, "type": "person", "actual": True, "member": member})
    html = {"content": [{"attachment": HTML}]}
    notes = [site.document(subject={"reference": pair[n % 2]}, **(html if n < 2 else {})) for n in range(6)]
    sources, types = [reference(note) for note in notes], site.settings.resource_types

    of_group = Backfilled(site, Request(Wanted(types), group=group))
    of_all = Backfilled(site, Request(Wanted(types, notes[0]["meta"]["lastUpdated"])))
    again, _ = site.poll(sources)

    assert of_group.way.startswith(f"Export of Group/{group}")
    assert of_group.statuses() == dict.fromkeys(sources[::2], "written")
    assert of_all.way.startswith("Export of the server")
    expected = dict.fromkeys(sources[::2], "unchanged") | dict.fromkeys(sources[1::2], "written")
    assert {source: of_all.statuses()[source] for source in sources} == expected
    assert {source: again[source].status for source in sources} == dict.fromkeys(sources, "unchanged")
    for source in sources:
        (composition,) = site.written(source)
        assert composition["meta"]["versionId"] == "1"
        assert site.one_audit(composition["id"]).ok
