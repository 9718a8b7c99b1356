"""What a runtime gives to an `Encoder`: sequences of tokens in, vectors of their tokens out."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, Self, TypeVar

from summarizer.centrality import Vectors
from summarizer.encoder.adapter import Adapter

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One sequence with its special tokens, and its segment ids (all 0 if None)."""

    ids: tuple[int, ...]
    segments: tuple[int, ...] | None = None


class Network(Protocol):
    """An encoder's layers in one runtime.

    Attributes:
        runtime: `openvino` or `torch`.
        device: `cpu` or `cuda`.
        precision: of the factors of products, `fp32` or `bf16`.
        hidden: size of a vector.
        segments: how many segment ids there are.
        limit: positions of a sequence, special tokens included.
        together: tokens of documents that one call of `read` is best given; 0 where each has a call of its
            own, so that its bits do not depend on the others.
    """

    runtime: str
    device: str
    precision: str
    hidden: int
    segments: int
    limit: int
    together: int

    def read(self, rows: Sequence[TokenSequence], depth: int) -> Iterator[tuple[int, Vectors]]:
        """Runs the sequences of one document, or of some; the shapes of the passes depend on these alone.

        The work may begin at the call, so that what the caller does next goes on beside it.

        Args:
            rows: the sequences.
            depth: after how many layers the vectors are taken; 0 for all of them.

        Yields:
            (index into `rows`, vectors of its tokens: shape (tokens, hidden)), in an order of its own.
        """

    def in_precision(self, precision: str) -> Self:
        """The same network in another precision; what is in memory is shared where it can be."""

    def adapted(self, adapter: Adapter) -> Self:
        """The lowest layers of this network, a BERT's, changed; this one stays as it is."""


class Tokenizing(Protocol):
    """Words to ids.

    Attributes:
        cls_id, sep_id, pad_id: of the special tokens.
    """

    cls_id: int
    sep_id: int
    pad_id: int

    def ids(self, sentences: Sequence[str]) -> list[tuple[int, ...]]:
        """Token ids of each sentence: no special tokens, nothing cut off, special tokens read as words."""


def ahead(work: Iterator[T], count: int) -> Iterator[T]:
    """The same items; so many are begun at the call, and that many stay under way while one is used.

    Args:
        work: begins a piece of work each time it is asked.
        count: at least 1.
    """
    begun = deque(islice(work, count))

    def taken() -> Iterator[T]:
        while begun:
            item = begun.popleft()
            begun.extend(islice(work, 1))
            yield item

    return taken()
