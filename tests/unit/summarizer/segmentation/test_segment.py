import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.segmentation.labels import APART
from summarizer.segmentation.run_on import MAX_TOKENS
from summarizer.segmentation.segment import segment
from summarizer.segmentation.spacy_component import COMPONENT, nlp
from summarizer.types import SectionKind, Segmentation

WORDS = st.sampled_from(
    (
        "PLAN: HEENT: Neck: Temp: 98.6 F 1. 2. 12. a. iv. - * # o • ** ## Dr. vs. p.o. b.i.d. e.g. No. 3 mg. "
        "2.5mg.Next pain.,MEDICATIONS:, The patient denies fever , ; ( ) [**2020-1-1**] [** ... … ' ” ?! 。 "
        "| |--- ---- ____ \t . \n \n\n \r\n \r \x0c \u2028 \x85 \u00a0 \u200b Sincerely, Dear Page 1 of 2 "
        "Dictated but not read AXIS I. AXIS V: Lungs ASSESSMENT AND PLAN émigré 患者 😀 Label: value "
        "10:40 PM 1992 :, :: .,"
    ).split(" ")
)
NOTES = st.one_of(
    st.text(max_size=200),
    st.lists(WORDS, max_size=60).map(" ".join),
    st.lists(WORDS, max_size=60).map("".join),
)


def spans_of(found: Segmentation) -> list[tuple[int, int]]:
    groups = (found.sentences, found.headings, found.markers, found.boilerplate)
    return sorted((span.start, span.end) for group in groups for span in group)


def check_invariants(text: str, found: Segmentation) -> None:
    at = 0
    for start, end in spans_of(found):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()
    for group in (found.sentences, found.headings, found.markers, found.boilerplate):
        assert list(group) == sorted(group, key=lambda span: span.start)
    # A section begins at its heading, or at a sentence that holds its label (`Allergies: none.`).
    opened = {heading.start: heading.end for heading in found.headings}
    opened |= {sentence.start: sentence.end for sentence in found.sentences}
    assert {section.start for section in found.sections} >= {heading.start for heading in found.headings}
    for section in found.sections:
        assert opened[section.start] <= section.end
        assert text[section.start : section.end] == text[section.start : section.end].strip()
    for sentence in found.sentences:
        before = [i for i, section in enumerate(found.sections) if section.start <= sentence.start]
        # A section ends at the next heading, or with a line: of a field, a list, an indented text. Inside
        # a line a label of another matter ends it (`Code status: DNR.`), or a greeting without its line.
        ended = before and found.sections[before[-1]].end <= sentence.start
        if ended:
            section = found.sections[before[-1]]
            line = text[text.rfind("\n", 0, section.start) + 1 : section.start]
            assert (
                line.strip()
                or len(text[section.start : sentence.start + 1].splitlines()) > 1
                or _begins_apart(text[section.end : sentence.end])
                or any(
                    section.end <= each.start < sentence.start
                    and text[each.start : each.start + 4].lower() in ("dear", "to w")
                    for each in found.boilerplate
                )
            )
        assert sentence.section == (before[-1] if before and not ended else None)
        last = 0
        for piece in sentence.context:
            assert last <= piece.start < piece.end <= len(text)
            assert piece.end <= sentence.start or piece.start >= sentence.end
            assert text[piece.start : piece.end] == text[piece.start : piece.end].strip()
            last = piece.start


def _begins_apart(text: str) -> bool:
    return any(
        line.partition(":")[0].strip().lower() in APART for line in text.replace(".", "\n").split("\n")
    )


@given(NOTES)
@settings(max_examples=600)
def test_every_character_is_in_exactly_one_span(text: str) -> None:
    check_invariants(text, segment(text))


@given(NOTES, NOTES)
@settings(max_examples=300)
def test_no_sentence_crosses_a_blank_line(above: str, below: str) -> None:
    text = above + "\n\n" + below
    cut = len(above)
    assert not any(s.start < cut and s.end > cut + 2 for s in segment(text).sentences)


@given(
    st.lists(
        st.sampled_from(["No fever", "stable.", "Aspirin 81 mg p.o.", "see Dr.", "the left and", "x"]),
        min_size=1,
        max_size=9,
    )
)
def test_no_sentence_crosses_an_item(items: list[str]) -> None:
    text = "\n".join(f"- {item}" for item in items)
    found = segment(text)
    assert len(found.markers) == len(items)
    assert all("\n" not in text[s.start : s.end] for s in found.sentences)


