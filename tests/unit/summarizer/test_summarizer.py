import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer import Budget, Document, EngineError, Summarizer, Summary
from summarizer.selection.select import count_words
from tests.unit.summarizer.tiny_models import WORDS

NOTE = """CHIEF COMPLAINT:
Cough for two weeks.

HISTORY OF PRESENT ILLNESS:
The patient is a 54-year-old man with a productive cough and low fevers. He denies chest pain.
He smokes one pack a day. His wife had a cold last week.

ASSESSMENT:
1. Pneumonia of the right lower lobe.
2. Tobacco use.

PLAN:
Start amoxicillin 500 mg three times a day. Repeat the chest x-ray in six weeks.

Dictated but not read.
"""

ENGINES = ("bertsum", "kmeans", "lead", "lexrank")


@pytest.fixture(scope="session")
def summarizers(make_bertsum: Callable[..., Path]) -> dict[str, Summarizer]:
    folder = make_bertsum()
    return {engine: Summarizer.from_pretrained(folder, engine, device="cpu") for engine in ENGINES}


@pytest.fixture(params=ENGINES)
def summarizer(request: pytest.FixtureRequest, summarizers: dict[str, Summarizer]) -> Summarizer:
    return summarizers[request.param]


def test_sentences_are_the_notes_own_in_its_own_order(summarizer: Summarizer) -> None:
    [result] = summarizer.summarize([NOTE], Budget(sentences=4))

    assert len(result.summary) == 4
    for sentence in result.summary:
        assert sentence.text == NOTE[sentence.start : sentence.end]
    assert [s.start for s in result.summary] == sorted(s.start for s in result.summary)
    assert {(s.start, s.end, s.score) for s in result.summary} <= {
        (s.start, s.end, s.score) for s in result.sentences
    }
    assert result.text_sha256 == hashlib.sha256(NOTE.encode()).hexdigest()
    assert result.length == len(NOTE)
    assert result.model == summarizer.model


