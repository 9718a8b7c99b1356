"""One text that is filed under several resources of a patient has one summary, which names them all."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.audit.findings import Finding
from jobs.cli import run
from jobs.timelines import timeline_of
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.copied import OTHER, WORDS, Json, named, owners, plain, report, versions, whole
from tests.contract.lives import another, command, of_its_own, only, revised, signed, state
from tests.contract.passes import Site, polled_in_thread, reference


@pytest.fixture
def ward(site: Site) -> Site:
    return of_its_own(site)


@pytest.fixture
def whose(patient: str) -> Json:
    """The subject of a patient's notes."""
    return {"subject": {"reference": patient}}


def test_a_document_and_a_report_of_one_text_share_a_summary(ward: Site, whose: Json) -> None:
    note, result = ward.document(WORDS, **whose), report(ward, **whose)

    outcomes, totals = ward.poll()

    owner = whole(ward, note, result)
    copy = outcomes[({reference(note), reference(result)} - {owner}).pop()]
    assert outcomes[owner].status == "written"
    assert (copy.status, copy.reason, copy.composition) == ("skipped", "copy", outcomes[owner].composition)
    assert totals.by_reason["copy"] >= 1


def test_nothing_is_written_twice_and_a_lost_ledger_finds_the_same(
    ward: Site, whose: Json, tmp_path: Path
) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(3)]
    ward.poll()
    owner = whole(ward, *notes)
    before = versions(ward, *notes)

    again, _ = ward.poll()
    with_nothing = Site(ward.fhir, tmp_path / "other.sqlite", ward.options)
    anew, _ = with_nothing.poll([reference(note) for note in notes])

    assert {one.status for one in again.values()} <= {"unchanged"}
    assert {s: one.reason for s, one in anew.items()} == {
        reference(note): "" if reference(note) == owner else "copy" for note in notes
    }
    assert versions(ward, *notes) == before


def test_other_patients_and_notes_of_nobody_share_none(ward: Site, whose: Json, fhir: Any) -> None:
    other = {"subject": {"reference": reference(fhir.put({"resourceType": "Patient", "id": new_id("p")}))}}
    notes = [ward.document(WORDS, **one) for one in (whose, other, {}, {})]

    ward.poll()

    assert owners(ward, *notes) == [reference(note) for note in notes]


def test_the_same_words_on_two_days_or_in_two_stays_are_two_notes(ward: Site, whose: Json, fhir: Any) -> None:
    days = [report(ward, effectiveDateTime=day, **whose) for day in ("2026-03-02", "2026-03-06")]
    ward.poll()
    assert len(owners(ward, *days)) == 2
    stays = [{"encounter": {"reference": reference(fhir.put(_stay(whose["subject"])))}} for _ in range(2)]
    notes = [report(ward, OTHER, **whose, **stay) for stay in stays]
    ward.poll()
    assert len(owners(ward, *notes)) == 2


def _stay(subject: Json) -> Json:
    return {
        "resourceType": "Encounter",
        "id": new_id("stay"),
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": subject,
    }


def test_the_one_that_names_the_stay_has_the_summary(ward: Site, whose: Json, fhir: Any) -> None:
    note = ward.document(WORDS, **whose)
    ward.poll()
    result = report(ward, **whose, encounter={"reference": reference(fhir.put(_stay(whose["subject"])))})

    ward.poll()

    assert whole(ward, note, result) == reference(result)
    second = only(ward, note)
    assert state(second) == ("entered-in-error", "copy")
    assert ward.one_audit(second["id"]).ok


def test_a_note_that_is_protected_otherwise_is_no_copy(ward: Site, whose: Json) -> None:
    secret = {"meta": {"security": [{"system": canonical.CONFIDENTIALITY, "code": "R"}]}}
    notes = [ward.document(WORDS, **whose), ward.document(WORDS, **whose, **secret)]

    ward.poll()

    assert len(owners(ward, *notes)) == 2


def test_a_copy_whose_text_changes_has_its_own_and_is_named_no_more(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose), report(ward, **whose)]
    ward.poll()
    owner = whole(ward, *notes)
    first, copy = sorted(notes, key=lambda note: reference(note) != owner)

    changed = copy["resourceType"] == "DocumentReference"
    element = {"content": [{"attachment": plain(OTHER)}]} if changed else {"presentedForm": [plain(OTHER)]}
    ward.fhir.put({**ward.fhir.get(reference(copy)), **element})
    ward.poll()

    assert sorted(owners(ward, *notes)) == sorted(map(reference, notes))
    assert named(ward, only(ward, first)) == {reference(first)}
    assert named(ward, only(ward, copy)) == {reference(copy)}


