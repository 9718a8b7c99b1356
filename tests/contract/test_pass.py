"""The main job against each server: a note becomes an audited Composition, once."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.audit.findings import Finding
from fhir_adapter.writing.pipeline import deterministic_id
from tests.contract.contract_fhir import Fhir, new_id
from tests.contract.lives import beginning_now
from tests.contract.passes import TEXT, Site, encoded, polled_in_thread, reference


@pytest.fixture
def site(fhir: Fhir, tmp_path: Path) -> Site:
    """Its walks leave out what other tests left on the server; the overlap spans what one puts."""
    return beginning_now(Site(fhir, tmp_path / "ledger.sqlite", {"OVERLAP": "10s"}))


def test_a_note_becomes_one_audited_composition(site: Site, patient: str) -> None:
    source = reference(site.document(subject={"reference": patient}))

    ended, _ = site.poll()

    assert ended[source].status == "written"
    (composition,) = site.written(source)
    assert f"Composition/{composition['id']}" == ended[source].to_json()["composition"]
    assert composition["id"] == deterministic_id("Composition", source, "extractive")
    assert composition["status"] == "preliminary"
    assert composition["subject"]["reference"] == patient
    proof = site.one_audit(composition["id"])
    assert proof.ok, proof.findings
    assert [s.text for s in proof.sentences] == [
        "Pneumonia of the left lower lobe.",
        "Improving on ceftriaxone.",
        "Home tomorrow.",
    ]
    assert all(TEXT[s.start : s.end] == s.text for s in proof.sentences)
    provenance = site.fhir.matches(site.fhir.get("Provenance", entity=source))
    assert [p["target"][0]["reference"] for p in provenance] == [f"Composition/{composition['id']}"]
    device = site.fhir.get(composition["author"][0]["reference"])
    assert device["extension"][0]["valueReference"]["reference"].startswith("DocumentReference/")


def test_a_second_pass_writes_nothing_with_its_ledger_or_without(fhir: Fhir, tmp_path: Path) -> None:
    """Walks from the beginning, over the one note of a type that nothing else on the server has."""
    kind = {"system": "urn:oid:2.999.7", "code": new_id("type")}
    options = {"NOTE_TYPES": f"{kind['system']}|{kind['code']}"}
    site = Site(fhir, tmp_path / "ledger.sqlite", options)
    source = reference(site.document(type={"coding": [kind]}))
    site.poll()

    again, totals = site.poll()
    fresh, fresh_totals = Site(fhir, tmp_path / "lost.sqlite", options).poll()

    assert totals.by_status["written"] == fresh_totals.by_status["written"] == 0
    assert fresh.keys() == {source}
    assert again[source].status == fresh[source].status == "unchanged"
    assert again[source].composition == fresh[source].composition
    (composition,) = site.written(source)
    assert composition["meta"]["versionId"] == "1"


def test_an_amended_note_gives_a_new_version_of_the_same_composition(site: Site) -> None:
    resource = site.document()
    source = reference(resource)
    site.poll()
    (before,) = site.written(source)

    resource["content"][0]["attachment"]["data"] = encoded("No pneumonia after all. Home today.")
    amended = site.fhir.put({**resource, "docStatus": "amended"})
    stale = site.one_audit(before["id"])
    ended, _ = site.poll()

    assert Finding.SOURCE_CHANGED in {finding for finding, _ in stale.findings}
    assert all(sentence.ok for sentence in stale.sentences)
    assert ended[source].status == "written"
    assert ended[source].version == amended["meta"]["versionId"]
    (after,) = site.written(source)
    assert after["id"] == before["id"]
    assert after["meta"]["versionId"] != before["meta"]["versionId"]
    assert site.one_audit(after["id"]).ok


def test_a_note_entered_in_error_takes_its_summary_along_unless_a_person_attested_it(site: Site) -> None:
    notes = [site.document(), site.document("Another note. Seen today.")]
    site.poll()
    (attested,) = site.written(reference(notes[1]))
    site.fhir.put({**attested, "status": "final", "attester": [{"mode": "professional"}]})

    for note in notes:
        site.fhir.put({**note, "status": "entered-in-error"})
    ended, _ = site.poll()
    again, _ = site.poll()

    assert [ended[reference(note)].reason for note in notes] == ["entered-in-error"] * 2
    assert [again[reference(note)].status for note in notes] == ["unchanged"] * 2
    (withdrawn,), (kept,) = (site.written(reference(note)) for note in notes)
    assert (withdrawn["status"], withdrawn["meta"]["versionId"]) == ("entered-in-error", "2")
    assert (kept["status"], kept["meta"]["versionId"]) == ("final", "2")
    assert site.one_audit(withdrawn["id"]).ok


HTML = "<html><body><h1>Consult</h1><p>Mild &amp; stable.</p><ul><li>No fever.</li></ul></body></html>"


def carriers(site: Site) -> dict[str, dict[str, Any]]:
    """A note by every way in which a note can lie on a server."""
    raw = site.fhir.http.post(
        "Binary",
        content="Raw on the server. Seen today.".encode("cp1252"),
        headers={"Content-Type": "text/plain"},
    )
    binary = "/".join(raw.headers["location"].split("/_history")[0].split("/")[-2:])
    wrapped = site.fhir.put(
        {
            "resourceType": "Binary",
            "id": new_id("binary"),
            "contentType": "text/plain",
            "data": encoded("Wrapped as a resource. Seen today."),
        }
    )
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Chest X-ray"}}
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Lungs clear.</p><p>Heart normal.</p></div>'
    cp1252 = "Temp 38.5 °C – improving. “Better” today.".encode("cp1252")
    return {
        "binary": site.document(content=[{"attachment": {"contentType": "text/plain", "url": binary}}]),
        "wrapped": site.document(
            content=[{"attachment": {"contentType": "text/plain", "url": reference(wrapped)}}]
        ),
        "html": site.document(content=[{"attachment": {"contentType": "text/html", "data": encoded(HTML)}}]),
        "cp1252": site.document(
            content=[{"attachment": {"contentType": "text/plain", "data": encoded(cp1252)}}]
        ),
        "presented": site.fhir.put(
            {
                **report,
                "id": new_id("report"),
                "presentedForm": [{"contentType": "text/plain", "data": encoded(TEXT)}],
            }
        ),
        "conclusion": site.fhir.put(
            {**report, "id": new_id("report"), "conclusion": "No nodule.\r\nNo effusion. Stable."}
        ),
        "narrative": site.fhir.put(
            {**report, "id": new_id("report"), "text": {"status": "generated", "div": div}}
        ),
    }


def test_every_way_a_note_can_lie_on_a_server_is_read_and_proven(site: Site) -> None:
    notes = carriers(site)

    ended, _ = site.poll()

    for name, note in notes.items():
        assert ended[reference(note)].status == "written", name
        (composition,) = site.written(reference(note))
        proof = site.one_audit(composition["id"])
        assert proof.ok, (name, proof.findings)
        assert proof.sentences, name


def test_text_extracted_from_html_is_kept_beside_it_and_never_summarised(site: Site) -> None:
    source = reference(
        site.document(content=[{"attachment": {"contentType": "text/html", "data": encoded(HTML)}}])
    )
    site.poll()
    ended, _ = site.poll()

    (composition,) = site.written(source)
    where = composition["section"][0]["extension"][0]["extension"][0]["valueReference"]["reference"]
    kept = site.fhir.get(where)
    text = base64.b64decode(kept["content"][0]["attachment"]["data"]).decode()
    proofs = site.one_audit(composition["id"]).sentences
    pieces = [piece for one in proofs for piece in (*one.before, one, *one.after)]
    for span, proven in zip(composition["section"][0]["extension"], pieces, strict=True):
        parts = {part["url"]: part for part in span["extension"]}
        start = parts["offset"]["valueInteger"]
        assert text[start : start + parts["length"]["valueInteger"]] == proven.text
    assert where not in ended


def test_every_note_ends_with_a_reason_and_one_never_stops_the_others(site: Site) -> None:
    png = encoded(b"\x89PNG\r\n\x1a\n" + bytes(40))
    one = {"contentType": "text/plain"}
    expected = {
        "no-attachment": site.document(content=[{"attachment": {"title": "on paper"}}]),
        "unsupported-type": site.document(content=[{"attachment": {**one, "data": png}}]),
        "empty-text": site.document(" \n "),
        "foreign-host": site.document(content=[{"attachment": {**one, "url": "https://x.example.org/a"}}]),
        "not-found": site.document(content=[{"attachment": {**one, "url": "Binary/none-such"}}]),
        "entered-in-error": site.document(status="entered-in-error"),
        "not-final": site.document(docStatus="preliminary"),
    }
    fine = site.document()

    ended, totals = site.poll()

    assert {name: ended[reference(note)].reason for name, note in expected.items()} == {
        name: name for name in expected
    }
    assert ended[reference(fine)].status == "written"
    assert totals.seen == sum(totals.by_status.values())
    assert ended[reference(expected["not-found"])].status == "failed"


def test_two_workers_at_once_leave_one_composition(site: Site, tmp_path: Path) -> None:
    workers = [beginning_now(Site(site.fhir, tmp_path / f"worker{n}.sqlite")) for n in range(3)]
    sources = [reference(site.document(f"Note number {n}. Seen today.")) for n in range(12)]

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(polled_in_thread, workers))

    for source in sources:
        assert {result[source] for result in results} <= {"written", "unchanged"}
        assert len(site.written(source)) == 1
        assert len(site.fhir.matches(site.fhir.get("Provenance", entity=source))) == 1


def altered(composition: dict[str, Any], how: str) -> dict[str, Any]:
    section = composition["section"][0]
    extensions = section["extension"]
    sentence = next(
        one for one in extensions if not any("context" in part["url"] for part in one["extension"])
    )
    parts = {part["url"].split("/")[-1]: part for part in sentence["extension"]}
    if how == "word":
        section["text"]["div"] = section["text"]["div"].replace("left", "right")
    elif how == "added":
        added = '<li><span id="s9">Aspirin.</span></li></ol>'
        section["text"]["div"] = section["text"]["div"].replace("</ol>", added)
    elif how == "offset":
        parts["offset"]["valueInteger"] += 1
    elif how == "outside":
        parts["offset"]["valueInteger"] = 10_000
    elif how == "span":
        extensions.remove(sentence)
    elif how == "order":
        section["extension"].reverse()
    elif how == "hash":
        facts = {part["url"]: part for part in composition["extension"][0]["extension"]}
        facts["sha256"]["valueString"] = "0" * 64
    return composition


@pytest.mark.parametrize(
    ("how", "finding"),
    [
        ("word", Finding.SENTENCE_ALTERED),
        ("added", Finding.SENTENCE_ADDED),
        ("offset", Finding.SENTENCE_ALTERED),
        ("outside", Finding.OFFSET_OUTSIDE),
        ("span", Finding.SPAN_MISSING),
        ("order", Finding.WRONG_ORDER),
        ("hash", Finding.TEXT_DIFFERS),
    ],
)
def test_the_audit_finds_what_was_altered(site: Site, how: str, finding: Finding) -> None:
    source = reference(site.document())
    site.poll()
    (composition,) = site.written(source)
    site.fhir.put(altered(composition, how))

    proof = site.one_audit(composition["id"])

    assert finding in {found for found, _ in proof.findings}


def test_the_audit_says_when_the_source_or_the_composition_is_gone(site: Site) -> None:
    assert [f for f, _ in site.one_audit("none-such").findings] == [Finding.COMPOSITION_GONE]


def test_a_failed_note_is_tried_again_by_retry(site: Site) -> None:
    wanted = new_id("binary")
    source = reference(
        site.document(content=[{"attachment": {"contentType": "text/plain", "url": f"Binary/{wanted}"}}])
    )
    ended, _ = site.poll()
    assert ended[source].reason == "not-found"

    site.fhir.put(
        {"resourceType": "Binary", "id": wanted, "contentType": "text/plain", "data": encoded("Here now.")}
    )
    retried, totals = site.poll([source])

    assert retried[source].status == "written"
    assert totals.seen == 1


@pytest.fixture
def assigning_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A server that gives out all ids itself."""
    fhir = Fhir(request.getfixturevalue(request.param))
    with fhir.http:
        yield Site(fhir, tmp_path / "ledger.sqlite")


