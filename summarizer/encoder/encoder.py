"""An encoder of the BERT family as a service: sentences in, vectors out, always the same ones.

Floating point sums depend on the shape of the matrices they are made in. So that a document's vectors are bit
for bit the same alone, in a batch, in any order and beside any neighbour, the shape of every forward pass is
made from that document alone.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from summarizer.centrality import Vectors
from summarizer.encoder.files import ModelFiles, find_model
from summarizer.encoder.weights import check_asked, check_numbers
from summarizer.encoder.windows import MARKS, split_evenly
from summarizer.errors import EngineError, UnsupportedModelError
from summarizer.limits import check_time, check_tokens

if TYPE_CHECKING:
    import torch

    from summarizer.encoder.packed import PackedBert

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")

# What `model_type` may be. Those of the RoBERTa line number positions from the padding id on.
_FAMILY = ("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
_OFFSET_POSITIONS = ("camembert", "roberta", "xlm-roberta")
_WITH_POOLER = ("bert", "camembert", "roberta", "xlm-roberta")

_BATCH_TOKENS = 2048  # padded tokens of one forward pass: more gains nothing on a CPU and costs memory
_TOKENISE = 256  # sentences that are given to the tokenizer at once
_UNUSED_WORDS = 1024  # rows that embeddings may have beyond the vocabulary, as makers round them up
_PASS_OVERHEAD = 24  # what a pass costs before its first token, in the time of one token (measured)


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One sequence with its special tokens, and its segment ids (all 0 if None)."""

    ids: tuple[int, ...]
    segments: tuple[int, ...] | None = None


