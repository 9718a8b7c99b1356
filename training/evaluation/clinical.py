"""Clinical recall: what summaries find of the conclusions of notes that have no abstract.

A **target** is a sentence of a section that `summarizer.segmentation` calls impression, assessment or plan.
It is found if a chosen sentence is it (holds at least half of its characters, as a note is split anew in each
arrangement) or has the same words, since a summary never says the same twice. Targets with the same words
are one; one that is taken for no sentence in an arrangement does not count there, as no engine could choose
it. Recall is the share of the targets found; of a note, the mean over its arrangements of a kind; of a
corpus, the mean over its notes.

Two kinds of line are read:

*Notes*, `{"text": ...}`. The blocks of a note are its sections with their headings, and what stands before
the first. `moved` is the recall over up to five seeded shuffles of whole blocks, none of which is the order
of the note, so that position alone can't win; `in order` is that of the note as it is. Unless a budget is
given, a summary may hold as many sentences as there are targets.

*Reports*, `{"indication": ..., "findings": ..., "impression": ...}` (indication may be missing). The text is
the three under their headings; targets are the sentences of the impression. It stands behind the other two in
`impression last` and before them in `impression first`; `both orders` is the mean. Unless a budget is given,
a summary may hold three sentences.

Notes and reports where nothing is to be chosen are left out and counted: without a target, with nothing but
targets, with a single block, or with no more sentences or words than the budget.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from summarizer.segmentation.segment import segment
from summarizer.selection.select import count_words
from summarizer.types import Budget, Segmentation, Span
from training.corpora.notes import CONCLUSIONS
from training.evaluation.errors import EvaluationError
from training.evaluation.lines import UnusableLineError, file_sha256, read_objects
from training.evaluation.types import BadLine, Case, Corpus, Item

SHUFFLES = 5
REPORT_SENTENCES = 3

IN_ORDER, MOVED, LAST, FIRST = "in order", "moved", "impression last", "impression first"
BOTH = "both orders"
_NOTE, _REPORT = (MOVED, IN_ORDER), (BOTH, LAST, FIRST)
_REPORT_PARTS = ("indication", "findings", "impression")
_BETWEEN = "\n\n"


class NothingToChooseError(ValueError):
    """A sound note on which nothing can be measured; the message says why."""


def read_notes(path: Path, budget: Budget | None = None, limit: int | None = None, seed: int = 0) -> Corpus:
    """Reads JSON lines of notes or reports, also from .gz and .xz files.

    Args:
        path: the file.
        budget: how much a summary may hold; see above for None.
        limit: reading ends after so many notes that can be measured on.
        seed: decides the shuffles, together with the text of each note.

    Raises:
        EvaluationError: the file cannot be read, holds both kinds, or nothing can be measured on it.
    """
    cases: list[Case] = []
    bad: list[BadLine] = []
    left_out: Counter[str] = Counter()
    sha256 = file_sha256(path)
    for number, row in read_objects(path):
        if isinstance(row, BadLine):
            bad.append(row)
            continue
        try:
            items = _report(row, budget) if "impression" in row else _note(row, budget, seed)
            cases.append(Case(number, items))
        except UnusableLineError as error:
            bad.append(BadLine(number, str(error)))
        except NothingToChooseError as error:
            left_out[str(error)] += 1
        if len(cases) == limit:
            break
    if not cases:
        raise EvaluationError(f"{path} has no note with conclusions to find and something beside them.")
    if len({_is_note(case) for case in cases}) > 1:
        raise EvaluationError(f"{path} holds notes and reports; measure them one by one.")
    return Corpus(path.name, sha256, tuple(cases), tuple(bad), dict(left_out))


def measures(corpus: Corpus) -> tuple[str, ...]:
    """The names of what `figures` gives for a corpus of `read_notes`; the first is the one to go by."""
    return _NOTE if _is_note(corpus.cases[0]) else _REPORT


def figures(case: Case, chosen: Sequence[Sequence[int]]) -> list[float]:
    """The measures of one note.

    Args:
        case: the note in its arrangements.
        chosen: the indices chosen of each.
    """
    found: dict[str, list[float]] = {}
    for item, indices in zip(case.items, chosen, strict=True):
        found.setdefault(item.arrangement, []).append(recall(item, indices))
    means = {arrangement: sum(shares) / len(shares) for arrangement, shares in found.items()}
    means[BOTH] = sum(means.values()) / len(means)
    return [means[name] for name in (_NOTE if _is_note(case) else _REPORT)]


def _is_note(case: Case) -> bool:
    return case.items[0].arrangement == IN_ORDER


def recall(item: Item, chosen: Sequence[int]) -> float:
    """The share of the targets that have a sentence among the chosen."""
    return sum(not target.isdisjoint(chosen) for target in item.targets) / len(item.targets)


def best_choice(item: Item) -> list[int]:
    """As many targets as the budget holds, the shortest first: the upper bound of recall."""
    cost = [count_words(s) if item.budget.words is not None else 1 for s in item.sentences]
    left = item.budget.words if item.budget.words is not None else item.budget.sentences
    chosen = []
    for target in sorted(item.targets, key=lambda target: min(cost[i] for i in target)):
        index = min(target, key=lambda i: (cost[i], i))
        if left is None or cost[index] <= left:
            chosen.append(index)
            left = None if left is None else left - cost[index]
    return sorted(chosen)


def _note(row: Mapping[str, Any], budget: Budget | None, seed: int) -> tuple[Item, ...]:
    text = _string(row, "text")
    if not text:
        raise UnusableLineError("no text")
    parts = segment(text)
    targets = [
        Span(s.start, s.end)
        for s in parts.sentences
        if s.section is not None and parts.sections[s.section].kind in CONCLUSIONS
    ]
    if not targets:
        raise NothingToChooseError("no impression, assessment or plan")
    blocks = _blocks(text, parts)
    if len(blocks) < 2:
        raise NothingToChooseError("one section only")
    items = [_item(text, parts, targets, budget, IN_ORDER)]
    for order in _shuffles(len(blocks), f"{seed}:{text}"):
        moved, places = _arranged(text, [blocks[i] for i in order], targets)
        items.append(_item(moved, segment(moved), places, budget, MOVED))
    return tuple(items)


def _report(row: Mapping[str, Any], budget: Budget | None) -> tuple[Item, ...]:
    sections = {name: f"{name.upper()}: {value}" for name in _REPORT_PARTS if (value := _string(row, name))}
    if "impression" not in sections:
        raise NothingToChooseError("no impression")
    if "findings" not in sections:
        raise NothingToChooseError("no findings")
    impression = sections.pop("impression")
    items = []
    for arrangement in (LAST, FIRST):
        others = list(sections.values())
        text = _BETWEEN.join([*others, impression] if arrangement == LAST else [impression, *others])
        start = text.index(impression) if arrangement == FIRST else len(text) - len(impression)
        parts = segment(text)
        targets = [
            Span(s.start, s.end)
            for s in parts.sentences
            if start <= s.start and s.end <= start + len(impression)
        ]
        if not targets:
            raise NothingToChooseError("no impression")
        items.append(_item(text, parts, targets, budget or Budget(sentences=REPORT_SENTENCES), arrangement))
    return tuple(items)


def _string(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise UnusableLineError(f"{name} is not a string")
    return (value or "").strip("\n")


def _blocks(text: str, parts: Segmentation) -> list[Span]:
    """What stands before the first section, and each section, without blank ones."""
    first = parts.sections[0].start if parts.sections else len(text)
    spans = [Span(0, first), *(Span(section.start, section.end) for section in parts.sections)]
    return [span for span in spans if text[span.start : span.end].strip()]


def _shuffles(count: int, seed: str) -> list[list[int]]:
    """Up to `SHUFFLES` different orders of blocks, none of them the order there is."""
    draw = random.Random(seed)
    orders: dict[tuple[int, ...], None] = {}
    for _ in range(SHUFFLES):
        order = list(range(count))
        while order == sorted(order):
            draw.shuffle(order)
        orders[tuple(order)] = None
    return [list(order) for order in orders]


def _arranged(text: str, blocks: Sequence[Span], spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """The blocks one after the other, and where the spans that lie in them have come to."""
    pieces, moved, start = [], [], 0
    for block in blocks:
        piece = text[block.start : block.end].rstrip()
        shift = start - block.start
        moved += [Span(s.start + shift, s.end + shift) for s in spans if block.start <= s.start < block.end]
        pieces.append(piece)
        start += len(piece) + len(_BETWEEN)
    return _BETWEEN.join(pieces), moved


def _item(
    text: str, parts: Segmentation, targets: Sequence[Span], budget: Budget | None, arrangement: str
) -> Item:
    spans = [Span(s.start, s.end) for s in parts.sentences]
    sentences = tuple(text[s.start : s.end] for s in spans)
    same: dict[str, list[int]] = {}
    for i, sentence in enumerate(sentences):
        same.setdefault(_words(sentence), []).append(i)
    found = {}
    for target in targets:
        words = _words(text[target.start : target.end])
        if sentences_for := [*_holders(target, spans), *same.get(words, ())]:
            found[words] = frozenset(sentences_for)
    if not found:
        raise NothingToChooseError("conclusions are no sentences once the sections are moved")
    budget = budget or Budget(sentences=len(found))
    if len(frozenset[int]().union(*found.values())) == len(sentences):
        raise NothingToChooseError("nothing beside the conclusions")
    if len(sentences) <= (budget.sentences or 0) or sum(map(count_words, sentences)) <= (budget.words or 0):
        raise NothingToChooseError("no more than the budget holds")
    return Item(
        sentences,
        tuple(s.start for s in spans),
        budget,
        text=text,
        targets=tuple(found.values()),
        arrangement=arrangement,
    )


def _holders(target: Span, spans: Sequence[Span]) -> list[int]:
    """The sentences that hold at least half of a span; if none does, the one that holds most of it."""
    held = {i: min(s.end, target.end) - max(s.start, target.start) for i, s in enumerate(spans)}
    enough = min(max(held.values(), default=0), (target.end - target.start) / 2)
    return [i for i, length in held.items() if length > 0 and length >= enough]


def _words(sentence: str) -> str:
    """What makes two sentences the same: their words, whatever their case, spacing and final stop."""
    return " ".join(sentence.casefold().split()).rstrip(" .")
