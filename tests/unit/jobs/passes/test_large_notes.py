"""Large notes come last, and one in which a process ended is not what the next begins with."""

import asyncio
from collections.abc import Sequence

import pytest

from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome
from jobs.passes.scoring import LARGE
from jobs.runtime import open_ledger, runtime
from summarizer import Summarizer
from summarizer.types import Budget, Document, Summary
from tests.contract.passes import Site, reference

LARGE_TEXT = "He was well today. " * (LARGE // 15)


class KilledError(BaseException):
    """The process ends here."""


class Deadly(Summarizer):
    """The real summarizer, in which the process ends at a large note."""

    def __init__(self) -> None:
        super().__init__(Summarizer.from_pretrained(engine="lead")._engine)

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        if any(len(text if isinstance(text, str) else text.text) >= LARGE for text in texts):
            raise KilledError
        return super().summarize(texts, budget)


def test_small_notes_are_done_before_a_large_one_that_came_first(site: Site) -> None:
    large = reference(site.document(LARGE_TEXT))
    small = [reference(site.document()) for _ in range(3)]
    ended, _ = site.poll()
    assert list(ended) == [*small, large]
    assert {outcome.status for outcome in ended.values()} == {"written"}


def test_a_note_in_which_the_process_ended_is_known_and_comes_last(site: Site) -> None:
    large = reference(site.document(LARGE_TEXT))
    small = reference(site.document())

    async def killed() -> None:
        with open_ledger(site.settings) as ledger:
            async with runtime(site.settings, ledger, Deadly()) as parts:
                await Pass(parts, lambda _: None, asyncio.Event()).run(site.settings.resource_types)

    with pytest.raises(KilledError):
        asyncio.run(killed())
    with open_ledger(site.settings) as ledger:
        rows = {row.source: (row.status, row.reason) for row in ledger.notes()}
    assert rows == {small: ("written", ""), large: ("failed", "interrupted")}

    fresh = reference(site.document())
    ended, _ = site.poll()
    assert [source for source in ended if source != small] == [fresh, large]
    assert ended[large].status == "written"
    assert len(site.written(large)) == 1


def test_a_pass_that_is_stopped_leaves_large_notes_and_its_watermark_for_the_next(site: Site) -> None:
    large = reference(site.document(LARGE_TEXT))
    small = reference(site.document())
    told: list[str] = []

    async def stopped() -> None:
        stop = asyncio.Event()

        def emit(outcome: Outcome) -> None:
            told.append(outcome.source)
            stop.set()

        with open_ledger(site.settings) as ledger:
            async with runtime(site.settings, ledger) as parts:
                await Pass(parts, emit, stop).run(site.settings.resource_types)
            assert ledger.watermark("DocumentReference") is None

    asyncio.run(stopped())
    assert told == [small]
    ended, _ = site.poll()
    assert {source: outcome.status for source, outcome in ended.items()} == {
        small: "unchanged",
        large: "written",
    }


def test_a_text_beyond_the_limit_is_not_kept_until_it_is_scored(site: Site) -> None:
    site.options["NOTE_CHARACTERS"] = "1000"
    large = reference(site.document(LARGE_TEXT))
    ended, _ = site.poll()
    assert (ended[large].status, ended[large].reason) == ("skipped", "too-large")


def test_limits_are_those_of_the_settings(site: Site) -> None:
    site.options |= {"NOTE_SENTENCES": "100", "NOTE_TOKENS": "7"}
    many = reference(site.document(LARGE_TEXT))
    wordy = reference(site.document("one two three four five six seven eight"))
    ended, _ = site.poll()
    assert ended[many].reason == "too-many-sentences"
    assert ended[wordy].reason == "too-many-tokens"
    assert {outcome.status for outcome in ended.values()} == {"failed"}
