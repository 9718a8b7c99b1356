"""Killed between the POST of a document and the ledger: each summary is filed once."""

import random
from collections import Counter
from pathlib import Path

import pytest

from fhir_adapter.sandbox.settings import Quirk
from jobs.bench.passes import generated_notes
from tests.contract.filed import current, documents, filing_site, inner
from tests.faults.processes import killed_after, start

NOTES = 24
KILLS = 4


@pytest.mark.parametrize(
    "quirks", [(), (Quirk.FILED_ONCE, Quirk.IGNORE_CONDITIONS)], ids=["kept", "heedless"]
)
def test_kill_9_leaves_one_document_of_each_note(
    quirks: tuple[Quirk, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(16)
    monkeypatch.setenv("CLINSUM_WRITE_AS", "document")
    with filing_site(tmp_path, *quirks) as (ours, theirs):
        notes = list(generated_notes(NOTES))
        for note in notes:
            theirs.fhir.put(note)
        base_url = ours.fhir.server.base_url
        for _ in range(KILLS):
            command = start(base_url, ours.database, "poll", page_size=5)
            killed_after(command, chance.randint(0, 5), chance.random() / 20)
        last = start(base_url, ours.database, "poll", page_size=5)
        last.communicate()
        assert last.returncode == 0

        found = Counter(inner(one)["section"][0]["entry"][0]["reference"] for one in documents(ours))
        assert found == {f"DocumentReference/{note['id']}": 1 for note in notes}
        assert len(current(ours, f"DocumentReference/{notes[0]['id']}")) == 1
