from collections.abc import Sequence

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from jobs.passes.scoring import Scorer
from summarizer import Summarizer
from summarizer.types import Budget, Document, ModelInfo, Summary


class Brittle(Summarizer):
    """The real summarizer, but for texts that say `break`; it keeps what it was asked."""

    def __init__(self) -> None:
        self._real = Summarizer.from_pretrained(engine="lead")
        self.asked: list[list[str]] = []

    @property
    def model(self) -> ModelInfo:
        return self._real.model

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        words = [item if isinstance(item, str) else item.text for item in texts]
        self.asked.append(words)
        if any("break" in text for text in words):
            raise MemoryError("words of the note")
        return self._real.summarize(texts, budget)


def text(words: str) -> NoteText:
    return NoteText(words, "plain|1", "text/plain")


def test_each_distinct_text_is_scored_once() -> None:
    brittle = Brittle()
    scorer = Scorer(brittle, Budget(sentences=1))

    first = scorer.score([text("One. Two."), text("Three. Four."), text("One. Two.")])
    again = scorer.score([text("Three. Four.")])

    assert brittle.asked == [["One. Two.", "Three. Four."]]
    assert first[0] == first[2]
    assert again == [first[1]]


def test_a_text_that_breaks_the_model_fails_alone_and_is_tried_anew() -> None:
    brittle = Brittle()
    scorer = Scorer(brittle, None)

    results = scorer.score([text("One."), text("break"), text("Two.")])

    assert [type(result) for result in results] == [Summary, NoteError, Summary]
    failure = results[1]
    assert isinstance(failure, NoteError)
    assert failure.reason is Reason.INTERNAL_ERROR
    assert "words of the note" not in str(failure)
    scorer.score([text("break")])
    assert brittle.asked[-1] == ["break"]


def test_a_batch_is_cut_by_size() -> None:
    brittle = Brittle()
    long = "word " * 60_000

    Scorer(brittle, None).score([text(f"{n}. {long}") for n in range(3)])

    assert [len(part) for part in brittle.asked] == [1, 1, 1]
