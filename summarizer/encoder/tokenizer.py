"""A model folder's `tokenizer.json`, read by the library that transformers uses too."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from summarizer.encoder.files import ModelFiles
from summarizer.errors import UnsupportedModelError

FILE = "tokenizer.json"
_CONFIG = "tokenizer_config.json"
_UNUSED_WORDS = 1024  # rows that embeddings may have beyond the vocabulary, as makers round them up
_SPECIAL = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}  # as BERT names them
# Of `tokenizer_config.json`, what the normalizer of `tokenizer.json` states too, under these names.
_NORMALIZING = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


class Tokenizer:
    """Words to ids, without transformers; safe to use from several threads.

    Raises:
        UnsupportedModelError: there is no usable `tokenizer.json`, or it is another encoder's.
    """

    def __init__(self, files: ModelFiles) -> None:
        from tokenizers import Tokenizer as Fast

        try:
            self._fast = Fast.from_str((files.folder / FILE).read_text(encoding="utf-8"))
            self._fast.no_padding()
            self._fast.no_truncation()
            self._fast.encode_special_tokens = True
            words = self._fast.get_vocab(with_added_tokens=True)
        except BaseException as error:  # a damaged file may end in a panic of the library
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise no_tokenizer(files, error) from None
        special = {name: words.get(token) for name, token in _special_tokens(files).items()}
        check_vocabulary(files, set(words.values()), special)
        self.cls_id, self.sep_id, self.pad_id = (int(special[name] or 0) for name in _SPECIAL)
        self._turn = threading.Lock()

    def ids(self, sentences: Sequence[str]) -> list[tuple[int, ...]]:
        """See `summarizer.encoder.network.Tokenizing`."""
        with self._turn:
            found = self._fast.encode_batch_fast(list(sentences), add_special_tokens=False)
        return [tuple(encoding.ids) for encoding in found]


def serves(files: ModelFiles) -> bool:
    """Whether `tokenizer.json` says all there is to say, so that transformers would make the same ids."""
    if not (files.folder / FILE).is_file():
        return False
    stated = _read(files, FILE).get("normalizer")
    normalizer = stated if isinstance(stated, Mapping) else {}
    config = _read(files, _CONFIG)
    return (
        all(config[name] == normalizer.get(own) for name, own in _NORMALIZING.items() if name in config)
        or not config
    )


def check_vocabulary(files: ModelFiles, words: set[int], special: Mapping[str, int | None]) -> None:
    """Compares a vocabulary with the encoder that it is for.

    Args:
        files: of the encoder.
        words: every id.
        special: the ids of the special tokens that are needed, by their names.

    Raises:
        UnsupportedModelError: it is no vocabulary, or another encoder's.
    """
    if len(words) <= len(special):
        raise UnsupportedModelError(f"The model {files.name!r} has no vocabulary.")
    count = 1 + max(words)
    rows = files.config.get("vocab_size", count)
    if count > rows:
        raise UnsupportedModelError(f"The tokenizer of {files.name!r} has more words than its encoder.")
    if rows - count > _UNUSED_WORDS:
        raise UnsupportedModelError(f"The tokenizer of {files.name!r} is another encoder's: it lacks words.")
    missing = [name for name, place in special.items() if place is None]
    if missing:
        raise UnsupportedModelError(f"The tokenizer of {files.name!r} has no {', no '.join(missing)}.")


def no_tokenizer(files: ModelFiles, error: BaseException) -> UnsupportedModelError:
    """What is said of a tokenizer that cannot be read; not the message, which may hold what the file does."""
    return UnsupportedModelError(
        f"The model {files.name!r} has no usable tokenizer ({type(error).__name__})."
    )


def _special_tokens(files: ModelFiles) -> dict[str, str]:
    config = _read(files, _CONFIG)
    found = {}
    for name, usual in _SPECIAL.items():
        token = config.get(name, usual)
        if isinstance(token, Mapping):
            token = token.get("content")
        found[name] = token if isinstance(token, str) else usual
    return found


def _read(files: ModelFiles, name: str) -> dict[str, Any]:
    """A JSON object of the folder; {} where it is none, which transformers takes too."""
    path = files.folder / name
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
