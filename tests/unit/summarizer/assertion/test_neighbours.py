"""What leans on its neighbour, and what a later line corrects; instances in tests/gold/neighbours."""

from dataclasses import replace

import pytest

from summarizer.assertion.corrections import correction_matcher
from summarizer.assertion.leaning import leaning_matcher, leans
from summarizer.assertion.rules import neighbour_rules
from summarizer.assertion.spacy_component import SpacyRuleMatcher
from summarizer.assertion.statements import with_neighbours
from summarizer.assertion.words import END, START, tokens
from summarizer.segmentation.segment import segment
from summarizer.summarizer import Summarizer
from summarizer.types import Budget, ContextKind, ContextSpan, Segmentation, Sentence
from tests.places import GOLD


def rows(name: str) -> list[str]:
    lines = (GOLD / "neighbours" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read(row: str) -> tuple[str, tuple[Sentence, ...]]:
    note = "\n".join(part.strip() for part in row.split(" / "))
    return note, with_neighbours(note, segment(note)).sentences


def pieces(note: str, sentence: Sentence, kind: ContextKind) -> list[str]:
    return [note[c.start : c.end] for c in sentence.context if c.kind is kind]


def sentence_with(note: str, sentences: tuple[Sentence, ...], words: str) -> Sentence:
    return next(s for s in sentences if words in note[s.start : s.end])


ANTECEDENTS, STANDING = rows("antecedents"), rows("standing")
CORRECTIONS, UNCORRECTED = rows("corrections"), rows("uncorrected")


def test_there_are_forty_instances_of_each():
    assert len(ANTECEDENTS) >= 40
    assert len(CORRECTIONS) >= 40
    assert len(STANDING) + len(UNCORRECTED) >= 40


@pytest.mark.parametrize("row", ANTECEDENTS)
def test_a_sentence_that_leans_takes_the_one_before_along(row: str):
    note, sentences = read(row)
    before = sentences[-2]
    assert note[before.start : before.end] in pieces(note, sentences[-1], ContextKind.ANTECEDENT)
    assert not pieces(note, sentences[0], ContextKind.ANTECEDENT)


@pytest.mark.parametrize("row", STANDING)
def test_a_sentence_that_stands_alone_takes_nothing_along(row: str):
    note, sentences = read(row)
    neighbours = {ContextKind.ANTECEDENT, ContextKind.CORRECTION}
    assert [note[s.start : s.end] for s in sentences if neighbours & {c.kind for c in s.context}] == []


@pytest.mark.parametrize("row", CORRECTIONS)
def test_what_is_corrected_is_shown_with_its_correction(row: str):
    shown, earlier, later = (part.strip() for part in row.split("|"))
    note, sentences = read(shown)
    corrected = sentence_with(note, sentences, earlier)
    found = pieces(note, corrected, ContextKind.CORRECTION)
    assert any(later in piece for piece in found), found


@pytest.mark.parametrize("row", UNCORRECTED)
def test_what_is_not_corrected_is_shown_alone(row: str):
    note, sentences = read(row)
    assert [pieces(note, s, ContextKind.CORRECTION) for s in sentences] == [[]] * len(sentences)


@pytest.mark.parametrize(
    "row", [*ANTECEDENTS, *STANDING, *UNCORRECTED, *(r.split("|")[0] for r in CORRECTIONS)]
)
def test_context_is_in_order_disjoint_and_outside_the_sentence(row: str):
    note, sentences = read(row.strip())
    for sentence in sentences:
        spans = [(c.start, c.end) for c in sentence.context]
        assert spans == sorted(spans)
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert all(end <= sentence.start or sentence.end <= start for start, end in spans)
        assert all(note[start:end] == note[start:end].strip() for start, end in spans)


def test_words_that_correct_are_shown_with_what_they_correct_and_the_heading_on_their_line():
    note, sentences = read(
        "FINDINGS: Cyst in the left kidney. / ADDENDUM: The cyst is in the right kidney, not the left."
    )
    corrected, correcting = sentences
    assert pieces(note, corrected, ContextKind.CORRECTION) == [
        "ADDENDUM: The cyst is in the right kidney, not the left."
    ]
    assert pieces(note, correcting, ContextKind.CORRECTION) == ["FINDINGS: Cyst in the left kidney."]


def test_a_wrong_side_is_corrected_wherever_it_stands():
    note, sentences = read(
        "FINDINGS: Cyst in the left kidney. Liver normal. / IMPRESSION: Left kidney cyst. / "
        "ADDENDUM: The cyst is in the right kidney, not the left."
    )
    having = [note[s.start : s.end] for s in sentences if pieces(note, s, ContextKind.CORRECTION)]
    assert "Cyst in the left kidney." in having
    assert "Left kidney cyst." in having
    assert "Liver normal." not in having


def test_the_last_of_several_changes_holds():
    note, sentences = read("Heparin was started. / Heparin was stopped. / Heparin was restarted.")
    assert pieces(note, sentences[0], ContextKind.CORRECTION) == []
    assert pieces(note, sentences[1], ContextKind.CORRECTION) == ["Heparin was restarted."]
    assert pieces(note, sentences[2], ContextKind.CORRECTION) == []


def test_a_chain_of_leaning_sentences_goes_back_to_the_one_that_stands():
    note, sentences = read("A cyst was seen. It was drained. This was painful.")
    assert pieces(note, sentences[2], ContextKind.ANTECEDENT) == ["A cyst was seen.", "It was drained."]


def test_a_neighbour_brings_its_lead_in_along():
    text = "Stop:\nWarfarin\nResume after surgery."
    lead = ContextSpan(0, 5, ContextKind.LEAD_IN)
    parts = Segmentation((Sentence(6, 14, context=(lead,)), Sentence(15, 36)))
    second = with_neighbours(text, parts).sentences[1]
    assert pieces(text, second, ContextKind.ANTECEDENT) == ["Stop:", "Warfarin"]


def test_a_neighbour_of_another_section_is_none():
    text = "He had a cyst. It was drained."
    parts = Segmentation((Sentence(0, 14, 0), Sentence(15, 30, 1)))
    assert with_neighbours(text, parts) == parts
    joined = replace(parts, sentences=tuple(replace(s, section=0) for s in parts.sentences))
    assert with_neighbours(text, joined) != joined


def test_a_table_row_leans_on_nothing():
    text = "Drug a\nStopped | today"
    parts = Segmentation((Sentence(0, 6), Sentence(7, 22)))
    assert with_neighbours(text, parts) == parts


def test_small_letters_go_on_from_a_broken_sentence_but_not_in_a_note_of_small_letters():
    broken = "The tube was seen,\nwith the lung down. All else is clear. No fever. No pain."
    parts = Segmentation(
        (Sentence(0, 18), Sentence(19, 38), Sentence(39, 57), Sentence(58, 67), Sentence(68, 76))
    )
    found = with_neighbours(broken, parts).sentences
    assert [pieces(broken, s, ContextKind.ANTECEDENT) for s in found] == [
        [],
        ["The tube was seen,"],
        [],
        [],
        [],
    ]
    small = broken.lower()
    assert with_neighbours(small, parts) == parts


def test_the_pronoun_of_a_relative_is_not_the_patients():
    assert leans(tokens("He died at 60."), tokens("His father had a stroke."))
    assert not leans(tokens("She died at 60."), tokens("His father had a stroke."))
    assert not leans(tokens("He smokes."), tokens("Lives with his father."))


def test_a_summary_shows_the_correction_of_what_it_chooses():
    note = "Code status: DNR.\nShe is weak.\nShe is now full code."
    [summary] = Summarizer.from_pretrained(engine="lead").summarize([note], Budget(sentences=1))
    [chosen] = summary.summary
    assert [(note[c.start : c.end], c.kind) for c in chosen.context] == [
        ("She is now full code.", ContextKind.CORRECTION)
    ]


@pytest.mark.parametrize("name", ["leaning.txt", "corrections.txt"])
def test_every_rule_on_neighbours_matches_its_own_words_in_spacy_too(name: str):
    rules = neighbour_rules(name)
    ours = leaning_matcher() if name == "leaning.txt" else correction_matcher()
    theirs = SpacyRuleMatcher(rules)
    classes = {"<n>": "7", "<year>": "2011", "~": "x"}
    for number, rule in enumerate(rules):
        for pattern in rule.patterns:
            words = [min(e.words) if e.words else classes[e.kind] for e in pattern]
            assert any(m.rule == number and m.end - m.start == len(words) for m in ours(words)), rule.term
            assert ours(words) == theirs(words)
    for row in (*ANTECEDENTS, *CORRECTIONS):
        words = [START, *tokens(row), END]
        assert ours(words) == theirs(words)
