"""What a person has changed or attested is never overwritten: the next summary comes after it, for review."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.audit.findings import Finding
from fhir_adapter.writing.summary import written_id
from tests.contract.lives import (
    another,
    codes,
    ended,
    extracted,
    html_document,
    only,
    revised,
    sentences,
    signed,
    state,
)
from tests.contract.passes import Site, encoded, polled_in_thread, reference


def chain(site: Site, note: dict[str, Any], length: int) -> list[dict[str, Any]]:
    """The summaries of a note, oldest first, under the ids that each run and worker gives them."""
    name = site.options["PIPELINE"]
    ids = [written_id("Composition", reference(note), name, place) for place in range(1, length + 1)]
    assert site.fhir.search("Composition", entry=reference(note)) == sorted(ids)
    return [site.fhir.get(f"Composition/{i}") for i in ids]


def content(composition: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in composition.items() if name != "meta"}


def headline(composition: dict[str, Any]) -> None:
    composition["title"] += " (checked)"


def sentence(composition: dict[str, Any]) -> None:
    text = composition["section"][0]["text"]
    text["div"] = text["div"].replace("</ol>", "</ol><p>See also the X-ray.</p>")


def section(composition: dict[str, Any]) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Discussed with the patient.</p></div>'
    composition["section"].append({"title": "Comment", "text": {"status": "additional", "div": div}})


def signature(composition: dict[str, Any]) -> None:
    composition["attester"] = [{"mode": "personal"}]


def approval(composition: dict[str, Any]) -> None:
    composition["status"] = "final"


def rejection(composition: dict[str, Any]) -> None:
    composition["status"] = "entered-in-error"


def confidentiality(composition: dict[str, Any]) -> None:
    composition["confidentiality"] = "V"


@pytest.mark.parametrize(
    "change", [headline, sentence, section, signature, approval, rejection, confidentiality]
)
def test_the_next_summary_comes_after_a_persons_and_the_same_one_in_every_run(
    site: Site, tmp_path: Path, change: Any
) -> None:
    other = another(site, tmp_path / "lost.sqlite")
    note = html_document(site)
    site.poll()
    first = only(site, note)
    change(first)
    theirs = site.fhir.put(first)
    site.poll([reference(note)])
    (alone,) = chain(site, note, 1)

    revised(
        site, note, content=[{"attachment": {"contentType": "text/html", "data": encoded("<p>Better.</p>")}}]
    )
    ends, _ = site.poll()
    after = chain(site, note, 2)
    site.poll([reference(note)])
    lost, _ = other.poll()

    kept, later = chain(site, note, 2)
    assert content(kept) == content(alone) == content(theirs)
    assert kept["meta"]["versionId"] == theirs["meta"]["versionId"]
    assert ends[reference(note)].status == "written"
    assert ends[reference(note)].composition == later["id"]
    assert lost[reference(note)].status == "unchanged"
    assert later == after[1]
    assert later["meta"]["versionId"] == "1"
    assert later["status"] == "preliminary"
    assert "Better." in sentences(later)
    assert "needs-review" in codes(later, "tag")
    assert "needs-review" not in codes(kept, "tag")
    (relation,) = later["relatesTo"]
    assert relation["code"] == "replaces"
    assert relation["targetReference"]["reference"] == f"Composition/{kept['id']}"
    assert extracted(site, later)["id"] != extracted(site, kept)["id"]


def test_the_audit_knows_both_of_a_persons_summary_and_the_one_after_it(site: Site) -> None:
    note = html_document(site)
    site.poll()
    theirs = signed(site, only(site, note))
    revised(
        site, note, content=[{"attachment": {"contentType": "text/html", "data": encoded("<p>Better.</p>")}}]
    )
    before = [finding for finding, _ in site.one_audit(theirs["id"]).findings]
    site.poll()

    kept, later = chain(site, note, 2)
    assert before == [Finding.SOURCE_CHANGED]
    for composition in (kept, later):
        assert site.one_audit(composition["id"]).ok, site.one_audit(composition["id"]).findings
    site.fhir.put({**later, "relatesTo": []})
    assert {finding for finding, _ in site.one_audit(later["id"]).findings} == {Finding.ELEMENT_DIFFERS}


def test_the_one_after_follows_its_note_until_a_person_takes_that_over_too(site: Site) -> None:
    note = site.document()
    site.poll()
    signed(site, only(site, note))
    for text in ("Seen again. Better.", "Seen once more. Well."):
        revised(site, note, text)
        site.poll()
    _, second = chain(site, note, 2)
    assert "Well." in sentences(second)
    assert second["meta"]["versionId"] == "2"

    signed(site, second)
    revised(site, note, "Discharged. Well.")
    site.poll()
    _, second, third = chain(site, note, 3)
    assert second["status"] == "final"
    assert third["relatesTo"][0]["targetReference"]["reference"] == f"Composition/{second['id']}"
    assert "Discharged." in sentences(third)


def test_a_note_that_ends_leaves_a_persons_summary_and_takes_the_one_after_along(site: Site) -> None:
    note = site.document()
    site.poll()
    theirs = signed(site, only(site, note))
    revised(site, note, "Seen again. Better.")
    site.poll()
    revised(site, note, status="entered-in-error")
    ends, _ = site.poll()

    kept, later = chain(site, note, 2)
    assert content(kept) == content(theirs)
    assert state(later) == ("entered-in-error", "entered-in-error")
    assert ends[reference(note)].reason == "entered-in-error"


def test_labels_and_tags_of_others_are_no_change_and_stay(site: Site) -> None:
    note = site.document()
    site.poll()
    first = only(site, note)
    theirs = {"system": "http://example.org/tags", "code": "seen-by-ward-7"}
    tags = [*first["meta"]["tag"], theirs]
    site.fhir.put({**first, "meta": {**first["meta"], "tag": tags}})
    revised(site, note, "Seen again. Better.")
    site.poll()

    (after,) = chain(site, note, 1)
    assert "Better." in sentences(after)
    assert "seen-by-ward-7" in codes(after, "tag")
    assert ended(after) is None


def test_a_change_that_was_taken_back_leaves_the_chain_as_it_is(site: Site) -> None:
    note = site.document()
    site.poll()
    first = only(site, note)
    site.fhir.put({**first, "title": "Mine now"})
    revised(site, note, "Seen again. Better.")
    site.poll()
    site.fhir.put(first)
    revised(site, note, "Seen once more. Well.")
    site.poll()

    kept, later = chain(site, note, 2)
    assert content(kept) == content(first)
    assert "Well." in sentences(later)


def test_workers_that_meet_leave_one_summary_after_a_persons(site: Site, tmp_path: Path) -> None:
    workers = [another(site, tmp_path / f"worker{n}.sqlite") for n in range(3)]
    notes = [site.document(f"Note {number}. Seen today.") for number in range(8)]
    site.poll()
    for note in notes:
        signed(site, only(site, note))
        revised(site, note, "Seen again. Better.")

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(polled_in_thread, workers))

    for note in notes:
        assert {result[reference(note)] for result in results} <= {"written", "unchanged"}
        _, later = chain(site, note, 2)
        assert later["meta"]["versionId"] == "1"
        assert len(site.fhir.matches(site.fhir.get("Provenance", target=f"Composition/{later['id']}"))) == 1
