"""`clinsum bench raw` on the embedded sandbox: the same is read and written, under ids of its own."""

import json

import pytest

from jobs.bench import raw
from jobs.cli import run


def test_a_pass_stands_beside_bare_requests(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "raw", "--notes", "3", "--set", "ENGINE=lead", "--json"]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert (figures["server"], figures["notes"]) == ("embedded", 3)
    assert figures["ratio"] == pytest.approx(figures["raw_seconds"] / figures["pass_seconds"])


def test_copies_have_ids_of_their_own_and_refer_to_each_other() -> None:
    composition = {"resourceType": "Composition", "id": "c1", "meta": {"versionId": "1"}}
    provenance = {
        "resourceType": "Provenance",
        "id": "p1",
        "target": [{"reference": "Composition/c1/_history/1"}, {"reference": "Composition/c1"}],
    }

    (bundle,) = raw._copies([composition], [provenance])

    assert json.loads(bundle)["entry"][0] == {
        "resource": {"resourceType": "Composition", "id": "raw-c1"},
        "request": {"method": "PUT", "url": "Composition/raw-c1"},
    }
    assert json.loads(bundle)["entry"][1]["resource"]["target"][1] == {"reference": "Composition/raw-c1"}
