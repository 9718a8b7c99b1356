"""What becomes of a summary when its source changes: each row of docs/lifecycle.md, on each server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.audit.findings import Finding
from fhir_adapter.sandbox.hapi import Hapi, HapiSettings
from fhir_adapter.sandbox.running import running_embedded
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.lives import (
    codes,
    command,
    ended,
    extracted,
    html_document,
    only,
    report,
    revised,
    sentences,
    signed,
    state,
)
from tests.contract.passes import Site, encoded, reference


def test_a_new_version_gives_a_new_version_of_composition_text_and_provenance(site: Site) -> None:
    note = html_document(site)
    site.poll()
    before = only(site, note)
    (made,) = site.fhir.matches(site.fhir.get("Provenance", target=f"Composition/{before['id']}"))
    text = extracted(site, before)

    changed = "<html><body><p>Fever. Worse.</p></body></html>"
    now = revised(
        site, note, content=[{"attachment": {"contentType": "text/html", "data": encoded(changed)}}]
    )
    site.poll()

    after = only(site, note)
    assert (after["id"], after["status"]) == (before["id"], "preliminary")
    assert "Fever." in sentences(after)
    assert extracted(site, after)["id"] == text["id"]
    (again,) = site.fhir.matches(site.fhir.get("Provenance", target=f"Composition/{after['id']}"))
    assert again["id"] == made["id"]
    stated = again["entity"][0]["what"]["identifier"]["value"]
    assert stated.endswith(f"/_history/{now['meta']['versionId']}")
    assert site.one_audit(after["id"]).ok


def test_a_note_whose_text_is_gone_takes_its_summary_along_and_brings_it_back(site: Site) -> None:
    note = site.document()
    site.poll()

    revised(site, note, " \n ")
    ends, _ = site.poll()
    emptied = only(site, note)
    revised(site, note, "Seen again. Improving.")
    back, _ = site.poll()

    assert ends[reference(note)].reason == "empty-text"
    assert state(emptied) == ("entered-in-error", "empty-text")
    assert back[reference(note)].status == "written"
    assert state(only(site, note)) == ("preliminary", None)
    assert site.one_audit(emptied["id"]).ok


def test_a_version_that_cannot_be_read_leaves_the_summary_and_marks_it_where_that_will_stay_so(
    site: Site,
) -> None:
    unreadable, failing = site.document(), site.document()
    site.poll()

    png = {"contentType": "image/png", "data": encoded(b"\x89PNG\r\n\x1a\n" + bytes(40))}
    revised(site, unreadable, content=[{"attachment": png}])
    revised(site, failing, content=[{"attachment": {"contentType": "text/plain", "url": "Binary/none-such"}}])
    ends, _ = site.poll()

    assert [ends[reference(n)].reason for n in (unreadable, failing)] == ["unsupported-type", "not-found"]
    assert state(only(site, unreadable)) == ("preliminary", "unsupported-type")
    assert state(only(site, failing)) == ("preliminary", None)
    (finding, _), *_ = site.one_audit(only(site, failing)["id"]).findings
    assert finding is Finding.SOURCE_CHANGED


def replacing(note: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"code": "replaces", "target": {"reference": reference(note)}}]


@pytest.mark.parametrize("marked", [True, False], ids=["superseded", "still current"])
def test_a_replaced_document_keeps_its_summary_marked_and_the_new_one_names_it(
    site: Site, marked: bool
) -> None:
    old = html_document(site)
    site.poll()
    before = only(site, old)
    if marked:
        revised(site, old, status="superseded")
    new = site.document("Seen again. Improving.", relatesTo=replacing(old))
    ends, _ = site.poll()
    quiet, _ = site.poll()

    assert ends[reference(old)].reason == "superseded"
    assert state(only(site, old)) == ("preliminary", "superseded")
    assert sentences(only(site, old)) == sentences(before)
    assert extracted(site, before)["status"] == "superseded"
    summary = only(site, new)
    (relation,) = [r for r in summary["relatesTo"] if r["code"] == "replaces"]
    assert relation["targetIdentifier"]["value"] == before["identifier"]["value"]
    assert site.one_audit(before["id"]).ok
    assert site.one_audit(summary["id"]).ok
    # A note that another test left behind without its text waits for its next try.
    assert not [o for o in quiet.values() if o.status not in ("unchanged", "skipped") and not o.waiting]
    assert state(only(site, old)) == ("preliminary", "superseded")


def test_when_the_replacing_document_was_a_mistake_the_replaced_one_counts_again(site: Site) -> None:
    old = html_document(site)
    site.poll()
    revised(site, old, status="superseded")
    new = site.document("Seen again. Improving.", relatesTo=replacing(old))
    site.poll()
    assert ended(only(site, old)) == "superseded"

    revised(site, new, status="entered-in-error")
    ends, _ = site.poll()

    assert ends[reference(old)].status == "written"
    assert state(only(site, old)) == ("preliminary", None)
    assert extracted(site, only(site, old))["status"] == "current"
    assert state(only(site, new)) == ("entered-in-error", "entered-in-error")


def test_a_draft_replaces_nothing_until_it_is_final(site: Site) -> None:
    old = site.document()
    site.poll()
    draft = site.document("Being written. Improving.", docStatus="preliminary", relatesTo=replacing(old))
    site.poll()
    kept = state(only(site, old))
    revised(site, draft, docStatus="final")
    site.poll()

    assert kept == ("preliminary", None)
    assert state(only(site, old)) == ("preliminary", "superseded")


def test_a_superseded_document_that_nothing_replaces_keeps_its_summary(site: Site) -> None:
    note = site.document()
    site.poll()
    revised(site, note, status="superseded")
    ends, _ = site.poll()

    assert ends[reference(note)].status == "written"
    assert state(only(site, note)) == ("preliminary", None)


@pytest.mark.parametrize("mistake", [{"status": "entered-in-error"}, {"docStatus": "entered-in-error"}])
def test_a_mistaken_note_takes_summary_and_text_along_and_a_correction_brings_them_back(
    site: Site, mistake: dict[str, str]
) -> None:
    note = html_document(site)
    site.poll()
    revised(site, note, **mistake)
    site.poll()
    withdrawn = only(site, note)
    text = extracted(site, withdrawn)
    audited = site.one_audit(withdrawn["id"])
    revised(site, note, status="current", docStatus="final")
    back, _ = site.poll()

    assert state(withdrawn) == ("entered-in-error", "entered-in-error")
    assert text["status"] == "entered-in-error"
    assert audited.ok, audited.findings
    assert back[reference(note)].status == "written"
    assert state(only(site, note)) == ("preliminary", None)
    assert extracted(site, withdrawn)["status"] == "current"


def test_a_cancelled_report_takes_its_summary_along(site: Site) -> None:
    note = report(site)
    site.poll()
    revised(site, note, status="cancelled")
    ends, _ = site.poll()

    assert ends[reference(note)].reason == "cancelled"
    assert state(only(site, note)) == ("entered-in-error", "cancelled")


def test_a_note_that_is_a_draft_again_marks_its_summary_until_it_is_final(site: Site) -> None:
    note = site.document()
    site.poll()
    revised(site, note, docStatus="preliminary")
    site.poll()
    drafted = only(site, note)
    revised(site, note, docStatus="final")
    site.poll()

    assert state(drafted) == ("preliminary", "not-final")
    assert site.one_audit(drafted["id"]).ok
    assert state(only(site, note)) == ("preliminary", None)


@pytest.fixture
def lenient_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A server that deletes what others refer to."""
    if request.param == "embedded":
        running = running_embedded()
    else:
        hapi: Hapi = request.getfixturevalue("hapi_process")
        running = hapi.another(HapiSettings(referential_integrity=False, placeholders=False))
    with running as base_url:
        fhir = Fhir(FhirServer(request.param, base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


@pytest.mark.parametrize(
    "lenient_site",
    ["embedded", pytest.param("hapi", marks=pytest.mark.hapi)],
    indirect=True,
)
def test_a_deleted_note_takes_summary_and_text_along_and_one_that_is_back_brings_them_back(
    lenient_site: Site, tmp_path: Path
) -> None:
    site = lenient_site
    notes = [html_document(site), html_document(site)]
    never_seen = site.document()
    first, _ = site.poll()
    (theirs,) = site.written(reference(notes[1]))
    signed(site, theirs)
    site.poll()
    mine = f"Composition/{first[reference(notes[0])].composition}"
    for note in [*notes, never_seen]:
        assert site.fhir.send("DELETE", reference(note)).status_code in (200, 204)
    ends, _ = site.poll()
    again, _ = site.poll()
    gone, audited = site.fhir.get(mine), site.one_audit(mine.split("/")[1])
    text = extracted(site, gone)
    site.fhir.put(notes[0])
    back, _ = site.poll()

    assert {ends[reference(note)].reason for note in notes} == {"deleted"}
    assert {o.status for o in again.values()} <= {"unchanged"}
    assert state(gone) == ("entered-in-error", "deleted")
    assert text["status"] == "entered-in-error"
    assert audited.ok, audited.findings
    assert site.fhir.get(f"Composition/{theirs['id']}")["status"] == "final"
    assert back[reference(notes[0])].status == "written"
    assert state(site.fhir.get(mine)) == ("preliminary", None)


hapi_alone = pytest.mark.parametrize(
    "fhir_server", [pytest.param("hapi", marks=pytest.mark.hapi)], indirect=True
)


@hapi_alone
def test_a_strict_server_refuses_to_delete_a_note_that_has_a_summary(site: Site) -> None:
    note = site.document()
    site.poll()

    assert site.fhir.send("DELETE", reference(note)).status_code == 409
    assert site.one_audit(only(site, note)["id"]).ok


def a_patient(site: Site, **elements: Any) -> str:
    return reference(site.fhir.put({"resourceType": "Patient", "id": new_id("patient"), **elements}))


def test_a_note_that_moves_to_another_patient_takes_summary_and_text_along(site: Site) -> None:
    wrong, right = a_patient(site), a_patient(site)
    note = html_document(site, subject={"reference": wrong})
    site.poll()
    before = only(site, note)
    revised(site, note, subject={"reference": right})
    site.poll()

    after = only(site, note)
    assert (before["subject"]["reference"], after["subject"]["reference"]) == (wrong, right)
    assert extracted(site, after)["subject"]["reference"] == right
    assert site.fhir.search("Composition", patient=wrong, entry=reference(note)) == []
    assert site.one_audit(after["id"]).ok


def test_a_summary_that_somebody_deleted_is_written_again(site: Site) -> None:
    note = html_document(site)
    site.poll()
    before = only(site, note)
    text = extracted(site, before)
    provenances = site.fhir.search("Provenance", target=reference(before))
    for gone in (*(f"Provenance/{one}" for one in provenances), reference(before), reference(text)):
        site.fhir.send("DELETE", gone).raise_for_status()

    assert site.poll()[0][reference(note)].status == "written"

    after = only(site, note)
    assert (after["id"], sentences(after)) == (before["id"], sentences(before))
    assert site.one_audit(reference(after)).ok


def test_a_merge_by_link_alone_leaves_the_summary_where_its_note_is(site: Site) -> None:
    kept, merged = a_patient(site), a_patient(site)
    note = site.document(subject={"reference": merged})
    site.poll()
    before = only(site, note)
    link = {"type": "replaced-by", "other": {"reference": kept}}
    site.fhir.put({"resourceType": "Patient", "id": merged.split("/")[1], "active": False, "link": [link]})
    site.poll()

    after = only(site, note)
    assert after["meta"]["versionId"] == before["meta"]["versionId"]
    assert after["subject"]["reference"] == site.fhir.get(reference(note))["subject"]["reference"]
    assert site.one_audit(after["id"]).ok


CONFIDENTIALITY = {"system": canonical.CONFIDENTIALITY}


def test_a_source_that_is_protected_more_protects_its_summary_more(site: Site) -> None:
    note = html_document(site, meta={"security": [{**CONFIDENTIALITY, "code": "N"}]})
    site.poll()
    own = {"system": "http://example.org/labels", "code": "staff-record"}
    labelled = only(site, note)
    site.fhir.put({**labelled, "meta": {**labelled["meta"], "security": [own], "tag": [own]}})

    revised(
        site,
        note,
        meta={"security": [{**CONFIDENTIALITY, "code": "V"}]},
        securityLabel=[{"coding": [{"system": "http://example.org/labels", "code": "PSY"}]}],
    )
    site.poll()

    after = only(site, note)
    assert after["id"] == labelled["id"]
    assert {"AIAST", "V", "PSY", "staff-record"} <= codes(after, "security")
    assert "staff-record" in codes(after, "tag")
    assert after["confidentiality"] == "V"
    assert {"V", "PSY"} <= codes(extracted(site, after), "security")
    assert site.one_audit(after["id"]).ok


def test_labels_reach_a_summary_that_a_person_attested_and_change_nothing_else_in_it(site: Site) -> None:
    note = site.document(meta={"security": [{**CONFIDENTIALITY, "code": "N"}]})
    site.poll()
    theirs = signed(site, only(site, note))
    revised(site, note, meta={"security": [{**CONFIDENTIALITY, "code": "R"}]})
    site.poll()

    kept = site.fhir.get(f"Composition/{theirs['id']}")
    assert "R" in codes(kept, "security")
    assert {k: v for k, v in kept.items() if k != "meta"} == {k: v for k, v in theirs.items() if k != "meta"}
    (later,) = [c for c in site.written(reference(note)) if c["id"] != theirs["id"]]
    assert later["confidentiality"] == "R"


@hapi_alone
def test_a_label_that_came_without_a_new_version_is_found_by_the_audit_and_mended_by_retry(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    note = site.document()
    site.poll()
    label = {"name": "meta", "valueMeta": {"security": [{**CONFIDENTIALITY, "code": "R"}]}}
    added = site.fhir.send(
        "POST", f"{reference(note)}/$meta-add", {"resourceType": "Parameters", "parameter": [label]}
    )
    assert added.status_code == 200
    site.poll()
    found = {finding for finding, _ in site.one_audit(only(site, note)["id"]).findings}

    code, lines, _ = command(site, capsys, "retry", reference(note))

    assert found == {Finding.PROTECTION_LOWERED}
    assert (code, lines[0]["status"]) == (0, "written")
    assert site.one_audit(only(site, note)["id"]).ok