@pytest.mark.parametrize(
    "assigning_site",
    ["assigning_embedded", pytest.param("assigning_hapi", marks=pytest.mark.hapi)],
    indirect=True,
)
def test_a_server_that_gives_out_ids_gets_one_composition_too(assigning_site: Site, tmp_path: Path) -> None:
    site = assigning_site
    answer = site.fhir.send(
        "POST",
        "DocumentReference",
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": {"contentType": "text/html", "data": encoded(HTML)}}],
        },
    )
    assert answer.status_code == 201, answer.text
    resource = answer.json()
    source = reference(resource)

    first, _ = site.poll()
    second, _ = Site(site.fhir, tmp_path / "other.sqlite").poll()
    resource["content"][0]["attachment"]["data"] = encoded(HTML.replace("stable", "improving"))
    site.fhir.put(resource)
    third, _ = site.poll()

    assert [e[source].status for e in (first, second, third)] == ["written", "unchanged", "written"]
    assert first[source].composition == second[source].composition == third[source].composition
    assert len(site.written(source)) == 1
    proof = site.one_audit(first[source].composition)
    assert proof.ok, proof.findings
    assert any("improving" in sentence.text for sentence in proof.sentences)


@pytest.mark.parametrize(
    "assigning_site",
    ["assigning_embedded", pytest.param("assigning_hapi", marks=pytest.mark.hapi)],
    indirect=True,
)
def test_a_server_that_gives_out_ids_keeps_a_persons_summary_and_gets_one_after_it(
    assigning_site: Site, tmp_path: Path
) -> None:
    site = assigning_site
    attachment = {"contentType": "text/html", "data": encoded(HTML)}
    note = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
    resource = site.fhir.send("POST", "DocumentReference", note).json()
    source = reference(resource)
    first, _ = site.poll([source])
    (theirs,) = site.written(source)
    site.fhir.put({**theirs, "status": "final", "attester": [{"mode": "professional"}]})
    for word in ("improving", "well"):
        resource["content"][0]["attachment"]["data"] = encoded(HTML.replace("stable", word))
        site.fhir.put(resource)
        site.poll([source])
    again, _ = Site(site.fhir, tmp_path / "other.sqlite").poll([source])

    kept, later = sorted(site.written(source), key=lambda composition: str(composition["status"]))
    assert (kept["id"], kept["meta"]["versionId"]) == (first[source].composition, "2")
    assert (again[source].status, again[source].composition) == ("unchanged", later["id"])
    assert later["meta"]["versionId"] == "2"
    assert later["relatesTo"][0]["targetReference"]["reference"] == f"Composition/{kept['id']}"
    for composition in (kept, later):
        proof = site.one_audit(composition["id"])
        assert proof.ok, proof.findings
    assert any("well" in sentence.text for sentence in site.one_audit(later["id"]).sentences)
