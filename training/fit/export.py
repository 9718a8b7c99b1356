"""The model folder that a run ends with: weights, declaration, tokenizer and card."""

from pathlib import Path

from summarizer.bertsum.export import write_model_folder
from summarizer.bertsum.model import BertSum
from summarizer.encoder.files import ModelFiles, read_folder
from summarizer.files import replaced
from training.fit.card import Card, write_card

CARD = "README.md"


def export(
    model: BertSum, source: ModelFiles, out: Path, card: Card, *, half: bool, compact: bool
) -> ModelFiles:
    """Writes the folder that `--model` takes.

    Args:
        model: in half precision already if `half`, see `summarizer.bertsum.export.round_to_half`.
        source: what the encoder was loaded from.
        out: the folder.
        card: what the card says.
        half: weights in half precision.
        compact: matrices of the heads in bytes.

    Returns:
        The files, whose hash is that of the model in every result.
    """
    write_model_folder(model, source, out, half=half, compact=compact)
    with replaced(out / CARD, private=False) as file:
        file.write(write_card(card))
    return read_folder(out, out.resolve().name)
