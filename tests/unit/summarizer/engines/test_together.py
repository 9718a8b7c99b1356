"""Documents read together, as on a GPU, beside documents read one by one; all of it in torch on a CPU."""

import random
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import pytest

from summarizer import Budget, Summarizer
from summarizer.bertsum.preparing import beside
from summarizer.engines.base import Salience
from summarizer.engines.bertsum import BertSumEngine
from summarizer.errors import OutOfTimeError, TooManyTokensError
from summarizer.limits import NoteLimits, Work, check_time, working
from summarizer.types import ModelInfo, SplitDocument
from tests.unit.summarizer.tiny_models import WORDS

SIZES = (3, 0, 40, 90, 1, 64, 7)


@pytest.fixture(scope="module")
def engine() -> BertSumEngine:
    return BertSumEngine.from_pretrained(None, "cpu", "fp32", "torch")


@pytest.fixture(scope="module")
def documents() -> list[SplitDocument]:
    chance = random.Random(3)
    return [
        SplitDocument(
            tuple(" ".join(chance.choices(WORDS, k=chance.randint(1, 12))) + "." for _ in range(size)),
            article=number % 4 == 2,
        )
        for number, size in enumerate(SIZES)
    ]


def difference(one: Sequence[Salience], other: Sequence[Salience]) -> float:
    pairs = zip(one, other, strict=True)
    return max(float(np.abs(np.subtract(a.scores, b.scores)).max()) for a, b in pairs if a.scores)


@pytest.mark.parametrize("together", [256, 32_768])
def test_scores_are_those_of_each_document_alone_but_for_rounding(
    together: int, engine: BertSumEngine, documents: list[SplitDocument]
) -> None:
    asked = [3] * len(documents)
    found, wanted = engine.packed(together).score(documents, asked), engine.score(documents, asked)

    assert [len(salience.scores) for salience in found] == list(SIZES)
    assert difference(found, wanted) <= 2e-4


def test_in_bf16_too_they_are_near(engine: BertSumEngine, documents: list[SplitDocument]) -> None:
    few = documents[:5]
    quick = engine.packed(2000).in_precision("bf16")

    assert quick.precision == "bf16"
    assert 0 < difference(quick.score(few, [3] * 5), engine.score(few, [3] * 5)) < 0.05


def test_limits_hold_in_the_threads_that_make_documents_ready(
    engine: BertSumEngine, documents: list[SplitDocument]
) -> None:
    with working(Work(NoteLimits(tokens=50))), pytest.raises(TooManyTokensError):
        engine.packed(2000).score(documents, [3] * len(documents))


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_work_ahead_is_given_in_order_and_its_error_at_its_place(threads: int) -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return 10 // (40 - item)

    found = beside(work, count(), threads)

    assert [next(found) for _ in range(40)] == [10 // (40 - item) for item in range(40)]
    with pytest.raises(ZeroDivisionError):
        next(found)
    assert max(begun) < 100  # nothing runs far ahead of who takes it
    assert list(found) == []


def test_work_ahead_stops_when_time_is_up() -> None:
    with working(Work(NoteLimits(seconds=-1))), pytest.raises(OutOfTimeError):
        list(beside(lambda _: check_time(), [1], 2))


class Hesitant:
    """Scores that a hair decides in every second note; the exact one decides otherwise."""

    fits_length = False
    device, precision = "cpu", "bf16"
    model = ModelInfo("hesitant", "", "bertsum")

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact
        self.calls: list[int] = []

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        self.calls.append(len(documents))
        return [Salience(tuple(self._scores(d.sentences))) for d in documents]

    def _scores(self, sentences: Sequence[str]) -> Iterator[float]:
        for number, sentence in enumerate(sentences):
            near = 0.9 if "sure" in sentence else 0.5001
            yield 0.5 if number else 0.4 if self.exact else near


def test_notes_that_a_hair_decides_are_read_again_in_one_call() -> None:
    exact = Hesitant(exact=True)
    summarizer = Summarizer(Hesitant(), lambda: exact)
    notes = ["It is sure. The heart is calm.", "It may be. The lung is clear.", "It can be. All is well."]

    found = summarizer.summarize([*notes, notes[0], ""], Budget(sentences=1))

    assert exact.calls == [2]
    assert [s.text for f in found for s in f.summary] == [
        "It is sure.", "The lung is clear.", "All is well.", "It is sure.",
    ]  # fmt: skip


def test_nothing_is_read_again_where_all_is_sure() -> None:
    exact = Hesitant(exact=True)
    Summarizer(Hesitant(), lambda: exact).summarize(["It is sure. So it is."], Budget(sentences=1))
    assert exact.calls == []
