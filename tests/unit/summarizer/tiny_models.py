"""What the tiny models of the tests are made of: a vocabulary of a few words, and a config of each kind."""

from pathlib import Path

from transformers import BertConfig, BertTokenizerFast, DistilBertConfig, ElectraConfig, RobertaConfig

WORDS = [
    "fever",
    "cough",
    "pain",
    "chest",
    "patient",
    "denies",
    "no",
    "stable",
    "mild",
    "left",
    "lung",
    "clear",
]
WORDS += ["heart", "today"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "[", "]", "se", "##p", *WORDS]
HIDDEN = 32
POSITIONS = 64

_SIZES = {"vocab_size": len(VOCABULARY), "hidden_size": HIDDEN, "intermediate_size": 48}
_LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS = {
    "bert": BertConfig(**_SIZES, **_LAYERS, max_position_embeddings=POSITIONS),
    "electra": ElectraConfig(**_SIZES, **_LAYERS, embedding_size=16, max_position_embeddings=POSITIONS),
    "distilbert": DistilBertConfig(
        vocab_size=len(VOCABULARY), dim=HIDDEN, hidden_dim=48, n_layers=2, n_heads=2,
        max_position_embeddings=POSITIONS,
    ),
    # Its positions begin after the padding id, so it can take one less than it has.
    "roberta": RobertaConfig(
        **_SIZES, **_LAYERS, max_position_embeddings=POSITIONS + 1, type_vocab_size=1, pad_token_id=0
    ),
}  # fmt: skip


def write_tokenizer(folder: Path) -> None:
    vocabulary = folder / "vocab.txt"
    vocabulary.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    BertTokenizerFast(vocab={word: i for i, word in enumerate(VOCABULARY)}).save_pretrained(folder)