@given(NOTES, st.data())
@settings(max_examples=200)
def test_declared_headings_are_kept(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6)))
    declared = [(a, b, None) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    found = segment(text, declared)
    check_invariants(text, found)
    headings = {(span.start, span.end) for span in found.headings}
    for start, end, _ in declared:
        piece = text[start:end]
        if piece.strip():
            start += len(piece) - len(piece.lstrip())
            assert (start, start + len(piece.strip())) in headings


@given(NOTES)
@settings(max_examples=150)
def test_the_component_has_the_same_spans(text: str) -> None:
    doc = PIPELINE(text)
    assert doc.text == text
    found = segment(text)
    assert [(s.start_char, s.end_char) for s in doc.spans["sentences"]] == [
        (s.start, s.end) for s in found.sentences
    ]
    assert {s.start_char for s in doc.sents} >= {start for start, _ in spans_of(found)}


PIPELINE = nlp()


def test_the_component_splits_a_token_that_a_boundary_runs_through() -> None:
    doc = PIPELINE("Gave ketorolac 2.5mg.Next dose at noon.")
    assert [s.text for s in doc.spans["sentences"]] == ["Gave ketorolac 2.5mg.", "Next dose at noon."]
    assert PIPELINE.pipe_names == [COMPONENT]


ADVERSARIAL = {
    "full stops": "." * 250_000,
    "spaced full stops": ". " * 125_000,
    "spaces": " " * 250_000,
    "line ends": "\n" * 250_000,
    "one word": "a" * 250_000,
    "one line": "word " * 50_000,
    "colons": "A: " * 75_000,
    "numbers": "1. " * 75_000,
    "open brackets": "[** a. " * 35_000,
    "parentheses": ". (" * 75_000,
    "tabs": "a" + "\t" * 250_000 + "b",
    "gaps": "a   b " * 40_000,
    "quotation marks": '."' * 125_000,
    "short lines": "a\n" * 50_000,
    "abbreviations": "Dr. " * 62_500,
    "commas": "ABC,DEF " * 31_250,
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_quarter_megabyte_of_anything_is_done_in_linear_time(name: str) -> None:
    # Anything quadratic would take many minutes here.
    text = ADVERSARIAL[name]
    found = segment(text)
    assert sum(end - start - _white(text[start:end]) for start, end in spans_of(found)) == len(text) - _white(
        text
    )


def _white(text: str) -> int:
    return len(text) - len("".join(text.split()))


def test_a_run_on_is_cut_at_its_best_inner_boundaries() -> None:
    clause = "he was seen again and had no new complaint and his pressure was good, "
    text = "Briefly, " + (clause * 9 + "and he went home; ") * 8
    found = segment(text)
    check_invariants(text, found)
    pieces = [text[s.start : s.end] for s in found.sentences]
    assert len(pieces) > 2
    assert all(len(piece.split()) <= MAX_TOKENS for piece in pieces)
    assert all(piece.endswith(";") for piece in pieces)


def test_sections_carry_kind_title_and_extent() -> None:
    text = "PMH: Asthma.\nPHYSICAL EXAMINATION:\nLUNGS: Clear.\nImpression and Plan:\n1. Rest."
    found = segment(text)
    assert [(s.title, s.kind) for s in found.sections] == [
        ("PMH", SectionKind.PAST_HISTORY),
        ("PHYSICAL EXAMINATION", SectionKind.EXAM),
        ("LUNGS", SectionKind.EXAM),
        ("Impression and Plan", SectionKind.ASSESSMENT),
    ]
    assert text[found.sections[0].start : found.sections[0].end] == "PMH: Asthma."
    assert [s.section for s in found.sentences] == [0, 2, 3]


def test_a_declared_heading_is_mapped_by_its_code() -> None:
    found = segment("Zwischenanamnese\nKein Fieber.", [(0, 16, "10164-2")])
    assert found.sections[0].kind is SectionKind.HISTORY


@pytest.mark.parametrize("headings", [[(0, 99, None)], [(4, 6, None), (5, 8, None)], [(6, 4, None)]])
def test_declared_headings_must_be_in_order(headings: list[tuple[int, int, None]]) -> None:
    with pytest.raises(ValueError, match="ordered"):
        segment("PLAN: rest.", headings)


def test_splitting_a_note_loads_neither_spacy_nor_torch() -> None:
    code = (
        "import sys, summarizer.segmentation.segment; print({'spacy', 'torch', 'numpy'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
