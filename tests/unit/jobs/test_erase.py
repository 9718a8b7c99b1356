"""Legal erasure: all of one patient or note goes, nothing of others, and what stays is said."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jobs.cli
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.writing.lifecycle import extracted_texts
from jobs.runtime import open_ledger
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site, encoded, reference

HTML = [{"attachment": {"contentType": "text/html", "data": encoded("<p>Fever since Monday. Home.</p>")}}]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            for ident in ("secret-a", "b"):
                fhir.put({"resourceType": "Patient", "id": ident})
            yield Site(fhir, tmp_path / "ledger.sqlite")


def of(site: Site, whom: str, **changed: Any) -> str:
    return reference(site.document(subject={"reference": f"Patient/{whom}"}, **changed))


def erase(site: Site, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    sets = {"FHIR_BASE_URL": site.settings.fhir_base_url, "DATABASE_URL": site.settings.database_url}
    options = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    code = jobs.cli.run(["erase", *arguments, *options])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_all_of_a_patient_goes_and_nothing_of_another(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    plain, page, other = of(site, "secret-a"), of(site, "secret-a", content=HTML), of(site, "b")
    site.poll()
    assert len(site.fhir.search("Provenance")) == 3

    code, out, err = erase(site, capsys, "--patient", "Patient/secret-a", "--yes", "--json")

    summary = json.loads(out.splitlines()[-1])["summary"]
    assert code == 0
    assert (summary["deleted"], summary["failed"], summary["ledger_rows"]) == (5, 0, 2)
    assert summary["not_removed"] == {"history": 5, "audit_events": 0, "notes": 2}
    assert "secret-a" not in out + err
    assert site.written(plain) == site.written(page) == []
    assert len(site.written(other)) == len(site.fhir.search("Provenance")) == 1
    assert site.fhir.search("DocumentReference", subject="Patient/secret-a") == sorted(
        one.partition("/")[2] for one in (plain, page)
    )
    with open_ledger(site.settings) as ledger:
        assert ledger.known([plain, page, other]).keys() == {other}


def test_of_one_note_only_its_own_goes(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = of(site, "b"), of(site, "b")
    site.poll()

    code, out, _ = erase(site, capsys, "--source", one, "--yes")

    assert code == 0
    assert "2 deleted; 1 rows of the ledger removed." in out
    assert site.written(one) == []
    assert len(site.written(other)) == 1


def test_a_persons_work_is_left_unless_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    note = of(site, "b")
    site.poll()
    (summary,) = site.written(note)
    site.fhir.put({**summary, "status": "final", "attester": [{"mode": "professional"}]})

    code, out, _ = erase(site, capsys, "--patient", "Patient/b", "--yes")
    assert code == 1
    assert f"Composition/{summary['id']}: left" in out
    assert len(site.written(note)) == len(site.fhir.search("Provenance")) == 1

    assert erase(site, capsys, "--patient", "Patient/b", "--attested", "--yes")[0] == 0
    assert site.written(note) == []


def test_a_trial_deletes_nothing_and_nobody_is_asked_unseen(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    note = of(site, "b")
    site.poll()

    code, out, _ = erase(site, capsys, "--patient", "Patient/b", "--dry-run", "--json")
    assert (code, json.loads(out.splitlines()[-1])["summary"]["due"]) == (0, 2)
    code, _, err = erase(site, capsys, "--patient", "Patient/b")
    assert (code, "give --yes" in err) == (2, True)
    assert len(site.written(note)) == 1
    with open_ledger(site.settings) as ledger:
        assert ledger.known([note])


def test_a_server_that_ignores_parameters_loses_nothing_of_others(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fhir_adapter.rest.client import FhirClient

    mine, other = of(site, "secret-a"), of(site, "b")
    site.poll()
    real = FhirClient.search

    def ignoring(self: FhirClient, resource_type: str, params: Any, start: str = "") -> Any:
        kept = [one for one in params if one[0].startswith("_")]
        return real(self, resource_type, kept, start)

    monkeypatch.setattr(FhirClient, "search", ignoring)
    erase(site, capsys, "--patient", "Patient/secret-a", "--yes")
    monkeypatch.undo()

    assert site.written(mine) == []
    assert len(site.written(other)) == len(site.fhir.search("Provenance")) == 1


@pytest.mark.parametrize(("refusals", "code"), [(1, 0), (9, 1)])
def test_what_cannot_be_deleted_is_tried_again_after_all_others(
    site: Site,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    refusals: int,
    code: int,
) -> None:
    from fhir_adapter.errors import HttpStatusError
    from fhir_adapter.rest.client import FhirClient

    note = of(site, "b")
    site.poll()
    real, asked = FhirClient.delete, [""]

    async def busy(self: FhirClient, reference: str) -> None:
        asked.append(reference)
        if reference.startswith("Provenance/") and asked.count(reference) <= refusals:
            raise HttpStatusError(409, "delete")
        await real(self, reference)

    monkeypatch.setattr(FhirClient, "delete", busy)
    ended, out, _ = erase(site, capsys, "--source", note, "--yes")

    assert ended == code
    assert asked[-1].startswith("Provenance/")
    assert (": failed, HTTP 409" in out) is bool(code)
    assert len(site.fhir.search("Provenance")) == code


@pytest.mark.parametrize("kind", ["Composition/", "Provenance/", "DocumentReference/"])
@pytest.mark.parametrize("whole", [True, False], ids=["of the patient", "of the note"])
def test_the_row_of_what_stays_on_the_server_stays_and_a_second_erasure_finds_it(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str, whole: bool
) -> None:
    from fhir_adapter.errors import HttpStatusError
    from fhir_adapter.rest.client import FhirClient

    note, other = of(site, "b", content=HTML), of(site, "b")
    site.poll()
    (summary,) = site.written(note)
    mine = {one for one in (*_named(summary), *_witnesses(site, summary)) if one.startswith(kind)}
    assert len(mine) == 1
    real = FhirClient.delete

    async def refusing(self: FhirClient, reference: str) -> None:
        if reference in mine:
            raise HttpStatusError(409, "delete")
        await real(self, reference)

    monkeypatch.setattr(FhirClient, "delete", refusing)
    asked = ("--patient", "Patient/b") if whole else ("--source", note)
    assert erase(site, capsys, *asked, "--yes")[0] == 1
    with open_ledger(site.settings) as ledger:
        assert ledger.known([note, other]).keys() == ({note} if whole else {note, other})

    monkeypatch.undo()
    code, out, _ = erase(site, capsys, *asked, "--yes")

    assert code == 0
    assert "; 1 rows of the ledger removed." in out
    assert site.fhir.http.get(*mine).status_code in (404, 410)
    with open_ledger(site.settings) as ledger:
        assert ledger.known([note, other]).keys() == (set() if whole else {other})


def _named(summary: dict[str, Any]) -> list[str]:
    return [reference(summary), *extracted_texts(summary)]


def _witnesses(site: Site, summary: dict[str, Any]) -> list[str]:
    return [f"Provenance/{one}" for one in site.fhir.search("Provenance", target=reference(summary))]


@pytest.mark.parametrize("given", [[], ["--patient", "b"], ["--source", "Patient/b"]])
def test_what_is_not_named_rightly_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert erase(site, capsys, *given, "--yes")[0] == 2