class Encoder:
    """A BERT with its tokenizer.

    Attributes:
        name, sha256: which weights.
        hidden: size of a vector.
        limit: positions of a sequence, special tokens included.
        device, precision: as resolved from "auto".
    """

    def __init__(self, files: ModelFiles, device: str = "auto", precision: str = "auto") -> None:
        """Loads the model from local files alone; no code from the model's folder runs.

        Raises:
            UnsupportedModelError: not of the BERT family, or weights that do not fit the configuration.
            EngineError: the device or the precision is unknown or not there.
        """
        self.name = files.name
        self.device, self.precision = _resolve(device, precision)
        self._check_family(files)
        check_asked(files)
        self._tokenizer = _load_tokenizer(files)
        self._tokenizing = threading.Lock()
        self._model = _load_weights(files).to(self.device)
        self.sha256 = files.sha256()
        config = self._model.config
        self.hidden = int(config.hidden_size)
        self.segments = int(getattr(config, "type_vocab_size", 1) or 1)
        self.limit = int(config.max_position_embeddings)
        if files.config["model_type"] in _OFFSET_POSITIONS:
            self.limit -= int(config.pad_token_id) + 1
        self.cls_id = int(self._tokenizer.cls_token_id)
        self.sep_id = int(self._tokenizer.sep_token_id)
        self.pad_id = int(self._tokenizer.pad_token_id)
        self._packed: PackedBert | None = None

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> "Encoder":
        """Loads a folder, a hub name, or (None) the encoder that ships; errors as in `Encoder`."""
        return cls(find_model(model), device, precision)

    @property
    def module(self) -> Any:
        """The network itself (`transformers.PreTrainedModel`), for what trains or saves it."""
        return self._model

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
            part = self._tokenized(sentences[start : start + _TOKENISE])
            total += sum(map(len, part))
            check_tokens(total)
            found += part
        return found

    def _tokenized(self, sentences: Sequence[str]) -> list[tuple[int, ...]]:
        # A lone surrogate has no UTF-8 form; the tokenizer sees U+FFFD in its place, the text stays as it is.
        clean = [s.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for s in sentences]
        with self._tokenizing:  # it borrows itself for each call
            encoded = self._tokenizer(clean, add_special_tokens=False, truncation=False, verbose=False)
        return [tuple(ids) for ids in encoded["input_ids"]]

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
        """Runs the sequences of one document; the shapes of the passes depend on these alone.

        Args:
            rows: the sequences.
            depth: after how many layers the vectors are taken; 0 for all of them.

        Yields:
            (index into `rows`, vectors of its tokens: shape (tokens, hidden)), in an order of its own.
        """
        from summarizer.encoder.packed import PackedBert

        if self.device == "cpu" and PackedBert.fits(self._model.config):
            if self._packed is None:  # for what reads, not for what trains
                self._packed = PackedBert(self._model, self._dtype)
            yield from self._encode_packed(self._packed, rows, depth)
        else:
            yield from self._encode_padded(rows, depth)

    @staticmethod
    def _encode_packed(
        packed: "PackedBert", rows: Sequence[TokenSequence], depth: int
    ) -> Iterator[tuple[int, Vectors]]:
        from summarizer.encoder.packed import Sequences

        for pack in _packs([len(row.ids) for row in rows]):
            chosen = [rows[i] for i in pack]
            lengths = tuple(len(row.ids) for row in chosen)
            ids = tuple(chain.from_iterable(row.ids for row in chosen))
            segments = tuple(chain.from_iterable(row.segments or (0,) * len(row.ids) for row in chosen))
            check_time()
            values = packed(Sequences(ids, segments, lengths), depth).numpy()  # (tokens, hidden)
            ends = list(accumulate(lengths))
            for index, length, end in zip(pack, lengths, ends, strict=True):
                yield index, values[end - length : end]

    def _encode_padded(self, rows: Sequence[TokenSequence], depth: int) -> Iterator[tuple[int, Vectors]]:
        import torch

        for batch in _batches([len(row.ids) for row in rows]):
            check_time()
            chosen = [rows[i] for i in batch]
            mixed = torch.autocast(self.device, torch.bfloat16, enabled=self._dtype == torch.bfloat16)
            with torch.inference_mode(), mixed:
                found = self._model(**self._tensors(chosen), output_hidden_states=depth > 0)
                hidden = found.hidden_states[depth] if depth else found.last_hidden_state
            values = hidden.float().cpu().numpy()  # (rows, width, hidden)
            for place, index in enumerate(batch):
                yield index, values[place, : len(rows[index].ids)]

    @property
    def _dtype(self) -> "torch.dtype":
        import torch

        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def _tensors(self, rows: Sequence[TokenSequence]) -> dict[str, "torch.Tensor"]:
        """Padded ids, mask and, where the model has them, segment ids: each of shape (rows, width)."""
        ids, mask, segments = pad_rows(rows, self.pad_id)
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self.segments > 1:
            inputs["token_type_ids"] = segments
        return {name: tensor.to(self.device) for name, tensor in inputs.items()}

    @staticmethod
    def _check_family(files: ModelFiles) -> None:
        kind = files.config.get("model_type")
        if kind not in _FAMILY:
            shown = kind[:40] if isinstance(kind, str) else type(kind).__name__
            raise UnsupportedModelError(
                f"The model {files.name!r} is of type {shown!r}; give an encoder of the BERT family "
                f"({', '.join(_FAMILY)})."
            )


def pad_rows(
    rows: Sequence[TokenSequence], pad_id: int
) -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
    """Ids, mask and segments, each of shape (rows, longest)."""
    import torch

    width = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), width), pad_id, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    segments = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(row.ids)] = 1
        if row.segments is not None:
            segments[i, : len(row.ids)] = torch.tensor(row.segments)
    return ids, mask, segments


