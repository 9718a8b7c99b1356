"""What people see of an audit: differences, places, checks."""

from dataclasses import replace

import pytest

from fhir_adapter.audit.claims import Claims, Span
from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.record import Record
from fhir_adapter.audit.sources import SourceRead
from fhir_adapter.audit.standing import Standing, State
from fhir_adapter.audit.verdict import Audit, AuditedContext, AuditedSentence, Examined, Kind, SectionAudit
from fhir_adapter.note import Attachment, NoteText, Reading, SourceNote
from jobs.audits.checks import CHECKS, Check, Outcome, checked, headline, verdict
from jobs.audits.shown import Around, AuditRow, under
from jobs.audits.view import difference, found_rows, rows, said, segments

TEXT = "Pneumonia of the left lower lobe. Improving on ceftriaxone. Home tomorrow."
ONE, TWO = (0, 33), (34, 59)


def span(number: int, place: tuple[int, int]) -> Span:
    reference, path = "DocumentReference/1", "DocumentReference.content[0].attachment.data"
    return Span(reference, path, place[0], place[1] - place[0], f"s{number}", 0.5)


def sentence(place: tuple[int, int], shown: str = "") -> AuditedSentence:
    text = TEXT[slice(*place)]
    return AuditedSentence(*place, text, 0.5, shown in ("", text), shown or text)


def examined(
    *places: tuple[int, int],
    items: tuple[tuple[str, str], ...] | None = None,
    found: tuple[tuple[Finding, str], ...] = (),
    read: bool = True,
) -> Examined:
    """An audit of a summary whose spans are these."""
    if items is None:
        items = tuple((f"s{n}", TEXT[slice(*place)]) for n, place in enumerate(places, 1))
    shown = dict(items)
    claims = Claims(
        composition="Composition/1",
        status="preliminary",
        source="DocumentReference/1",
        source_url="http://fhir.example/DocumentReference/1/_history/2",
        source_texts=1,
        version="2",
        path="DocumentReference.content[0].attachment.data",
        unit="unicode-code-point",
        normalization="recipe|1",
        sha256="0" * 64,
        length=len(TEXT),
        pipeline="clinsum-0-abc",
        authors=("Device/1",),
        section_authors=("Device/1",),
        sections=1,
        spans=tuple(span(n, place) for n, place in enumerate(places, 1)),
        items=items,
        labels=frozenset(),
    )
    sentences = tuple(sentence(p, shown.get(f"s{n}", "")) for n, p in enumerate(places, 1))
    note = SourceNote("DocumentReference", "1", "2", "2025-01-01T00:00:00Z")
    reading = Reading(
        note, Attachment("DocumentReference.content[0].attachment"), NoteText(TEXT, "recipe|1", "")
    )
    resource = {"resourceType": "DocumentReference", "id": "1", "meta": {"versionId": "2"}}
    source = SourceRead(resource, resource, reading=reading) if read else SourceRead()
    if not read:
        sentences = tuple(replace(s, text="", ok=False) for s in sentences)
    record = Record("", "preliminary", "1", "", "", "", "N", "", False, (), ())
    audit = Audit("Composition/1", "DocumentReference/1", sentences, found, (), "2", "Device/1")
    section = SectionAudit(claims, sentences, source, read)
    return Examined(Kind.SUMMARY, audit, (section,), record)


def test_a_look_alike_is_marked_and_named() -> None:
    shown, text, named = difference(AuditedSentence(0, 11, "No aspirin.", 1.0, False, "No \u0430spirin."))
    assert shown == [("No ", False), ("\u0430", True), ("spirin.", False)]
    assert text == [("No ", False), ("a", True), ("spirin.", False)]
    assert named == "U+0430 CYRILLIC SMALL LETTER A instead of U+0061 LATIN SMALL LETTER A"


def test_what_is_lost_and_what_is_wholly_different() -> None:
    _, text, named = difference(AuditedSentence(0, 9, "No fever.", 1.0, False, "No fever"))
    assert text[-1] == (".", True)
    assert named == "nothing instead of U+002E FULL STOP"
    other = AuditedSentence(0, 9, "No fever.", 1.0, False, "Stop all tablets.")
    assert difference(other) == ([("Stop all tablets.", True)], [("No fever.", True)], "")


def test_two_changes_far_apart_are_two() -> None:
    text = "Aspirin 81 mg and ticagrelor 90 mg twice daily."
    shown = text.replace("81 mg", "81 g").replace("twice", "once")
    left, right, _ = difference(AuditedSentence(0, len(text), text, 1.0, False, shown))
    assert "".join(part for part, _ in left) == shown
    assert "".join(part for part, _ in right) == text
    assert ("m", True) in right
    assert any(not differs and "ticagrelor" in part for part, differs in right)


def test_a_control_character_shown_as_its_picture_is_no_difference() -> None:
    sentence = AuditedSentence(0, 4, "A\x00b.", 1.0, False, "A\u2400c.")
    assert difference(sentence)[1] == [("A\u2400", False), ("b", True), (".", False)]


