"""An encoder of the BERT family in torch: on GPUs, for training, and the reference for what is quicker."""

import threading
from collections.abc import Callable, Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any, Self

import torch

from summarizer.centrality import Vectors
from summarizer.encoder.adapter import Adapter, adapted
from summarizer.encoder.batches import BATCH, packs, padded_batches
from summarizer.encoder.files import ModelFiles
from summarizer.encoder.network import TokenSequence, ahead
from summarizer.encoder.packed import PackedBert, Sequences
from summarizer.encoder.tokenizer import check_vocabulary, no_tokenizer
from summarizer.encoder.transfer import Transfer
from summarizer.encoder.weights import check_numbers
from summarizer.errors import UnsupportedModelError
from summarizer.limits import check_time

# What `model_type` may be. Those of the RoBERTa line number positions from the padding id on.
_FAMILY = ("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
_OFFSET_POSITIONS = ("camembert", "roberta", "xlm-roberta")
_WITH_POOLER = ("bert", "camembert", "roberta", "xlm-roberta")

_TOGETHER = 32_768  # tokens of one pass on a GPU
_STEP = 32  # of the widths that sequences of many documents are padded to, where they are padded
_AHEAD = 2  # passes under way: one computes, of the other the result comes back


@dataclass(frozen=True, slots=True)
class _Pass:
    """A pass under way.

    Attributes:
        spans: of each of its sequences the index, and where its vectors begin and end.
        values: waits for the vectors, shape (tokens, hidden).
    """

    spans: list[tuple[int, int, int]]
    values: Callable[[], Vectors]


class TorchNetwork:
    """See `summarizer.encoder.network.Network`.

    Attributes:
        module: the network itself (`transformers.PreTrainedModel`), for what trains or saves it.

    Raises:
        UnsupportedModelError: weights that do not fit the configuration.
    """

    runtime = "torch"

    def __init__(self, files: ModelFiles, device: str, precision: str) -> None:
        self.device, self.precision = device, precision
        self.module = _load_weights(files).to(device)
        config = self.module.config
        self.hidden = int(config.hidden_size)
        self.segments = int(getattr(config, "type_vocab_size", 1) or 1)
        self.limit = int(config.max_position_embeddings)
        if files.config["model_type"] in _OFFSET_POSITIONS:
            self.limit -= int(config.pad_token_id) + 1
        self.together = _TOGETHER if device == "cuda" else 0
        self._transfer = Transfer(device)
        self._pad_id = int(getattr(config, "pad_token_id", 0) or 0)
        self._packed: PackedBert | None = None

    def in_precision(self, precision: str) -> Self:
        """See `summarizer.encoder.network.Network`."""
        other = copy(self)
        other.precision, other._packed = precision, None
        return other

    def adapted(self, adapter: Adapter) -> Self:
        """See `summarizer.encoder.network.Network`; the embeddings are shared."""
        other = copy(self)
        other.module, other._packed = _adapted(self.module, adapter, self.device), None
        return other

    def packed(self, together: int) -> Self:
        """The same network that reads so many tokens of documents together, as on a GPU."""
        other = copy(self)
        other.together, other._packed = together, None
        return other

    def read(self, rows: Sequence[TokenSequence], depth: int) -> Iterator[tuple[int, Vectors]]:
        """See `summarizer.encoder.network.Network`; the first passes begin at the call."""
        lengths = [len(row.ids) for row in rows]
        most = self.together or BATCH
        if PackedBert.fits(self.module.config):
            work = (self._end_to_end(rows, pack, depth) for pack in packs(lengths, most))
        else:
            work = (self._padded(rows, batch, depth) for batch in padded_batches(lengths, most))
        begun = ahead(work, _AHEAD)

        def taken() -> Iterator[tuple[int, Vectors]]:
            for one in begun:
                values = one.values()
                for index, start, end in one.spans:
                    yield index, values[start:end]

        return taken()

    @property
    def _dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def _end_to_end(self, rows: Sequence[TokenSequence], pack: Sequence[int], depth: int) -> _Pass:
        check_time()
        if self._packed is None:  # for what reads, not for what trains
            self._packed = PackedBert(self.module, self._dtype, self._transfer, _STEP if self.together else 1)
        chosen = [rows[i] for i in pack]
        lengths = tuple(len(row.ids) for row in chosen)
        ids = tuple(chain.from_iterable(row.ids for row in chosen))
        segments = tuple(chain.from_iterable(row.segments or (0,) * len(row.ids) for row in chosen))
        values = self._packed(Sequences(ids, segments, lengths), depth)
        ends = accumulate(lengths)
        spans = [(i, end - length, end) for i, length, end in zip(pack, lengths, ends, strict=True)]
        return _Pass(spans, self._transfer.fetch(values))

    def _padded(self, rows: Sequence[TokenSequence], batch: Sequence[int], depth: int) -> _Pass:
        check_time()
        chosen = [rows[i] for i in batch]
        mixed = torch.autocast(self.device, torch.bfloat16, enabled=self._dtype == torch.bfloat16)
        with torch.inference_mode(), mixed:
            found = self.module(**self._tensors(chosen), output_hidden_states=depth > 0)
            hidden = found.hidden_states[depth] if depth else found.last_hidden_state
        width = hidden.shape[1]
        spans = [(i, at * width, at * width + len(rows[i].ids)) for at, i in enumerate(batch)]
        values = hidden.float().flatten(0, 1)  # (rows * width, hidden)
        return _Pass(spans, self._transfer.fetch(values))

    def _tensors(self, rows: Sequence[TokenSequence]) -> dict[str, torch.Tensor]:
        """Padded ids, mask and, where the model has them, segment ids: each of shape (rows, width)."""
        ids, mask, segments = pad_rows(rows, self._pad_id)
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self.segments > 1:
            inputs["token_type_ids"] = segments
        return {name: tensor.to(self.device) for name, tensor in inputs.items()}


class TransformersTokenizer:
    """A model folder's tokenizer as transformers reads it, whatever its files are.

    Raises:
        UnsupportedModelError: there is none, or it is another encoder's.
    """

    def __init__(self, files: ModelFiles) -> None:
        from transformers import AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(
                files.folder, local_files_only=True, trust_remote_code=False, split_special_tokens=True
            )
        except Exception as error:  # many kinds, by file and fault; some hold what stands in the file
            raise no_tokenizer(files, error) from None
        words = set(self._tokenizer.get_vocab().values())
        names = ("cls_token", "sep_token", "pad_token")
        if len(self._tokenizer) <= len(self._tokenizer.all_special_tokens):
            words = set()
        special = {name: getattr(self._tokenizer, f"{name}_id") for name in names}
        check_vocabulary(files, words, special)
        self.cls_id, self.sep_id, self.pad_id = (int(special[name]) for name in names)
        self._turn = threading.Lock()

    def ids(self, sentences: Sequence[str]) -> list[tuple[int, ...]]:
        """See `summarizer.encoder.network.Tokenizing`."""
        with self._turn:  # it borrows itself for each call
            encoded = self._tokenizer(
                list(sentences), add_special_tokens=False, truncation=False, verbose=False
            )
        return [tuple(ids) for ids in encoded["input_ids"]]


def check_family(files: ModelFiles) -> None:
    """Raises UnsupportedModelError where a model is not one of these."""
    kind = files.config.get("model_type")
    if kind not in _FAMILY:
        shown = kind[:40] if isinstance(kind, str) else type(kind).__name__
        raise UnsupportedModelError(
            f"The model {files.name!r} is of type {shown!r}; give an encoder of the BERT family "
            f"({', '.join(_FAMILY)})."
        )


def pad_rows(rows: Sequence[TokenSequence], pad_id: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and segments, each of shape (rows, longest)."""
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


def _adapted(module: Any, adapter: Adapter, device: str) -> Any:
    """The lowest layers of an encoder with what an adapter adds, beside the encoder itself."""
    changed = deepcopy(module, {id(module.embeddings): module.embeddings})
    changed.encoder.layer = changed.encoder.layer[: adapter.depth]
    tensors = {name: torch.as_tensor(values, device=device) for name, values in adapter.tensors.items()}
    with torch.no_grad():
        changed.load_state_dict(adapted(changed.state_dict(), tensors))
    return changed.eval()


def _load_weights(files: ModelFiles) -> Any:
    """The bare encoder, for inference, with every weight of it found in the files."""
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
