"""Documents made ready beside the model's work, and gathered to what it reads in one call."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Protocol, TypeVar

from summarizer.encoder.network import TokenSequence

A = TypeVar("A")
B = TypeVar("B")


class HasRows(Protocol):
    """What an encoder reads of a document."""

    @property
    def rows(self) -> tuple[TokenSequence, ...]:
        """Its windows as token sequences."""


D = TypeVar("D", bound=HasRows)

_EACH = 8  # items that wait for each thread, so that none is idle


def beside(work: Callable[[A], B], items: Iterable[A], threads: int) -> Iterator[B]:
    """The work of each item, in order, some items ahead; the limits of the work in hand hold there too.

    Args:
        work: safe in several threads.
        items: as many as one likes: a few are held.
        threads: 0 to work in the caller's own, without any ahead.
    """
    if not threads:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, "clinsum-prepare")
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(copy_context().run, work, item))
            if len(waiting) >= _EACH * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def grouped(documents: Iterable[D], together: int) -> Iterator[list[D]]:
    """Neighbours of at most so many tokens together, unless one alone has more; one each where it is 0."""
    group: list[D] = []
    tokens = 0
    for document in documents:
        own = sum(len(row.ids) for row in document.rows)
        if group and tokens + own > together:
            yield group
            group, tokens = [], 0
        group.append(document)
        tokens += own
    if group:
        yield group
