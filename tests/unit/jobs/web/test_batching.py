"""The queue and the model's thread."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from jobs.web import batching
from jobs.web.batching import (
    BatchDone,
    ClosedError,
    ModelState,
    ModelUnavailableError,
    ModelWorker,
    QueueFullError,
    QueueLimits,
    ScoringError,
    estimated_tokens,
)
from summarizer import Budget, Document, Summarizer, Summary
from summarizer.errors import LimitError, ModelNotFoundError, TooManySentencesError, TooManyTokensError
from summarizer.limits import NoteLimits
from summarizer.splitting.apart import LONG
from tests.unit.jobs.web.web_parts import Held, until

TEXTS = [f"Note {i}. The pain began {i} hours ago. He was well before." for i in range(12)]


def lead() -> Summarizer:
    return Summarizer.from_pretrained(engine="lead")


async def test_summaries_are_those_of_the_summarizer_whatever_shares_the_batch() -> None:
    budgets = [Budget(sentences=1 + i % 2) for i in range(len(TEXTS))]
    async with ModelWorker(lead) as worker:
        found = await asyncio.gather(
            *(worker.summarize(Document(t), b) for t, b in zip(TEXTS, budgets, strict=True))
        )
    expected = [lead().summarize([t], b)[0] for t, b in zip(TEXTS, budgets, strict=True)]
    assert found == expected


async def test_the_model_is_loaded_once_however_many_come_first() -> None:
    loads = []

    def load() -> Summarizer:
        loads.append(1)
        return lead()

    async with ModelWorker(load) as worker:
        assert worker.state is ModelState.NOT_LOADED
        assert worker.summarizer is None
        await asyncio.gather(worker.preload(), *(worker.summarize(Document(t), None) for t in TEXTS))
        assert worker.state is ModelState.READY
        assert worker.summarizer is not None
    assert loads == [1]


async def test_requests_that_come_together_share_batches_bounded_by_tokens(held: Held) -> None:
    told: list[BatchDone] = []
    most = 3 * estimated_tokens(TEXTS[0])
    async with ModelWorker(lambda: held, QueueLimits(batch_tokens=most), told.append) as worker:
        work = [asyncio.create_task(worker.summarize(Document(t), None)) for t in TEXTS]
        await until(held.begun.is_set)
        held.leave.set()
        await asyncio.gather(*work)
    assert [text for batch in held.batches for text in batch] == TEXTS
    assert max(len(batch) for batch in held.batches) == 3
    assert all(done.tokens <= most for done in told)
    assert sum(done.texts for done in told) == len(TEXTS)


async def test_a_text_larger_than_a_batch_goes_alone(held: Held) -> None:
    held.leave.set()
    long = TEXTS[0] * 50
    limits = QueueLimits(batch_tokens=estimated_tokens(long) // 2, tokens=estimated_tokens(long) // 3)
    async with ModelWorker(lambda: held, limits) as worker:
        work = [asyncio.create_task(worker.summarize(Document(t), None)) for t in [TEXTS[1], long]]
        await asyncio.gather(*work)
    assert [long] in held.batches


async def test_a_full_queue_refuses_and_what_waits_is_done_all_the_same(held: Held) -> None:
    async with ModelWorker(lambda: held, QueueLimits(requests=2, batch_tokens=1, wait=0)) as worker:
        first = asyncio.create_task(worker.summarize(Document(TEXTS[0]), None))
        await until(held.begun.is_set)  # it is with the model, and holds no place
        waiting = [asyncio.create_task(worker.summarize(Document(t), None)) for t in TEXTS[1:3]]
        await until(lambda: worker.waiting == 2)
        assert not worker.accepts
        with pytest.raises(QueueFullError):
            await worker.summarize(Document(TEXTS[3]), None)
        held.leave.set()
        assert len(await asyncio.gather(first, *waiting)) == 3
        assert worker.accepts


async def test_who_is_refused_is_told_to_come_when_half_of_what_waits_is_done(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(step=10.0)
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    async with ModelWorker(lambda: held, QueueLimits(requests=4, batch_tokens=1, wait=0)) as worker:
        assert worker.pause == 1  # nothing waits, and no speed is known
        held.leave.set()
        await worker.summarize(Document(TEXTS[0]), None)  # takes ten seconds by this clock
        held.leave.clear()
        held.begun.clear()
        running = asyncio.create_task(worker.summarize(Document(TEXTS[0]), None))
        await until(held.begun.is_set)
        waiting = [asyncio.create_task(worker.summarize(Document(TEXTS[0]), None)) for _ in range(4)]
        await until(lambda: worker.waiting == 4)
        with pytest.raises(QueueFullError) as refused:
            await worker.summarize(Document(TEXTS[0]), None)
        assert refused.value.pause == 20
        held.leave.set()
        await asyncio.gather(running, *waiting)


async def test_the_queue_is_bounded_by_tokens_too(held: Held) -> None:
    async with ModelWorker(lambda: held, QueueLimits(tokens=10, batch_tokens=1, wait=0)) as worker:
        first = asyncio.create_task(worker.summarize(Document(TEXTS[0]), None))
        await until(held.begun.is_set)
        second = asyncio.create_task(worker.summarize(Document(TEXTS[1]), None))
        await until(lambda: worker.waiting == 1)
        with pytest.raises(QueueFullError):
            await worker.summarize(Document(TEXTS[2]), None)
        held.leave.set()
        await asyncio.gather(first, second)


async def test_a_client_that_leaves_frees_its_place_and_is_never_computed(held: Held) -> None:
    async with ModelWorker(lambda: held, QueueLimits(requests=1, batch_tokens=1, wait=0)) as worker:
        first = asyncio.create_task(worker.summarize(Document(TEXTS[0]), None))
        await until(held.begun.is_set)
        leaving = asyncio.create_task(worker.summarize(Document(TEXTS[1]), None))
        await until(lambda: worker.waiting == 1)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert worker.waiting == 0
        following = asyncio.create_task(worker.summarize(Document(TEXTS[2]), None))
        await until(lambda: worker.waiting == 1)
        held.leave.set()
        await asyncio.gather(first, following)
    assert [text for batch in held.batches for text in batch] == [TEXTS[0], TEXTS[2]]


async def test_a_client_that_leaves_while_it_is_computed_disturbs_nobody(held: Held) -> None:
    async with ModelWorker(lambda: held) as worker:
        work = [asyncio.create_task(worker.summarize(Document(t), None)) for t in TEXTS[:3]]
        await until(held.begun.is_set)
        work[1].cancel()
        held.leave.set()
        found = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(found[0], Summary)
    assert isinstance(found[1], asyncio.CancelledError)
    assert isinstance(found[2], Summary)


async def test_the_patient_wait_for_a_place(held: Held) -> None:
    async with ModelWorker(lambda: held, QueueLimits(requests=1, batch_tokens=1, wait=0)) as worker:
        work = [asyncio.create_task(worker.summarize(Document(t), None, patient=True)) for t in TEXTS]
        await until(held.begun.is_set)
        assert worker.waiting <= 1
        held.leave.set()
        assert len(await asyncio.gather(*work)) == len(TEXTS)


async def test_a_model_that_cannot_be_loaded_is_said_so_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads = []

    def load() -> Summarizer:
        loads.append(1)
        if len(loads) == 1:
            raise ModelNotFoundError("There is no model folder 'x'.")
        return lead()

    async with ModelWorker(load) as worker:
        work = [worker.summarize(Document(t), None) for t in TEXTS]
        found = await asyncio.gather(*work, return_exceptions=True)
        assert all(isinstance(error, ModelUnavailableError) for error in found)
        assert worker.state is ModelState.FAILED
        with pytest.raises(ModelUnavailableError):  # at once, and without another try
            await worker.summarize(Document(TEXTS[0]), None)
        assert loads == [1]
        monkeypatch.setattr("jobs.web.batching._RELOAD_PAUSE", 0)
        assert await worker.summarize(Document(TEXTS[0]), None)
        assert worker.state is ModelState.READY


async def test_a_text_that_breaks_the_model_breaks_no_other(held: Held) -> None:
    held.leave.set()
    texts = [TEXTS[0], "This text breaks the model.", TEXTS[1]]
    async with ModelWorker(lambda: held) as worker:
        await worker.preload()
        work = [worker.summarize(Document(t), None) for t in texts]
        found = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(found[0], Summary)
    assert isinstance(found[2], Summary)
    assert isinstance(found[1], ScoringError)
    assert str(found[1]) == "ValueError"  # and not its message, which is the text


async def test_closing_finishes_the_batch_in_hand_and_lets_the_others_go(held: Held) -> None:
    worker = ModelWorker(lambda: held, QueueLimits(batch_tokens=1, wait=0))
    async with worker:
        first = asyncio.create_task(worker.summarize(Document(TEXTS[0]), None))
        await until(held.begun.is_set)
        second = asyncio.create_task(worker.summarize(Document(TEXTS[1]), None))
        await until(lambda: worker.waiting == 1)
        asyncio.get_running_loop().call_later(0.05, held.leave.set)
    assert isinstance(await first, Summary)
    with pytest.raises(ClosedError):
        await second
    with pytest.raises(ClosedError):
        await worker.summarize(Document(TEXTS[2]), None)


async def test_a_small_text_does_not_wait_for_a_large_one(held: Held) -> None:
    large = "He was well today. " * (LONG // 15)
    async with ModelWorker(lambda: held, QueueLimits(tokens=100)) as worker:
        first = asyncio.create_task(worker.summarize(Document(large), None))
        await until(held.begun.is_set)
        second = asyncio.create_task(worker.summarize(Document(large), None))
        await until(lambda: worker.waiting == 1)
        held.spared = {TEXTS[0]}
        assert await worker.summarize(Document(TEXTS[0]), None)
        assert not first.done()
        held.leave.set()
        assert await first
        assert await second


async def test_a_small_text_passes_larger_ones_and_none_waits_for_ever(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: now))
    larger = ["He was well today. " * 400, "She was well today. " * 400]  # each worth about two seconds
    async with ModelWorker(lambda: held, QueueLimits(batch_tokens=1, wait=0)) as worker:
        asked = [asyncio.create_task(worker.summarize(Document(TEXTS[0]), None))]
        await until(held.begun.is_set)  # with the model
        for at, text in [
            (0.0, larger[0]),
            (0.5, larger[1]),
            (1.0, TEXTS[1]),
            (1.0, TEXTS[2]),
            (2.2, TEXTS[3]),
        ]:
            now = at
            asked.append(asyncio.create_task(worker.summarize(Document(text), None)))
            await until(lambda: worker.waiting == len(asked) - 1)
        held.leave.set()
        await asyncio.gather(*asked)
    order = [batch[0] for batch in held.batches]
    assert order == [TEXTS[0], TEXTS[1], TEXTS[2], larger[0], TEXTS[3], larger[1]]


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (NoteLimits(sentences=2), TooManySentencesError),
        (NoteLimits(tokens=3), TooManyTokensError),
    ],
)
async def test_a_text_beyond_a_limit_is_refused_and_the_others_are_not(
    limits: NoteLimits, error: type[LimitError]
) -> None:
    async with ModelWorker(lead, note_limits=limits) as worker:
        texts = ["One two.", TEXTS[0], "Three."]
        work = [worker.summarize(Document(t), None) for t in texts]
        found = await asyncio.gather(*work, return_exceptions=True)
    assert [type(one) for one in found] == [Summary, error, Summary]


async def test_a_large_text_is_ended_when_its_client_leaves() -> None:
    endless = "a   b: " * 280_000
    async with ModelWorker(lead, note_limits=NoteLimits(tokens=10**9, seconds=600)) as worker:
        await worker.preload()
        asked = asyncio.create_task(worker.summarize(Document(endless), None))
        await asyncio.sleep(0.1)
        asked.cancel()
        async with asyncio.timeout(60):
            assert await worker.summarize(Document("He was well today. " * (LONG // 15)), None)