def test_long_texts_that_differ_throughout_are_not_compared_letter_by_letter() -> None:
    shown, text, named = difference(AuditedSentence(0, 40000, "a" * 40000, 1.0, False, "ab" * 20000))
    assert "".join(part for part, _ in shown) == "ab" * 20000
    assert "".join(part for part, _ in text) == "a" * 40000
    assert named == ""


def test_rows_are_what_the_composition_shows_in_its_order() -> None:
    items = (("s9", "Stop aspirin."), ("s1", TEXT[slice(*ONE)]), ("s2", "Improving on ceftriaxon."))
    found = rows(examined(ONE, TWO, (60, 74), items=items))
    assert ["".join(part for part, _ in row.shown) for row in found] == [
        "Stop aspirin.",
        "Pneumonia of the left lower lobe.",
        "Improving on ceftriaxon.",
        "",
    ]
    assert [(row.ok, row.unread, len(row.places)) for row in found] == [
        (False, False, 0),
        (True, False, 1),
        (False, False, 1),
        (False, False, 1),
    ]
    assert [place.anchor for row in found for place in row.places] == ["c0-33", "c34-59", "c60-74"]


def test_an_item_that_shares_its_id_with_a_true_one_is_not_proven_by_it() -> None:
    items = (("s1", "Stop aspirin."), ("s1", TEXT[slice(*ONE)]))
    assert [row.ok for row in rows(examined(ONE, items=items))] == [False, True]


def test_without_the_note_nothing_is_known_of_any_place() -> None:
    found = rows(examined(ONE, read=False, found=((Finding.SOURCE_GONE, ""),)))
    assert [(row.ok, row.unread) for row in found] == [(False, True)]
    assert found[0].places[0].anchor == ""


@pytest.mark.parametrize(
    "places",
    [
        (ONE, TWO),
        (TWO, ONE),
        (ONE, (10, 20)),
        ((0, 40), (30, 50)),
        (ONE, ONE),
        (ONE, (60, 999)),
        ((-5, 3),),
        (),
    ],
)
def test_the_segments_are_the_text_whatever_the_places(places: tuple[tuple[int, int], ...]) -> None:
    shown = rows(examined(*places))
    parts = segments(TEXT, shown)
    assert "".join(part.text for part in parts) == TEXT
    anchors = [part.anchor for part in parts if part.anchor]
    assert len(anchors) == len(set(anchors))
    assert all(part.row in shown for part in parts if part.row)


def test_a_finding_names_the_row_that_it_is_about() -> None:
    items = (("s1", "Pneumonia of the right lower lobe."), ("s2", TEXT[slice(*TWO)]), ("s9", "Stop aspirin."))
    found = (
        (Finding.SENTENCE_ALTERED, "sentence 1"),
        (Finding.SENTENCE_ADDED, "sentence 3"),
        (Finding.LABEL_REMOVED, "AIAST"),
        (Finding.SENTENCE_REMOVED, "sentence 7"),
    )
    audit = examined(ONE, TWO, items=items, found=found)
    assert [one.row for one in found_rows(audit, rows(audit))] == [1, 3, 0, 0]


def test_every_finding_belongs_to_a_check() -> None:
    assert set(CHECKS) == set(Finding)
    assert set(CHECKS.values()) == set(Check)


def test_a_clean_audit_says_what_was_checked() -> None:
    audit = examined(ONE, TWO)
    outcomes = checked(audit)
    assert {one.outcome for one in outcomes} == {Outcome.HOLDS}
    assert all(len(one.words) > 20 for one in outcomes)
    told = verdict(audit, 2, 2)
    assert (told.outcome, told.headline) == (Outcome.HOLDS, "This summary holds")


def test_a_note_with_a_newer_version_makes_a_summary_outdated_and_no_forgery() -> None:
    found = ((Finding.SOURCE_CHANGED, "now version 3"),)
    audit = examined(ONE, found=found)
    state = State(Standing.OUTDATED, "The note has version 3 now; this was made from version 2.")
    audit = replace(audit, audit=replace(audit.audit, state=state))
    assert {one.check: one.outcome for one in checked(audit)}[Check.SOURCE] is Outcome.OVER
    told = verdict(audit, 1, 1)
    assert (told.outcome, told.headline) == (Outcome.OVER, "This summary is out of date")
    assert state.words in told.words
    assert headline(audit.audit).headline == told.headline


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.CURRENT])
def test_what_is_no_longer_current_never_holds(standing: Standing) -> None:
    whole, forged = examined(ONE), examined(ONE, found=((Finding.LABEL_REMOVED, "AIAST"),))
    for audit in (whole, forged):
        ended = replace(audit, audit=replace(audit.audit, state=State(standing, "For a reason.")))
        for one in (verdict(ended, 1, 1), headline(ended.audit)):
            assert "holds" not in one.headline
            assert "For a reason." in one.words
            assert one.outcome is (Outcome.OVER if audit is whole else Outcome.FAILS)
            assert ("does not hold" in one.headline) == (audit is forged)


