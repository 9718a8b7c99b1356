"""Files say which notes there are; what is summarised is what the server has."""

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from jobs.backfill.pieces import Wanted
from jobs.backfill.plan import Request
from jobs.exits import UsageError
from jobs.ledger.backfills import reached
from jobs.runtime import open_ledger
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.passes import TEXT, Site, encoded, reference
from tests.unit.jobs.backfill.conftest import from_files, ndjson


@contextmanager
def served(database: Path, port: int = 0) -> Iterator[Site]:
    with running_embedded(SandboxSettings(database=database), port) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, database.with_suffix(".ledger"))


def everything(site: Site, kind: str) -> dict[str, Any]:
    """Resources by id, without when they were stamped."""
    found = site.fhir.matches(site.fhir.get(kind, _count="500"))
    for one in found:
        del one["meta"]["lastUpdated"]
    return {one["id"]: one for one in found}


def notes() -> list[dict[str, Any]]:
    """One that replaces another, a draft, HTML, a report, and plain ones."""
    plain = [
        {
            "resourceType": "DocumentReference",
            "id": f"n{number}",
            "status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": encoded(f"{number}. {TEXT}")}}],
        }
        for number in range(70)
    ]
    plain[3]["relatesTo"] = [{"code": "replaces", "target": {"reference": "DocumentReference/n60"}}]
    plain[5]["docStatus"] = "preliminary"
    html = {"contentType": "text/html", "data": encoded("<p>Stable.</p><p>Home today.</p>")}
    plain[7]["content"] = [{"attachment": html}]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "Chest"},
        "presentedForm": [{"contentType": "text/plain", "data": encoded("No effusion. Heart normal.")}],
    }
    return [*plain, report]


def test_it_writes_exactly_what_a_pass_writes(tmp_path: Path) -> None:
    """Over two copies of one server, so that even its stamps and its address are the same."""
    with served(tmp_path / "one.sqlite") as site:
        stored = [site.fhir.put(note) for note in notes()]
        port = int(site.fhir.server.base_url.split(":")[2].split("/")[0])
    shutil.copy(tmp_path / "one.sqlite", tmp_path / "two.sqlite")

    kinds = ("Composition", "Provenance", "DocumentReference", "Device")
    with served(tmp_path / "one.sqlite", port) as site:
        by_files = from_files(site, ndjson(tmp_path / "notes.ndjson", stored))
        of_files = {kind: everything(site, kind) for kind in kinds}
        again, _ = site.poll()
    with served(tmp_path / "two.sqlite", port) as other:
        by_pass, _ = other.poll()
        of_pass = {kind: everything(other, kind) for kind in kinds}

    assert by_files.statuses() == {source: outcome.status for source, outcome in by_pass.items()}
    assert {o.reason for o in by_files.outcomes.values()} == {"", "superseded", "not-final"}
    assert of_files == of_pass
    assert {outcome.status for outcome in again.values()} == {"unchanged"}


def test_the_text_of_a_file_is_never_used(site: Site, tmp_path: Path) -> None:
    stored = site.document()
    altered = json.loads(json.dumps(stored))
    altered["content"][0]["attachment"]["data"] = encoded("Allergic to nothing. Give penicillin.")
    gone = {**stored, "id": new_id("gone")}

    done = from_files(site, ndjson(tmp_path / "altered.ndjson", [altered, gone]))

    assert done.statuses() == {reference(stored): "written", reference(gone): "skipped"}
    assert done.outcomes[reference(gone)].reason == "deleted"
    (composition,) = site.written(reference(stored))
    assert "penicillin" not in json.dumps(composition)
    assert site.one_audit(composition["id"]).ok


def test_a_note_that_was_amended_since_is_summarised_as_it_is_now(site: Site, tmp_path: Path) -> None:
    stored = site.document()
    path = ndjson(tmp_path / "before.ndjson", [stored])
    amended = {**stored, "content": [{"attachment": {"contentType": "text/plain", "data": encoded("Well.")}}]}
    now = site.fhir.put(amended)

    done = from_files(site, path)

    assert done.outcomes[reference(stored)].version == now["meta"]["versionId"]
    (composition,) = site.written(reference(stored))
    assert "Well." in json.dumps(composition)


def test_folders_gzip_and_what_is_no_note(site: Site, tmp_path: Path) -> None:
    first, second, third = (site.document() for _ in range(3))
    folder = tmp_path / "export"
    (folder / "inner").mkdir(parents=True)
    ndjson(folder / "one.ndjson", [{"resourceType": "Patient", "id": "p"}, first])
    (folder / "inner" / "two.ndjson.gz").write_bytes(gzip.compress(json.dumps(second).encode()))
    (folder / "readme.txt").write_text("not read")
    torn = ndjson(tmp_path / "torn.ndjson", [third])
    torn.write_text('{"resourceType": "DocumentReference", "i\n' + torn.read_text())
    damaged = tmp_path / "damaged.ndjson.gz"
    damaged.write_bytes(gzip.compress(json.dumps(third).encode())[:-9])

    done = from_files(site, folder, damaged, torn)

    assert done.statuses() == {
        **{reference(note): "written" for note in (first, second, third)},
        "unknown": "failed",
    }
    assert done.outcomes["unknown"].reason == "malformed"
    assert done.ended.broken == ("damaged.ndjson.gz: the compressed data ends early",)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no file"):
        from_files(site, tmp_path / "empty")


def test_types_and_since_choose(site: Site, tmp_path: Path) -> None:
    stored = [site.fhir.put(note) for note in notes()[-3:]]
    later = stored[0]["meta"]["lastUpdated"] = "2031-01-01T00:00:00Z"
    path = ndjson(tmp_path / "all.ndjson", stored)

    reports = from_files(site, path, types=("DiagnosticReport",))
    newest = from_files(site, path, since=later)

    assert reports.statuses() == {"DiagnosticReport/r1": "written"}
    assert newest.statuses() == {reference(stored[0]): "written"}


def test_what_is_done_leaves_no_place_and_run_again_finds_all_of_it_done(site: Site, tmp_path: Path) -> None:
    stored = [site.document() for _ in range(4)]
    path = ndjson(tmp_path / "all.ndjson", stored)

    first, second = from_files(site, path), from_files(site, path)

    assert set(first.statuses().values()) == {"written"}
    assert set(second.statuses().values()) == {"unchanged"}
    assert first.shares[-1] == second.shares[-1] == (1.0, 1.0)
    with open_ledger(site.settings) as ledger:
        walk = Request(Wanted(site.settings.resource_types), (path,)).walk
        assert reached(ledger, walk) == {}
