"""The sentences of an audit as people see them, with their places in the note and what stands around them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

Pieces = list[tuple[str, bool]]
"""A text in parts, each with whether it differs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence is said to stand.

    Attributes:
        anchor: names the place on the page; "" for one that another has taken, or that is not in the text.
        text: what stands there, cut where it differs; empty where that could not be read.
        named: the first difference by name, or "".
        unread: the note could not be read, so nothing is known of the place.
        source: of the note, in a timeline; else "".
        version: of the note.
        title: of the note, in a timeline.
        said: the words that differ, as (what is shown, what the note says); empty where none do.
    """

    start: int
    end: int
    score: float | None
    ok: bool
    anchor: str
    text: Pieces
    named: str
    unread: bool = False
    source: str = ""
    version: str = ""
    title: str = ""
    said: tuple[str, ...] = ()


_OVER = frozenset({"heading", "lead in", "question", "column", "caption"})
"""Kinds of what stands over one sentence or many."""


@dataclass(frozen=True, slots=True)
class Around:
    """A piece of what is shown with a sentence.

    Attributes:
        kind: why, in a word or two.
        shown, text, said: as of `AuditRow` and `Place`.
        first: it is to be shown: the sentence above does not stand under it, or under more than this one.
    """

    kind: str
    start: int
    end: int
    ok: bool
    shown: Pieces
    text: Pieces
    said: tuple[str, ...]
    first: bool = True


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A sentence as shown, and its places: one in a summary, some in a timeline, none if none is stated.

    Attributes:
        before, after: what the note has around it, and what must be read with it.
        whole: it is known to be a sentence of the note with all that belongs to it, or nothing is known.
        apart: what stands over the sentence above ends there, and nothing is shown over this one.
    """

    number: int
    shown: Pieces
    places: tuple[Place, ...]
    before: tuple[Around, ...] = ()
    after: tuple[Around, ...] = ()
    whole: bool = True
    apart: bool = False

    @property
    def ok(self) -> bool:
        """Whether it stands in every place, and so does what is shown with it."""
        around = all(piece.ok for piece in (*self.before, *self.after))
        return self.whole and around and bool(self.places) and all(place.ok for place in self.places)

    @property
    def worded(self) -> Pieces:
        """As `shown`, with whole words for the letters that differ, as people read."""
        return _by_words(self.shown)

    @property
    def unread(self) -> bool:
        """Whether it is only for want of the note that it is not proven."""
        return bool(self.places) and not self.ok and all(place.ok or place.unread for place in self.places)


def under(row: AuditRow, above: Sequence[AuditRow]) -> AuditRow:
    """A row below others, with what is to be shown over it marked.

    That is what the sentence above does not stand under and is not itself; where something that stood over
    that one ends, all of it, or else this one would seem to stand under what has ended.
    """
    last = above[-1] if above else AuditRow(0, [], ())
    known = {(piece.start, piece.end) for piece in last.before if piece.ok}
    itself = {(place.start, place.end) for place in last.places if place.ok}
    here = {(piece.start, piece.end) for piece in row.before}
    ends = any(piece.kind in _OVER and (piece.start, piece.end) not in here for piece in last.before)

    def is_shown(piece: Around) -> bool:
        place = (piece.start, piece.end)
        return not piece.ok or (place not in itself and (ends or place not in known))

    before = tuple(replace(piece, first=is_shown(piece)) for piece in row.before)
    return replace(row, before=before, apart=ends and not any(piece.first for piece in before))


def _by_words(pieces: Pieces) -> Pieces:
    """The same text, where each word differs of which a letter does."""
    marks = [differs for part, differs in pieces for _ in part]
    words = re.finditer(r"\s+|\S+", "".join(part for part, _ in pieces))
    told = [(word[0], any(marks[word.start() : word.end()])) for word in words]
    return [
        ("".join(part for part, _ in group), differs) for differs, group in groupby(told, lambda one: one[1])
    ]
