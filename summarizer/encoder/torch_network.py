"""An encoder of the BERT family in torch: on GPUs, for training, and the reference for what is quicker."""

import threading
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

import torch

from summarizer.centrality import Vectors
from summarizer.encoder.files import ModelFiles
from summarizer.encoder.network import TokenSequence
from summarizer.encoder.packed import PackedBert, Sequences
from summarizer.encoder.tokenizer import check_vocabulary, no_tokenizer
from summarizer.encoder.weights import check_numbers
from summarizer.errors import UnsupportedModelError
from summarizer.limits import check_time

# What `model_type` may be. Those of the RoBERTa line number positions from the padding id on.
_FAMILY = ("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
_OFFSET_POSITIONS = ("camembert", "roberta", "xlm-roberta")
_WITH_POOLER = ("bert", "camembert", "roberta", "xlm-roberta")

_BATCH_TOKENS = 2048  # padded tokens of one forward pass: more gains nothing on a CPU and costs memory
_PASS_OVERHEAD = 24  # what a pass costs before its first token, in the time of one token (measured)


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
        self._pad_id = int(getattr(config, "pad_token_id", 0) or 0)
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._packed: PackedBert | None = None

    def read(self, rows: Sequence[TokenSequence], depth: int) -> Iterator[tuple[int, Vectors]]:
        """See `summarizer.encoder.network.Network`; nothing is computed before it is asked for."""
        if self.device == "cpu" and PackedBert.fits(self.module.config):
            if self._packed is None:  # for what reads, not for what trains
                self._packed = PackedBert(self.module, self._dtype)
            yield from self._encode_packed(self._packed, rows, depth)
        else:
            yield from self._encode_padded(rows, depth)

    @staticmethod
    def _encode_packed(
        packed: PackedBert, rows: Sequence[TokenSequence], depth: int
    ) -> Iterator[tuple[int, Vectors]]:
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
        for batch in _batches([len(row.ids) for row in rows]):
            check_time()
            chosen = [rows[i] for i in batch]
            mixed = torch.autocast(self.device, torch.bfloat16, enabled=self._dtype == torch.bfloat16)
            with torch.inference_mode(), mixed:
                found = self.module(**self._tensors(chosen), output_hidden_states=depth > 0)
                hidden = found.hidden_states[depth] if depth else found.last_hidden_state
            values = hidden.float().cpu().numpy()  # (rows, width, hidden)
            for place, index in enumerate(batch):
                yield index, values[place, : len(rows[index].ids)]

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