def test_copies_are_not_left_without_a_summary_when_the_first_changes(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(3)]
    ward.poll()
    owner = whole(ward, *notes)
    (first,) = [note for note in notes if reference(note) == owner]
    rest = [note for note in notes if reference(note) != owner]

    revised(ward, first, OTHER)
    outcomes, _ = ward.poll()

    assert outcomes[owner].status == "written"
    assert named(ward, only(ward, first)) == {owner}
    whole(ward, *rest)


@pytest.mark.parametrize("change", ["entered-in-error", "superseded", "moved"])
def test_copies_are_not_left_without_a_summary_when_the_first_ends(
    ward: Site, whose: Json, fhir: Any, change: str
) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(3)]
    ward.poll()
    owner = whole(ward, *notes)
    (first,) = [note for note in notes if reference(note) == owner]
    rest = [note for note in notes if reference(note) != owner]

    if change == "entered-in-error":
        revised(ward, first, status="entered-in-error")
    elif change == "superseded":
        target = {"code": "replaces", "target": {"reference": owner}}
        ward.document(OTHER, relatesTo=[target], **whose)
    else:
        other = reference(fhir.put({"resourceType": "Patient", "id": new_id("p")}))
        revised(ward, first, subject={"reference": other})
    ward.poll()

    whole(ward, *rest)
    if change == "moved":
        assert named(ward, only(ward, first)) == {owner}


def test_a_copy_that_ends_is_named_no_more_and_one_that_is_back_is(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(2)]
    ward.poll()
    owner = whole(ward, *notes)
    (copy,) = [note for note in notes if reference(note) != owner]

    revised(ward, copy, status="entered-in-error")
    ward.poll()
    (first,) = ward.written(owner)
    assert named(ward, first) == {owner}
    revised(ward, copy, status="current")
    ward.poll()

    assert whole(ward, *notes) == owner


def test_a_deleted_first_leaves_its_copies_a_summary(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(3)]
    ward.poll()
    owner = whole(ward, *notes)

    status = ward.fhir.send("DELETE", owner).status_code
    ward.poll()

    if ward.fhir.server.engine == "hapi":  # deletes no note that a summary refers to
        assert status == 409
        assert whole(ward, *notes) == owner
        return
    assert status in (200, 204)
    whole(ward, *[note for note in notes if reference(note) != owner])


def test_a_withdrawn_first_leaves_its_copies_a_summary(
    ward: Site, whose: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(2)]
    ward.poll()
    owner = whole(ward, *notes)
    (copy,) = [note for note in notes if reference(note) != owner]

    assert command(ward, capsys, "withdraw", "--source", owner)[0] == 0
    ward.poll()

    (first,) = ward.written(owner)
    assert state(first) == ("entered-in-error", "source-withdrawn")
    assert owners(ward, *notes) == [reference(copy)]


def test_a_persons_summary_stays_beside_that_of_a_copy(ward: Site, whose: Json, tmp_path: Path) -> None:
    note = ward.document(WORDS, **whose)
    ward.poll()
    signed(ward, only(ward, note))
    copy = ward.document(WORDS, **whose)

    ward.poll()
    another(ward, tmp_path / "b.sqlite").poll([reference(note), reference(copy)])

    assert named(ward, only(ward, note)) == {reference(note), reference(copy)}
    assert owners(ward, note, copy) == [reference(note)]


def test_a_persons_summary_of_an_earlier_text_names_no_copy_any_more(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(2)]
    ward.poll()
    owner = whole(ward, *notes)
    first, copy = sorted(notes, key=lambda note: reference(note) != owner)
    person = signed(ward, only(ward, first))

    revised(ward, first, OTHER)
    ward.poll()

    assert named(ward, person) == {owner}
    assert named(ward, only(ward, copy)) == {reference(copy)}


def test_two_contents_that_are_the_same_are_read_once(ward: Site, whose: Json) -> None:
    note = ward.document(content=[{"attachment": plain(WORDS)}] * 2, **whose)
    result = report(ward, **whose)

    ward.poll()

    whole(ward, note, result)


def test_pollers_with_ledgers_of_their_own_come_to_one_summary(
    ward: Site, whose: Json, tmp_path: Path
) -> None:
    sites = [ward, another(ward, tmp_path / "b.sqlite"), another(ward, tmp_path / "c.sqlite")]
    notes = [ward.document(WORDS, **whose) for _ in range(4)] + [report(ward, **whose)]

    with ThreadPoolExecutor(len(sites)) as pool:
        list(pool.map(polled_in_thread, sites))
    for one in sites:  # whoever wrote first may not have seen who wrote last
        one.poll()

    whole(ward, *notes)