def test_each_budget_is_kept(summarizer: Summarizer) -> None:
    by_words, by_ratio, by_default = (
        summarizer.summarize([NOTE], budget)[0] for budget in (Budget(words=12), Budget(ratio=0.5), None)
    )

    assert 0 < sum(count_words(s.text) for s in by_words.summary) <= 12
    assert len(by_ratio.summary) == -(-len(by_ratio.sentences) // 2)
    assert len(by_default.summary) == 3


REPEATING = (
    NOTE
    + "\nADDENDUM:\nHe denies chest pain. The patient is a 54-year-old man with a productive cough and low "
    "fevers since May. He smokes one pack a day.\n"
)


@pytest.mark.parametrize("engine", ["bertsum", "lead", "lexrank"])
def test_ranks_give_the_summary_of_every_length(engine: str, summarizers: dict[str, Summarizer]) -> None:
    summarizer = summarizers[engine]
    [result] = summarizer.summarize([REPEATING])

    ranks = summarizer.ranks(REPEATING, result)

    assert ranks is not None
    assert len(ranks) == len(result.sentences)
    assert sorted(r for r in ranks if r) == list(range(1, len(ranks) - 1))  # two sentences stand there twice
    for count in range(1, len(ranks) + 1):
        [asked] = summarizer.summarize([REPEATING], Budget(sentences=count))
        chosen = [s for s, r in zip(result.sentences, ranks, strict=True) if r and r <= count]
        assert [(s.start, s.section) for s in chosen] == [(s.start, s.section) for s in asked.summary]
    own = sorted(r for s, r in zip(result.sentences, ranks, strict=True) if s.start in _starts(result))
    assert own == list(range(1, len(result.summary) + 1))


def test_an_engine_that_chooses_anew_for_each_length_has_no_ranks(summarizers: dict[str, Summarizer]) -> None:
    [result] = summarizers["kmeans"].summarize([NOTE])
    assert summarizers["kmeans"].ranks(NOTE, result) is None


def _starts(result: Summary) -> set[int]:
    return {s.start for s in result.summary}


def test_headings_and_boilerplate_are_never_chosen_and_sections_are_named(summarizer: Summarizer) -> None:
    [result] = summarizer.summarize([NOTE], Budget(ratio=1))

    sections = {s.text: s.section for s in result.summary}
    assert sections["Pneumonia of the right lower lobe."] == "ASSESSMENT"
    assert sections["Repeat the chest x-ray in six weeks."] == "PLAN"
    assert not {"Dictated but not read.", "PLAN:", "1."} & set(sections)


def test_headings_that_the_format_declares_name_sections(summarizers: dict[str, Summarizer]) -> None:
    text = "Course in short\nShe did well.\n"

    [result] = summarizers["lead"].summarize([Document(text, [(0, 15, None)])])

    assert [(s.text, s.section) for s in result.summary] == [("She did well.", "Course in short")]


@pytest.mark.parametrize("text", ["", " \n\t", "PLAN:\n"])
def test_a_note_without_a_sentence_has_an_empty_summary(text: str, summarizer: Summarizer) -> None:
    results = summarizer.summarize([text, NOTE])

    assert (results[0].summary, results[0].sentences) == ((), ())
    assert len(results[1].summary) == 3


def test_no_texts_no_summaries(summarizer: Summarizer) -> None:
    assert summarizer.summarize([]) == []


def test_split_documents_have_offsets_into_their_joined_text(summarizer: Summarizer) -> None:
    document = ["fever today.", "", "no cough .", "  ", "chest pain"]

    [result] = summarizer.summarize_sentences([document], Budget(sentences=9))

    joined = "\n".join(document)
    assert [s.text for s in result.summary] == ["fever today.", "no cough .", "chest pain"]
    assert all(joined[s.start : s.end] == s.text for s in result.summary)
    assert result.length == len(joined)


def test_json_is_the_documented_shape(summarizers: dict[str, Summarizer]) -> None:
    [result] = summarizers["lead"].summarize_sentences([["Fever.", "Cough."]], Budget(sentences=1))

    assert json.loads(json.dumps(result.to_json())) == {
        "model": {"name": "lead", "sha256": "", "engine": "lead"},
        "text": {
            "sha256": hashlib.sha256(b"Fever.\nCough.").hexdigest(),
            "length": 13,
            "unit": "unicode-code-point",
        },
        "summary": [
            {
                "start": 0,
                "end": 6,
                "text": "Fever.",
                "score": 1.0,
                "section": None,
                "context": [],
                "flags": [],
            }
        ],
        "sentences": [{"start": 0, "end": 6, "score": 1.0}, {"start": 7, "end": 13, "score": 0.5}],
        "pinned": [],
        "pinned_rules": [],
        "left_out": {"sections": [], "sentences": 0},
    }


def test_device_and_precision_are_told(summarizers: dict[str, Summarizer]) -> None:
    assert (summarizers["kmeans"].device, summarizers["kmeans"].precision) == ("cpu", "fp32")
    assert (summarizers["lead"].device, summarizers["lead"].precision) == ("cpu", "")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(EngineError, match="no engine 'best'; the engines are bertsum, kmeans, lead, lexrank"):
        Summarizer.from_pretrained(engine="best")


SENTENCES = st.lists(st.sampled_from([*WORDS, "no fever", "[SEP]", "🩺", "\ud800"]), min_size=1, max_size=90)
DOCUMENTS = st.lists(st.lists(SENTENCES.map(" ".join), max_size=15), min_size=1, max_size=6)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15)
@given(documents=DOCUMENTS, seed=st.integers(0, 99))
def test_a_summary_is_the_same_in_any_company(
    engine: str, summarizers: dict[str, Summarizer], documents: list[list[str]], seed: int
) -> None:
    summarizer = summarizers[engine]

    together = summarizer.summarize_sentences(documents)

    order = list(range(len(documents)))
    random.Random(seed).shuffle(order)
    shuffled = summarizer.summarize_sentences([documents[i] for i in order])
    alone = [summarizer.summarize_sentences([document])[0] for document in documents]
    assert together == alone == [shuffled[order.index(i)] for i in range(len(order))]


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(codec=None), max_size=200), max_size=4))
def test_offsets_hold_for_any_text(summarizers: dict[str, Summarizer], texts: list[str]) -> None:
    for text, result in zip(texts, summarizers["lexrank"].summarize(texts), strict=True):
        assert all(text[s.start : s.end] == s.text for s in result.summary)
        assert all(s.start < s.end for s in result.sentences)


@pytest.fixture(scope="module")
def shipped() -> Summarizer:
    return Summarizer.from_pretrained(device="cpu")


def test_what_ships_summarises_a_note(shipped: Summarizer) -> None:
    [result] = shipped.summarize([NOTE], Budget(sentences=3))

    assert [sentence.text for sentence in result.summary] == [
        "Pneumonia of the right lower lobe.",
        "Start amoxicillin 500 mg three times a day.",
        "Repeat the chest x-ray in six weeks.",
    ]
    assert [sentence.section for sentence in result.summary] == ["ASSESSMENT", "PLAN", "PLAN"]
    assert (shipped.model.name, shipped.model.engine) == ("clinsum-bertsum-minilm", "bertsum")


def test_what_ships_gives_the_same_in_any_company(shipped: Summarizer) -> None:
    notes = [NOTE, NOTE[:200], NOTE.upper(), "Fever.", NOTE * 3, NOTE[150:]]

    together = shipped.summarize(notes)

    assert together == shipped.summarize(notes[::-1])[::-1]
    assert together == [shipped.summarize([note])[0] for note in notes]
