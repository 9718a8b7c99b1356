"""What rules found stands apart from the sentences, with its rule, its number and its context."""

from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter.audit.claims import read_claims
from fhir_adapter.audit.pinned import read_pinned
from fhir_adapter.errors import NoteError
from fhir_adapter.narrative import read_list
from fhir_adapter.writing.summary import SummaryDraft, composition
from summarizer.types import ContextKind, ContextSpan, LeftOut, LeftOutSection, Pinned, PinnedLine, PinnedRule
from tests.unit.fhir_adapter.builders import a_draft

TEXT = "PLAN:\nHome today. Metoprolol goes on.\nALLERGIES:\nPenicillin:\r\nhives.\nLatex.\n"
HEADING = ContextSpan(TEXT.index("ALLERGIES:"), TEXT.index("ALLERGIES:") + 10, ContextKind.HEADING)


def line(words: str, rule: str = "allergies", version: int = 2) -> PinnedLine:
    at = TEXT.index(words)
    return PinnedLine(at, at + len(words), words, rule, version, (HEADING,))


LINES = (line("Penicillin:\r\nhives."), line("Latex."))
RULES = (PinnedRule("allergies", 2, "Allergies", 2, 5),)


def written(lines: tuple[PinnedLine, ...] = LINES, **beside: Any) -> SummaryDraft:
    made = a_draft(TEXT, [(6, 17), (18, 37)])
    return replace(
        made, summary=replace(made.summary, pinned=Pinned(lines, RULES if lines else ()), **beside)
    )


def test_lines_stand_in_a_section_of_their_own_under_their_rule() -> None:
    resource = composition(written())

    first, second = resource["section"]
    assert (first["title"], second["title"]) == (
        "Extracted sentences (in the order of the note)",
        "Found by rule",
    )
    assert [anchor for anchor, _ in read_claims(resource).items] == ["s1", "s2"]
    pinned = read_pinned(resource)
    assert pinned is not None
    assert pinned.heads == ("Allergies (2 of 5 shown):",) * 2
    assert [text for _, text in pinned.lines.items] == ["Penicillin: hives.", "Latex."]
    assert [(rule.name, rule.shown, rule.found) for rule in pinned.rules] == [("allergies|2", 2, 5)]
    assert [(s.offset, s.length, s.rule, s.score) for s in pinned.lines.spans] == [
        (one.start, one.end - one.start, "https://clinsum.org/fhir/rules/allergies|2", None) for one in LINES
    ]
    assert [span.link for span in pinned.lines.contexts] == ["s1c1", "s2c1"]
    ids = [e["id"] for section in resource["section"] for e in section["extension"] if "id" in e]
    assert len(ids) == len(set(ids))


def test_where_no_rule_found_anything_nothing_is_said() -> None:
    resource = composition(written(()))
    assert len(resource["section"]) == 1
    assert read_pinned(resource) is None
    assert "rule" not in resource["text"]["div"]


def test_a_line_that_does_not_stand_in_the_note_is_never_written() -> None:
    moved = replace(LINES[1], start=LINES[1].start - 1, end=LINES[1].end - 1)
    with pytest.raises(NoteError, match="not-verbatim"):
        written((LINES[0], moved))


def test_our_words_before_a_line_are_no_part_of_a_list_of_sentences() -> None:
    div = composition(written())["section"][1]["text"]["div"]
    assert not read_list(div).plain


def test_what_was_not_chosen_and_what_was_remarkable_is_said_in_words_and_in_numbers() -> None:
    left_out = LeftOut((LeftOutSection("ALLERGIES", 2), LeftOutSection("LABS\r\nTODAY", 1)), 4)
    made = written(left_out=left_out)
    reading = replace(made.reading, text=replace(made.reading.text, notice="text on 3 of 7 pages"))
    resource = composition(replace(made, reading=reading))

    assert (
        "Not chosen: nothing from 2 sections (3 sentences), and 4 more sentences that scored high enough and "
        "found no place. On reading the note: text on 3 of 7 pages." in resource["text"]["div"]
    )
    claims = read_claims(resource)
    assert claims.notice == "text on 3 of 7 pages"
    assert claims.left_out == replace(
        left_out, sections=(left_out.sections[0], LeftOutSection("LABS TODAY", 1))
    )
    assert read_claims(composition(written())).left_out == LeftOut()
