"""The model card: what a model was made from, how good it is, what it is not for."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.fit.calibration import Calibration
from training.fit.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of labels that the run read: its documents and sentences, and the SHA-256 of its bytes."""

    name: str
    sha256: str
    documents: int
    sentences: int
    corpus: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the card says.

    Attributes:
        name: of the model.
        encoder, encoder_sha256: what the training began from.
        settings: of the run.
        trained, validated: files of labels.
        training_documents, validation_documents: numbers of documents learned from, and measured on.
        rouge1, rouge2: of the validation documents, after the epoch `best_epoch` (from 1).
        calibration: None if there was none.
        licence: of the weights; "" where it was not stated.
        credits: whose work this rests on, and under what licence: one line each.
    """

    name: str
    encoder: str
    encoder_sha256: str
    settings: TrainSettings
    trained: Sequence[DataFile]
    validated: Sequence[DataFile]
    training_documents: int
    validation_documents: int
    rouge1: float
    rouge2: float
    best_epoch: int
    calibration: Calibration | None
    licence: str = ""
    credits: Sequence[str] = ()


def write_card(card: Card) -> str:
    """The card in Markdown."""
    parts = [_intended(card), _data(card), _training(card), _figures(card), _limits(card), _licences(card)]
    return f"# {card.name}\n\n" + "\n\n".join(parts) + "\n"


def _intended(card: Card) -> str:
    head = "a linear head" if card.settings.head.kind == "linear" else "inter-sentence transformer layers"
    return (
        f"An extractive summariser: BERTSum (Liu and Lapata 2019) with {head} on the\n"
        f"encoder `{card.encoder}`. It gives each sentence of a text a score, by which sentences are ranked\n"
        "and chosen; it writes no text of its own.\n\n"
        "## Intended use\n\n"
        "To point a reader to sentences of a clinical note or article that stands beside the summary. Not\n"
        "for use without the source, for diagnosis, triage or orders, or as the only reading of a note.\n\n"
        "```sh\nclinsum summarize note.txt --engine bertsum --model FOLDER\n```"
    )


def _data(card: Card) -> str:
    rows = [
        "## Training data",
        "",
        "| file of labels | corpus | use | documents | sentences | SHA-256 |",
        "|---|---|---|---|---|---|",
    ]
    for use, files in (("training", card.trained), ("validation", card.validated)):
        rows += [
            f"| {_cell(f.name)} | {_cell(f.corpus)} | {use} | {f.documents} | {f.sentences} | `{f.sha256}` |"
            for f in files
        ]
    held = "" if card.validated else ", which were held out of the same files by the seed"
    rows += [
        "",
        f"Learned from {card.training_documents} documents; measured on {card.validation_documents}{held}.",
    ]
    rows += ["The encoder that the training began from: SHA-256", f"`{card.encoder_sha256}`."]
    return "\n".join(rows)


def _training(card: Card) -> str:
    rows = ["## Settings", "", "| setting | value |", "|---|---|"]
    values = card.settings.to_json()
    head = values.pop("head")
    values |= {f"head.{name}": value for name, value in head.items()}
    rows += [f"| {name} | {_cell(str(value))} |" for name, value in values.items()]
    return "\n".join(rows)


def _figures(card: Card) -> str:
    chosen = f"by which the best epoch ({card.best_epoch}) was also chosen,"
    if not card.settings.patience:
        chosen = f"after the last epoch ({card.best_epoch}),"
    rows = [
        "## Figures",
        "",
        f"On the {card.validation_documents} validation documents, {chosen} with summaries of",
        f"{card.settings.words} words:",
        f"ROUGE-1 {card.rouge1:.4f}, ROUGE-2 {card.rouge2:.4f} (F1, with stemmer).",
        "`clinsum evaluate` measures it on documents that had no part in that.",
    ]
    found = card.calibration
    if found is None:
        return "\n".join([*rows, "", "Scores are not calibrated."])
    rows += [
        "",
        "Scores are fitted to the targets of the validation documents by Platt scaling, and are no",
        f"probabilities of anything else. Expected calibration error {found.error:.4f} (before:",
        f"{found.raw_error:.4f}), each half of these documents measured with a fit on the other:",
        "",
        "| score | sentences | mean score | share wanted |",
        "|---|---|---|---|",
    ]
    rows += [
        f"| {b.low:.1f} to {b.high:.1f} | {b.count} | {b.probability:.3f} | {b.chosen:.3f} |"
        for b in found.bins
    ]
    return "\n".join(rows)


def _limits(card: Card) -> str:
    return (
        "## Limits\n\n"
        "- Targets are marks of must-know facts where a file of labels says `mustknow` (one reader a note,\n"
        "  a language model working as a careful reader, no panel of clinicians), else word overlap with\n"
        "  abstracts or conclusions. None is the judgement of clinicians.\n"
        "- A score ranks the sentences of one text; it says nothing of texts unlike the validation's.\n"
        "- What a note says wrongly is highlighted as it stands; what it leaves out cannot be found.\n"
        "- English, as far as the training data are."
    )


def _licences(card: Card) -> str:
    stated = card.licence or "Not stated: look at the licences of the encoder and of the training data"
    return "\n".join(["## Licences", "", f"Weights: {stated}.", *(f"- {line}" for line in card.credits)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
