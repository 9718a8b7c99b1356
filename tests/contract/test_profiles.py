"""What we write is valid by its profiles on real HAPI, whatever the source."""

import asyncio
from pathlib import Path

import pytest

from fhir_adapter import canonical
from fhir_adapter.profiles import definitions, upload
from fhir_adapter.rest.client import FhirClient
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.kinds_of_source import KINDS
from tests.contract.lives import (
    codes,
    command,
    extracted,
    html_document,
    of_its_own,
    only,
    revised,
    signed,
    state,
)
from tests.contract.passes import Site, encoded, reference
from tests.contract.timelines import COPIED, a_chart, html
from tests.contract.validity import PROFILES, Resource, issues

pytestmark = pytest.mark.hapi


@pytest.fixture
def site(hapi: Fhir, tmp_path: Path) -> Site:
    return Site(hapi, tmp_path / "ledger.sqlite")


def of_source(site: Site, source: str) -> list[Resource]:
    """All that was written for a source, the Composition first."""
    (summary,) = site.written(source)
    found = {"Composition": summary}
    device = site.fhir.get(summary["author"][0]["reference"])
    beside = summary["section"][0]["extension"][0]["extension"][0]["valueReference"]["reference"]
    if beside != source:
        found["text"] = site.fhir.get(beside)
    found["card"] = site.fhir.get(device["extension"][0]["valueReference"]["reference"])
    provenances = site.fhir.matches(site.fhir.get("Provenance", entity=source))
    return [*found.values(), device, *provenances]


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_written_of_every_kind_of_source_is_valid(site: Site, kind: str) -> None:
    source = reference(KINDS[kind](site))

    ended, _ = site.poll([source])

    assert (ended[source].status, ended[source].reason) == ("written", "")
    resources = of_source(site, source)
    assert {"Composition", "Device", "Provenance"} <= {r["resourceType"] for r in resources}
    for resource in resources:
        assert PROFILES & set(resource["meta"]["profile"]), resource["resourceType"]
        assert issues(site.fhir, resource) == []
    proof = site.one_audit(resources[0]["id"])
    assert proof.ok, proof.findings


@pytest.mark.parametrize("kind", ["plain", "html", "narrative", "labelled"])
def test_the_document_of_a_summary_is_valid(site: Site, kind: str) -> None:
    source = reference(KINDS[kind](site))
    site.poll([source])
    (summary,) = site.written(source)

    document = site.fhir.get(f"Composition/{summary['id']}/$document")

    assert (document["type"], document["identifier"]["system"]) == ("document", "urn:ietf:rfc:3986")
    held = [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in document["entry"]]
    assert held[0] == f"Composition/{summary['id']}"
    assert len(held) == len(set(held))
    span = summary["section"][0]["extension"][0]["extension"][0]["valueReference"]["reference"]
    assert {source, span, summary["author"][0]["reference"]} <= set(held)
    found = issues(site.fhir, document)
    of_others = [n for n, e in enumerate(document["entry"]) if not PROFILES & profiles_of(e["resource"])]
    theirs = tuple(f"Bundle.entry[{number}].resource" for number in of_others)
    assert [issue for issue in found if not issue.location.startswith(theirs)] == []


def profiles_of(resource: Resource) -> set[str]:
    return set(resource.get("meta", {}).get("profile", []))


def valid(site: Site, *resources: Resource) -> None:
    for resource in resources:
        assert PROFILES & profiles_of(resource), resource["resourceType"]
        assert issues(site.fhir, resource) == []


def provenances(site: Site, composition: Resource) -> list[Resource]:
    target = f"Composition/{composition['id']}"
    found: list[Resource] = site.fhir.matches(site.fhir.get("Provenance", target=target))
    assert found
    return found


def test_a_timeline_of_notes_of_several_kinds_is_valid(site: Site) -> None:
    chart = a_chart(of_its_own(site))
    chart.add_stay()
    chart.add("", date="2025-03-06", **html(COPIED + " Mild &amp; stable cough at night."))
    chart.add("Something of an unknown day was noted.")

    _, kept = chart.keep()

    written = site.fhir.get(kept.composition)
    spans = [
        part["url"] for s in written["section"] for e in s.get("extension", []) for part in e["extension"]
    ]
    assert canonical.EXTRACT_TEXT in spans
    devices = [site.fhir.get(author["reference"]) for author in written["author"]]
    valid(site, written, *devices, *provenances(site, written))
    document = site.fhir.get(f"{kept.composition}/$document")
    assert {f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in document["entry"]} >= {
        kept.composition,
        *chart.notes,
    }

    signed(site, written)
    chart.add("Something new was noted on another day.", date="2025-03-07")
    _, after = chart.keep()
    later = site.fhir.get(after.composition)
    assert later["relatesTo"]
    valid(site, later, *provenances(site, later))


