"""An encoder of the BERT family as a service: sentences in, vectors out, always the same ones.

Floating point sums depend on the shape of the matrices they are made in. So that a document's vectors are bit
for bit the same alone, in a batch, in any order and beside any neighbour, the shape of every forward pass is
made from that document alone. A GPU needs more at once than one document has: there the passes are made of
several, none of which attends to another, and their vectors differ by rounding.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from summarizer.centrality import Vectors
from summarizer.encoder.adapter import Adapter
from summarizer.encoder.files import ModelFiles, find_model
from summarizer.encoder.network import Network, Tokenizing, TokenSequence
from summarizer.encoder.runtime import Runtime, choose
from summarizer.encoder.tokenizer import Tokenizer, serves
from summarizer.encoder.weights import check_asked
from summarizer.encoder.windows import MARKS, split_evenly
from summarizer.errors import EngineError
from summarizer.limits import check_time, check_tokens

_TOKENISE = 256  # sentences that are given to the tokenizer at once


class Encoder:
    """A BERT with its tokenizer.

    Attributes:
        name, sha256: which weights.
        hidden: size of a vector.
        segments: how many segment ids there are.
        limit: positions of a sequence, special tokens included.
        runtime, device, precision: what computes, as resolved from "auto".
        together: see `summarizer.encoder.network.Network`.
    """

    def __init__(self, files: ModelFiles, tokenizer: Tokenizing, network: Network) -> None:
        self._tokenizer, self._network = tokenizer, network
        self.name, self.sha256 = files.name, files.sha256()
        self.runtime, self.device, self.precision = network.runtime, network.device, network.precision
        self.hidden, self.segments, self.limit = network.hidden, network.segments, network.limit
        self.together = network.together
        self.cls_id, self.sep_id, self.pad_id = tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        device: str = "auto",
        precision: str = "auto",
        runtime: Runtime | None = None,
    ) -> "Encoder":
        """Loads a folder, a hub name, or (None) the encoder that ships; errors as for `of_files`."""
        return cls.of_files(find_model(model), device, precision, runtime)

    @classmethod
    def of_files(
        cls, files: ModelFiles, device: str = "auto", precision: str = "auto", runtime: Runtime | None = None
    ) -> "Encoder":
        """Loads the model from local files alone; no code from the model's folder runs.

        Args:
            files: of the model.
            device: as for `summarizer.encoder.runtime.choose`.
            precision: likewise.
            runtime: likewise.

        Raises:
            UnsupportedModelError: not of the BERT family, or weights that do not fit the configuration.
            EngineError: the device or the precision is unknown or not there, or torch is needed and is not.
        """
        choice = choose(files, device, precision, runtime)
        if choice.runtime == "openvino":
            check_asked(files)
            from summarizer.encoder.openvino_network import OpenVinoNetwork

            return cls(files, Tokenizer(files), OpenVinoNetwork(files, choice.precision))
        from summarizer.encoder.torch_network import TorchNetwork, TransformersTokenizer, check_family

        check_family(files)
        check_asked(files)
        plain = files.config["model_type"] == "bert" and serves(files)
        tokenizer = Tokenizer(files) if plain else TransformersTokenizer(files)
        return cls(files, tokenizer, TorchNetwork(files, choice.device, choice.precision))

    def in_precision(self, precision: str) -> "Encoder":
        """The same encoder in another precision, with what is in memory shared."""
        return self._with(self._network.in_precision(precision))

    def adapted(self, adapter: Adapter) -> "Encoder":
        """An encoder of the lowest layers of this one, changed; see `summarizer.encoder.network.Network`."""
        return self._with(self._network.adapted(adapter))

    def packed(self, together: int) -> "Encoder":
        """The same encoder that reads so many tokens of documents together, as on a GPU; of torch alone."""
        return self._with(self._network.packed(together))  # type: ignore[attr-defined]

    def _with(self, network: Network) -> "Encoder":
        other = copy(self)
        other._network, other.precision, other.together = network, network.precision, network.together
        return other

    @property
    def module(self) -> Any:
        """The network itself (`transformers.PreTrainedModel`), for what trains or saves it.

        Raises:
            EngineError: another runtime than torch reads it.
        """
        if self.runtime != "torch":
            raise EngineError(f"The encoder {self.name!r} is read without torch; load it with torch.")
        module: Any = self._network.module  # type: ignore[attr-defined]
        return module

    def tokenize(self, sentences: Sequence[str]) -> list[tuple[int, ...]]:
        """Token ids of each sentence: no special tokens, nothing cut off.

        A special token that stands in the text as words ("[SEP]") is read as words.

        Raises:
            LimitError: they are more than the work in hand allows, or its time is up.
        """
        found: list[tuple[int, ...]] = []
        total = 0
        for start in range(0, len(sentences), _TOKENISE):
            check_time()
            # A lone surrogate has no UTF-8 form; the tokenizer sees U+FFFD in its place.
            part = self._tokenizer.ids(
                [
                    s.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
                    for s in sentences[start : start + _TOKENISE]
                ]
            )
            total += sum(map(len, part))
            check_tokens(total)
            found += part
        return found

    def sentence_vectors(self, sentences: Sequence[str]) -> Vectors:
        """One vector per sentence: the mean over the tokens of a sequence of its own.

        This is how the sentence-transformers models, the one that ships among them, were trained to be read.
        A sentence longer than the model's positions goes in as equal pieces, pooled together.
        Sentences of the same tokens get the same vector.

        Args:
            sentences: those of one document.

        Returns:
            Shape (sentences, hidden), not normalised.
        """
        tokens = self.tokenize(sentences)
        distinct = sorted(set(tokens), key=lambda ids: (len(ids), ids))
        rows: list[TokenSequence] = []
        owners: list[int] = []
        for owner, ids in enumerate(distinct):
            for start, end in split_evenly(len(ids), self.limit - MARKS):
                rows.append(TokenSequence((self.cls_id, *ids[start:end], self.sep_id)))
                owners.append(owner)
        sums = np.zeros((len(distinct), self.hidden), dtype=np.float32)
        counts = np.zeros((len(distinct), 1), dtype=np.float32)
        for index, hidden in self.encode(rows):
            sums[owners[index]] += hidden.sum(axis=0)
            counts[owners[index]] += len(hidden)
        place = {ids: i for i, ids in enumerate(distinct)}
        means: Vectors = sums / counts
        return means[[place[ids] for ids in tokens]]

    def encode(self, rows: Sequence[TokenSequence], depth: int = 0) -> Iterator[tuple[int, Vectors]]:
        """Runs the sequences of one document, or of some; the shapes of the passes depend on these alone.

        The work may begin at the call, so that what the caller does next goes on beside it.

        Args:
            rows: the sequences.
            depth: after how many layers the vectors are taken; 0 for all of them.

        Returns:
            (index into `rows`, vectors of its tokens: shape (tokens, hidden)), in an order of its own.
        """
        return self._network.read(rows, depth)
