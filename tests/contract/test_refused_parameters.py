"""Servers that refuse one search parameter or header: the work is done another way, and doctor says so."""

import asyncio
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from jobs.cli import run
from jobs.diagnosis import Check, server_checks
from jobs.runtime import make_pipeline, make_summarizer
from jobs.searches import SEARCHES
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site, encoded, reference

NOTES = ("DocumentReference/n0", "DocumentReference/n1", "DocumentReference/n2", "DiagnosticReport/r0")
STATUSES = (400, 403, 501)
REFUSED = (
    "Composition._id",
    "Composition.identifier",
    "Composition._tag",
    "Composition._lastUpdated",
    "Composition.subject",
    "Composition.entry",
    "Composition.author",
    "Composition.related-ref",
    "Provenance.target",
    "Provenance.entity",
    "Provenance.agent",
    "Provenance._id",
    "Provenance._tag",
    "Device.identifier",
    "DocumentReference._id",
    "DocumentReference.identifier",
    "DocumentReference.patient",
    "DocumentReference.relatesto",
    "DocumentReference._lastUpdated",
    "DiagnosticReport._lastUpdated",
    "Patient.link",
    "Patient.identifier",
    "Consent.patient",
    "Consent.status",
    "Encounter.status",
    "History._since",
    "_id",
    "_tag",
    "_lastUpdated",
    "_sort",
    "_total",
    "_include",
    "_elements",
    "_count",
    "_summary",
    "identifier",
    "status",
    "patient",
    "Prefer",
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's database with notes of two patients, one with its text written beside it."""
    database = tmp_path_factory.mktemp("refused") / "fhir.sqlite"
    with running_embedded(SandboxSettings(database=database)) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            site = Site(fhir, Path("none.sqlite"))
            for number in range(3):
                patient = fhir.put({"resourceType": "Patient", "id": f"p{number % 2}"})
                words = "<p>Mild. Stable today.</p><p>Home on day 2.</p>"
                html = {"content": [{"attachment": {"contentType": "text/html", "data": encoded(words)}}]}
                beside = {} if number else html
                site.document(id=f"n{number}", subject={"reference": reference(patient)}, **beside)
            form = {"contentType": "text/plain; charset=utf-8", "data": encoded("Sinus rhythm. No change.\n")}
            fhir.put(
                {
                    "resourceType": "DiagnosticReport",
                    "id": "r0",
                    "status": "final",
                    "code": {"text": "ECG"},
                    "subject": {"reference": "Patient/p0"},
                    "presentedForm": [form],
                }
            )
    return database


@pytest.fixture
def site(request: pytest.FixtureRequest, filled: Path, tmp_path: Path) -> Iterator[Site]:
    settings = SandboxSettings(database=shutil.copy(filled, tmp_path / "fhir.sqlite"), **request.param)
    with running_embedded(settings) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


def stored(site: Site, kind: str) -> list[dict[str, object]]:
    """All of a type, by a request that no setting refuses."""
    return site.fhir.matches(site.fhir.get(kind))


def standing(site: Site) -> Counter[str]:
    current = [one for one in stored(site, "Composition") if one["status"] == "preliminary"]
    return Counter(one["section"][0]["entry"][0]["reference"] for one in current)


def versions(site: Site) -> dict[str, str]:
    kinds = ("Composition", "Provenance", "Device", "DocumentReference")
    return {reference(one): one["meta"]["versionId"] for kind in kinds for one in stored(site, kind)}


def checks(site: Site) -> list[Check]:
    pipeline = make_pipeline(site.settings, make_summarizer(site.settings, defer=True))
    return asyncio.run(server_checks(site.settings, pipeline, write=False))[0]


def named(*names: str) -> list[str]:
    """Those of the table that begin so."""
    return [name for name in REFUSED if name.startswith(names)]


# Several at once, each with another status; one by one they are tried with `--each-parameter`.
GROUPS = (
    (400, named("Composition.", "Provenance.")),
    (403, named("_tag", "identifier", "status", "patient", "Patient.", "Encounter.", "Consent.")),
    (501, named("_id", "_lastUpdated", "_sort", "_total", "_include", "_elements", "_count", "_summary")),
    (422, named("Device.", "DocumentReference.", "DiagnosticReport.", "History.", "Prefer")),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    each = [(status, [name]) for name, status in zip(REFUSED, itertools.cycle(STATUSES), strict=False)]
    chosen = each if metafunc.config.getoption("--each-parameter") else GROUPS
    metafunc.parametrize(
        ("site", "names"),
        [
            pytest.param({"refused": frozenset(names), "refusal": status}, names, id=f"{names[0]}-{status}")
            for status, names in chosen
        ],
        indirect=["site"],
    )


def test_a_server_that_refuses_parameters_loses_nothing_and_doubles_nothing(
    site: Site,
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended, _ = site.poll()
    assert {source: one.status for source, one in ended.items()} == dict.fromkeys(NOTES, "written")
    before = versions(site)
    site.poll()
    fresh = Site(site.fhir, tmp_path / "other.sqlite")
    ended, _ = fresh.poll()
    assert {source: one.status for source, one in ended.items()} == dict.fromkeys(NOTES, "unchanged")
    assert versions(site) == before
    proofs = site.audit()
    assert len(proofs) == len(NOTES)
    assert [proof.findings for proof in proofs if not proof.ok] == []

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")
    monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", site.fhir.server.base_url)
    monkeypatch.setenv("CLINSUM_DATABASE_URL", f"sqlite:///{site.database}")
    capsys.readouterr()
    assert run(["timeline", "Patient/p0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["source"] for one in told["entries"]} == set(NOTES) - {"DocumentReference/n1"}
    assert (told["without_summary"], told["findings"]) == ([], [])

    site.fhir.put({**site.fhir.get("DocumentReference/n1"), "description": "edited"})
    site.poll()
    assert run(["reconcile"]) == 0  # finds it where a pass cannot: a note without a date, by date alone
    made_from = {one["section"][0]["entry"][0]["reference"]: one for one in stored(site, "Composition")}
    assert made_from["DocumentReference/n1"]["meta"]["versionId"] == "2"
    assert standing(site) == Counter(NOTES)

    assert run(["withdraw", "--source", "DocumentReference/n2", "--yes"]) == 0
    assert standing(site) == Counter(NOTES) - Counter(["DocumentReference/n2"])
    assert run(["withdraw", "--source", "DocumentReference/n2", "--undo", "--yes"]) == 0
    assert standing(site) == Counter(NOTES)
    assert run(["reconcile"]) == 0
    assert standing(site) == Counter(NOTES)

    found = checks(site)
    assert [check for check in found if check.status == "failure"] == []
    said = " ".join(check.value for check in found if check.status == "warning")
    for name in names:
        kind, _, parameter = name.rpartition(".")
        if parameter in SEARCHES.get(kind, ()):
            assert name in said
        if kind in ("DocumentReference", "DiagnosticReport") and parameter == "_lastUpdated":
            assert f"does not search {kind} by _lastUpdated" in said