def test_every_state_of_the_life_cycle_is_valid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site = of_its_own(site)
    signed_one, replaced, wrong = html_document(site), html_document(site), html_document(site)
    site.poll()
    signed(site, only(site, signed_one))
    revised(site, signed_one, "Seen again. Better.")
    relation = [{"code": "replaces", "target": {"reference": reference(replaced)}}]
    site.document("A better account. Stable.", relatesTo=relation)
    revised(site, wrong, status="entered-in-error")
    site.poll()

    first, later = sorted(site.written(reference(signed_one)), key=lambda c: c["status"])
    states = [first, later, only(site, replaced), only(site, wrong)]
    assert [state(one) for one in states] == [
        ("final", None),
        ("preliminary", None),
        ("preliminary", "superseded"),
        ("entered-in-error", "entered-in-error"),
    ]
    assert "needs-review" in codes(later, "tag")
    texts = [extracted(site, one) for one in (states[2], states[3])]
    assert [text["status"] for text in texts] == ["superseded", "entered-in-error"]
    valid(site, *states, *texts, *(p for one in states for p in provenances(site, one)))

    device = later["author"][0]["reference"]
    code, _, _ = command(site, capsys, "withdraw", "--pipeline", device)
    recalled, withdrawn = site.fhir.get(device), site.fhir.get(f"Composition/{later['id']}")
    assert (code, recalled["status"]) == (1, "inactive")
    assert state(withdrawn) == ("entered-in-error", "recalled")
    valid(site, recalled, withdrawn, *provenances(site, withdrawn))


def test_what_contains_its_author_is_valid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """As on a server that keeps a partition for each patient, which takes no Device."""
    site = of_its_own(site, AUTHOR="contained")
    chart = a_chart(site)
    plain = chart.add(COPIED, date="2025-03-01")
    chart.summarise(html_document(site, subject={"reference": chart.patient}))
    _, kept = chart.keep()

    summary, timeline = chart.summary(plain), site.fhir.get(kept.composition)
    shared = [site.fhir.get(device["definition"]["reference"]) for device in timeline["contained"]]
    assert len(shared) == 2
    proofs = [*provenances(site, summary), *provenances(site, timeline)]
    assert all(proof["contained"] for proof in proofs)
    valid(site, summary, timeline, *shared, *proofs)

    (device,) = summary["contained"]
    code, _, _ = command(site, capsys, "withdraw", "--pipeline", device["id"], "--reason", "A trial.")
    recalled = site.fhir.get(device["definition"]["reference"])
    assert (code, canonical.RECALL in str(recalled["extension"])) == (0, True)
    valid(site, recalled, site.fhir.get(reference(summary)))


def test_a_timeline_that_ended_is_valid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site = of_its_own(site)
    without, withdrawn = a_chart(site), a_chart(site)
    for chart in (without, withdrawn):
        note = chart.add("The only note there was.", date="2025-03-01")
        _, kept = chart.keep()
    revised(site, site.fhir.get(without.notes[0]), status="entered-in-error")
    _, gone = without.keep()
    command(site, capsys, "withdraw", "--source", reference(note))

    ended_ones = [site.fhir.get(one.composition) for one in (gone, kept)]
    assert [state(one) for one in ended_ones] == [
        ("entered-in-error", "no-note"),
        ("entered-in-error", "source-withdrawn"),
    ]
    valid(site, *ended_ones, *(p for one in ended_ones for p in provenances(site, one)))


def test_a_validating_server_takes_summaries_once_the_profiles_are_loaded(
    assigning_hapi: FhirServer, tmp_path: Path
) -> None:
    """By REST, onto a server that gives out ids itself and refuses what does not validate."""

    async def loaded() -> tuple[upload.Loaded, upload.Loaded, bool]:
        async with FhirClient(assigning_hapi.base_url) as client:
            return await upload.load(client), await upload.load(client), await upload.is_loaded(client)

    first, again, there = asyncio.run(loaded())
    assert (first.created + first.kept, again.created, there) == (len(definitions()), 0, True)

    fhir = Fhir(assigning_hapi)
    with fhir.http:
        note = {"resourceType": "DocumentReference", "status": "current"}
        html = {"contentType": "text/html", "data": encoded("<p>Mild. Stable today.</p>")}
        answer = fhir.send("POST", "DocumentReference", {**note, "content": [{"attachment": html}]})
        source = f"DocumentReference/{answer.json()['id']}"
        site = Site(fhir, tmp_path / "ledger.sqlite")
        ended, _ = site.poll([source])
        assert (ended[source].status, ended[source].reason) == ("written", "")
        (summary,) = site.written(source)
        assert site.one_audit(summary["id"]).ok