def test_what_is_named_and_does_not_hold_the_text_is_found(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(2)]
    stranger = ward.document(OTHER, **whose)
    ward.poll()
    owner = whole(ward, *notes)
    (copy,) = [note for note in notes if reference(note) != owner]
    (composition,) = ward.written(owner)
    (link,) = ward.fhir.matches(ward.fhir.get("Provenance", entity=reference(copy)))

    link["entity"][0]["what"]["reference"] = reference(stranger)
    ward.fhir.put(link)
    (found,) = ward.one_audit(composition["id"]).findings
    assert found == (Finding.COPY_DIFFERS, f"{reference(stranger)}: another text")


def test_a_copy_with_a_newer_version_is_found_until_the_next_pass(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(2)]
    ward.poll()
    owner = whole(ward, *notes)
    (copy,) = [note for note in notes if reference(note) != owner]
    (composition,) = ward.written(owner)

    revised(ward, copy, description="Filed again")
    audit = ward.one_audit(composition["id"])
    assert [finding for finding, _ in audit.findings] == [Finding.COPY_CHANGED]
    assert audit.sound
    ward.poll()

    audit = ward.one_audit(composition["id"])
    assert audit.ok
    assert [(one.source, one.version) for one in audit.copies] == [(reference(copy), "2")]


def test_what_came_from_a_copy_is_withdrawn_and_erased(
    ward: Site, whose: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = [ward.document(WORDS, **whose) for _ in range(3)]
    ward.poll()
    owner = whole(ward, *notes)
    copy, other = (note for note in notes if reference(note) != owner)
    (composition,) = ward.written(owner)

    code, lines, _ = command(ward, capsys, "withdraw", "--source", reference(copy))
    assert (code, [line["status"] for line in lines]) == (0, ["withdrawn"])
    again, _ = ward.poll([reference(copy)])
    assert again[reference(copy)].reason == "withdrawn"
    assert named(ward, composition) == {owner, reference(other)}
    command(ward, capsys, "withdraw", "--source", reference(copy), "--undo")
    ward.poll([reference(copy)])
    assert whole(ward, *notes) == owner

    assert run(["erase", "--source", owner, "--yes", *_sets(ward)]) == 0
    ward.poll([reference(copy), reference(other)])
    assert named(ward, composition) == set()
    whole(ward, copy, other)


def _sets(site: Site) -> Iterator[str]:
    for name in ("FHIR_BASE_URL", "DATABASE_URL", "PIPELINE"):
        yield f"--set={name}={getattr(site.settings, name.lower())}"


def test_a_timeline_shows_a_text_once_and_says_where_else_it_is_filed(ward: Site, whose: Json) -> None:
    notes = [ward.document(WORDS, **whose), report(ward, **whose)]
    ward.poll()
    owner = whole(ward, *notes)
    (copy,) = [note for note in notes if reference(note) != owner]

    timeline, _ = asyncio.run(
        timeline_of(ward.settings, whose["subject"]["reference"], since="", until="", write=False)
    )

    (entry,) = timeline.to_json()["entries"]
    assert (entry["source"], entry["copies"]) == (owner, [reference(copy)])
    assert timeline.to_json()["without_summary"] == []


def test_where_the_server_gives_out_the_ids(assigning_embedded: FhirServer, tmp_path: Path) -> None:
    fhir = Fhir(assigning_embedded)
    with fhir.http:
        site = of_its_own(Site(fhir, tmp_path / "ledger.sqlite"))
        whose = {"subject": {"reference": _created(site, {"resourceType": "Patient"})}}
        body = {"resourceType": "DocumentReference", "status": "current", **whose}
        document = {**body, "content": [{"attachment": plain(WORDS)}]}
        notes = [site.fhir.get(_created(site, document)) for _ in range(3)]

        site.poll()
        owner = whole(site, *notes)
        before = versions(site, *notes)
        Site(fhir, tmp_path / "other.sqlite", site.options).poll([reference(note) for note in notes])
        assert versions(site, *notes) == before

        (first,) = [note for note in notes if reference(note) == owner]
        revised(site, first, OTHER)
        Site(fhir, tmp_path / "third.sqlite", site.options).poll([reference(note) for note in notes])
        whole(site, *[note for note in notes if note is not first])


def _created(site: Site, resource: Json) -> str:
    answer = site.fhir.send("POST", resource["resourceType"], resource)
    assert answer.status_code == 201, answer.text
    return reference(answer.json())
