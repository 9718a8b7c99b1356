"""What a runtime gives to an `Encoder`: sequences of tokens in, vectors of their tokens out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from summarizer.centrality import Vectors


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
    """

    runtime: str
    device: str
    precision: str
    hidden: int
    segments: int
    limit: int

    def read(self, rows: Sequence[TokenSequence], depth: int) -> Iterator[tuple[int, Vectors]]:
        """Runs the sequences of one document; the shapes of the passes depend on these alone.

        The work may begin at the call, so that what the caller does next goes on beside it.

        Args:
            rows: the sequences.
            depth: after how many layers the vectors are taken; 0 for all of them.

        Yields:
            (index into `rows`, vectors of its tokens: shape (tokens, hidden)), in an order of its own.
        """


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