@pytest.mark.parametrize(
    ("shown", "text", "words"),
    [
        ("Give 25 mg now.", "Give 2.5 mg now.", ("25 mg", "2.5 mg")),
        ("There is evidence of it.", "There is no evidence of it.", ("evidence", "no evidence")),
        ("Nodule of the left lobe.", "Nodule of the right lobe.", ("left lobe.", "right lobe.")),
        ("No fever", "No fever today", ("fever", "fever today")),
        ("No  fever", "No\nfever", ()),
    ],
)
def test_both_are_said_where_the_words_differ(shown: str, text: str, words: tuple[str, ...]) -> None:
    assert said(AuditedSentence(0, len(text), text, 0.5, False, shown)) == words


def test_a_sentence_whose_heading_was_altered_does_not_hold_and_its_words_do() -> None:
    text = TEXT[slice(*TWO)]
    heading = AuditedContext("heading", *ONE, TEXT[slice(*ONE)], False, "Pneumonia of the right lower lobe.")
    audit = examined(TWO)
    (section,) = audit.sections
    sentence = AuditedSentence(*TWO, text, 0.5, False, text, context=(heading,))
    audit = replace(audit, sections=(replace(section, sentences=(sentence,)),))
    (row,) = rows(audit)
    assert (row.ok, row.places[0].ok) == (False, True)
    assert row.before[0].said == ("right lower", "left lower")


def test_the_heading_of_two_sentences_is_told_once() -> None:
    heading = AuditedContext("heading", 0, 4, "PLAN", True, "PLAN")
    audit = examined(ONE, TWO)
    (section,) = audit.sections
    both = tuple(replace(one, context=(heading,), start=one.start + 9) for one in section.sentences)
    found = rows(replace(audit, sections=(replace(section, sentences=both),)))
    assert [[piece.first for piece in row.before] for row in found] == [[True], [False]]


def test_a_lead_in_that_is_the_sentence_above_is_not_told_again() -> None:
    audit = examined(ONE, TWO)
    (section,) = audit.sections
    first, second = section.sentences
    lead = AuditedContext("lead-in", first.start, first.end, first.text, True, first.text)
    led = (first, replace(second, context=(lead,)))
    found = rows(replace(audit, sections=(replace(section, sentences=led),)))
    assert [piece.first for piece in found[1].before] == [False]


@pytest.mark.parametrize(
    "finding",
    [f for f in Finding if f not in (Finding.NOT_OURS, Finding.SOURCE_CHANGED, Finding.COPY_CHANGED)],
)
def test_any_finding_fails_its_check_and_the_whole(finding: Finding) -> None:
    audit = examined(ONE, found=((finding, ""),))
    outcomes = {one.check: one.outcome for one in checked(audit)}
    assert outcomes.pop(CHECKS[finding]) is Outcome.FAILS
    assert set(outcomes.values()) == {Outcome.HOLDS}
    assert verdict(audit, 1, 1).outcome is Outcome.FAILS


def test_what_needs_the_text_is_unknown_without_it() -> None:
    audit = examined(ONE, read=False, found=((Finding.SOURCE_GONE, "the stated version"),))
    outcomes = {one.check: one.outcome for one in checked(audit)}
    assert outcomes[Check.SOURCE] is Outcome.FAILS
    for check in (Check.TEXT, Check.SENTENCES, Check.FILING, Check.PROTECTION):
        assert outcomes[check] is Outcome.UNKNOWN
    assert verdict(audit, 0, 1).outcome is Outcome.UNKNOWN


def test_a_summary_that_is_wrong_without_its_note_too_does_not_pass_for_unknown() -> None:
    found = ((Finding.SOURCE_GONE, ""), (Finding.LABEL_REMOVED, "AIAST"))
    assert verdict(examined(ONE, read=False, found=found), 0, 1).outcome is Outcome.FAILS


def test_what_is_none_of_ours_is_checked_for_nothing_else() -> None:
    audit = examined(ONE, read=False, found=((Finding.NOT_OURS, ""),))
    assert [one.outcome for one in checked(audit)] == [Outcome.FAILS, *[Outcome.UNKNOWN] * 6]


def test_what_stands_over_a_sentence_is_shown_anew_where_something_ends() -> None:
    def piece(start: int, kind: str = "heading") -> Around:
        return Around(kind, start, start + 4, True, [], [], ())

    def below(pieces: list[Around], above: list[AuditRow]) -> AuditRow:
        return under(AuditRow(len(above) + 1, [], (), tuple(pieces)), above)

    plan, allergy, sentence_above = piece(0), piece(9), piece(30, "antecedent")
    found: list[AuditRow] = []
    told = ([plan], [plan, allergy], [plan], [plan, sentence_above], [plan], [])
    for pieces in told:
        found.append(below(pieces, found))
    shown = [[each.start for each in row.before if each.first] for row in found]
    # The plan's heading comes again behind the allergy's; what one sentence alone leans on ends nothing.
    assert shown == [[0], [9], [0], [30], [], []]
    assert [row.apart for row in found] == [False] * 5 + [True]