def _packs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices by length, in packs of at most `_BATCH_TOKENS` tokens, unless one sequence alone has more."""
    pack: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if pack and tokens + lengths[index] > _BATCH_TOKENS:
            yield pack
            pack, tokens = [], 0
        pack.append(index)
        tokens += lengths[index]
    if pack:
        yield pack


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices by length, cut so that padding and the overhead of a pass together cost least.

    At most `_BATCH_TOKENS` padded tokens a batch, unless one sequence alone has more.
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    widths = [lengths[i] for i in order]
    # Cuts make sense only where the width changes, so there are few places for them, however many the rows.
    cuts = [i for i in range(len(widths)) if i == 0 or widths[i] != widths[i - 1]] + [len(widths)]
    best: list[tuple[int, int]] = [
        (0, 0)
    ]  # per cut: least cost of all before it, where its last group starts
    for end in range(1, len(cuts)):
        width = widths[cuts[end] - 1]
        best.append(min((best[k][0] + _cost(cuts[end] - cuts[k], width), k) for k in range(end)))
    batches: list[list[int]] = []
    end = len(cuts) - 1
    while end > 0:
        start = best[end][1]
        rows = max(1, _BATCH_TOKENS // widths[cuts[end] - 1])
        group = order[cuts[start] : cuts[end]]
        batches += [group[i : i + rows] for i in range(0, len(group), rows)]
        end = start
    return batches


def _cost(rows: int, width: int) -> int:
    """Of a group of rows of one width, in the time of one token."""
    passes = -(-rows // max(1, _BATCH_TOKENS // width))
    return rows * width + passes * _PASS_OVERHEAD


def _resolve(device: str, precision: str) -> tuple[str, str]:
    if device not in DEVICES or precision not in PRECISIONS:
        raise EngineError(
            f"Device {device!r} with precision {precision!r} is not possible: "
            f"the devices are {', '.join(DEVICES)}, the precisions {', '.join(PRECISIONS)}."
        )
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise EngineError("No CUDA device is there; use the device cpu or auto.")
    # Not bf16, though it is 1.9 times faster on a CPU that has it: of 400 clinical notes it changed the
    # summaries of one in a hundred (LexRank: one in thirty), and 99.5% of them must stay as they are.
    return device, "fp32" if precision == "auto" else precision


def _load_tokenizer(files: ModelFiles) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            files.folder, local_files_only=True, trust_remote_code=False, split_special_tokens=True
        )
    except Exception as error:  # many kinds, by file and fault; some hold what stands in the file
        raise UnsupportedModelError(
            f"The model {files.name!r} has no usable tokenizer ({type(error).__name__})."
        ) from None
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise UnsupportedModelError(f"The model {files.name!r} has no vocabulary.")
    words = 1 + max(tokenizer.get_vocab().values())
    if words > files.config.get("vocab_size", words):
        raise UnsupportedModelError(f"The tokenizer of {files.name!r} has more words than its encoder.")
    if files.config.get("vocab_size", words) - words > _UNUSED_WORDS:
        raise UnsupportedModelError(f"The tokenizer of {files.name!r} is another encoder's: it lacks words.")
    missing = [n for n in ("cls_token", "sep_token", "pad_token") if getattr(tokenizer, n) is None]
    if missing:
        raise UnsupportedModelError(f"The tokenizer of {files.name!r} has no {', no '.join(missing)}.")
    return tokenizer


def _load_weights(files: ModelFiles) -> Any:
    """The bare encoder, for inference, with every weight of it found in the files."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    options = {"add_pooling_layer": False} if files.config["model_type"] in _WITH_POOLER else {}
    bars = logging.is_progress_bar_enabled()
    level = logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        model, report = AutoModel.from_pretrained(
            files.folder,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
            **options,
        )
    except Exception as error:  # many kinds, by format and fault; what matters is that it does not load
        raise UnsupportedModelError(
            f"The weights of {files.name!r} could not be loaded ({type(error).__name__})."
        ) from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    absent = list(chain(report["missing_keys"], report.get("mismatched_keys", ())))
    if absent:
        raise UnsupportedModelError(
            f"The weights of {files.name!r} lack {len(absent)} of the tensors that its config.json asks for."
        )
    check_numbers(dict(model.named_parameters()), files.weights[0].name, files.name)
    return model.eval()
