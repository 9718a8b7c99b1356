"""Encoders of a size that is known, with random weights, which do not change how long they take."""

from collections.abc import Mapping
from pathlib import Path

from summarizer.encoder.files import find_model

# Devlin et al. 2019, "BERT", table of sizes; vocabulary and positions are those of the encoder that ships.
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}


def write_random(folder: Path, size: Mapping[str, int]) -> None:
    """A BERT of this size, and the tokenizer that ships.

    Args:
        folder: that is written to.
        size: of `transformers.BertConfig`, by name.
    """
    from transformers import AutoTokenizer, BertConfig, BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    tokenizer = AutoTokenizer.from_pretrained(find_model(None).folder)
    tokenizer.save_pretrained(folder)
    BertModel(BertConfig(vocab_size=len(tokenizer), **size)).save_pretrained(folder)  # type: ignore[arg-type]
