"""Finds the rules' patterns in a statement, as spaCy's Matcher does, without spaCy.

Splitting a note must not import spaCy, which brings torch along where that is installed (some 400 MB); so the
rules are matched here. `spacy_component` matches the same patterns with spaCy's own Matcher; a test holds the
two equal.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from summarizer.assertion.rules import Direction, Pattern, Rule
from summarizer.assertion.words import CLASSES, class_regex


@dataclass(frozen=True, slots=True)
class Match:
    """`words[start:end]` matches `rules[rule]`."""

    start: int
    end: int
    rule: int


class _Class:
    """A class of words, to be asked as a set is."""

    def __init__(self, kind: str) -> None:
        self._fits = re.compile(class_regex(kind)).fullmatch

    def __contains__(self, word: str) -> bool:
        return self._fits(word) is not None


Words = frozenset[str] | _Class


@dataclass(frozen=True, slots=True)
class _Tail:
    """What follows the first word of a pattern: up to `gap` words, then one of each of `words`, and again."""

    gap: int
    words: tuple[Words, ...]
    rule: int
    further: "_Tail | None" = None

    def ends(self, words: Sequence[str], at: int) -> Iterator[int]:
        """Where it can end if it begins at `at`."""
        for start in range(at, min(at + self.gap, len(words)) + 1):
            if start > at and not _is_word(words[start - 1]):
                return
            end = start + len(self.words)
            if end <= len(words) and all(
                word in want for word, want in zip(words[start:end], self.words, strict=True)
            ):
                if self.further is None:
                    yield end
                else:
                    yield from self.further.ends(words, end)


@dataclass(frozen=True, slots=True)
class _First:
    """The patterns that begin with a word: rules of that word alone, by the second word, and others."""

    single: list[int] = field(default_factory=list)
    pairs: dict[str, list[_Tail]] = field(default_factory=dict)
    tails: list[_Tail] = field(default_factory=list)


class RuleMatcher:
    """All matches of a set of rules over the words of a statement.

    Patterns are found by their first word and, where no gap follows it, their second.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._first: dict[str, _First] = {}
        self._numbers: list[tuple[Words, _Tail]] = []
        classes: dict[str, Words] = {kind: _Class(kind) for kind in CLASSES}
        for number, rule in enumerate(self.rules):
            for pattern in rule.patterns:
                for plain in _without_options(pattern):
                    self._add(plain, number, classes)

    def _add(self, pattern: Pattern, number: int, classes: dict[str, Words]) -> None:
        tail = _tail(pattern[1:], number, classes)
        if pattern[0].kind:
            self._numbers.append((classes[pattern[0].kind], tail))
            return
        for word in pattern[0].words:
            first = self._first.setdefault(word, _First())
            if len(pattern) == 1:
                first.single.append(number)
            elif not tail.gap and isinstance(tail.words[0], frozenset):
                shorter = _Tail(0, tail.words[1:], number, tail.further)
                for second in tail.words[0]:
                    first.pairs.setdefault(second, []).append(shorter)
            else:
                first.tails.append(tail)

    def __call__(self, words: Sequence[str]) -> list[Match]:
        """Every match, overlapping ones too, each once, in the order of start, end and rule."""
        found: set[tuple[int, int, int]] = set()
        present = frozenset(words)
        for start, word in enumerate(words):
            first = self._first.get(word)
            if first:
                found.update((start, start + 1, number) for number in first.single)
                if first.pairs and start + 1 < len(words):
                    for tail in first.pairs.get(words[start + 1], ()):
                        found.update((start, end, tail.rule) for end in tail.ends(words, start + 2))
                for tail in first.tails:
                    needed = tail.words[0]
                    if not isinstance(needed, frozenset) or not needed.isdisjoint(present):
                        found.update((start, end, tail.rule) for end in tail.ends(words, start + 1))
            if word[0].isdigit():
                for number_class, tail in self._numbers:
                    if word in number_class:
                        found.update((start, end, tail.rule) for end in tail.ends(words, start + 1))
        return [Match(*each) for each in sorted(found)]


def _is_word(word: str) -> bool:
    return word[0].isalnum() or word[0] == "_"


def _without_options(pattern: Pattern) -> Iterator[Pattern]:
    """The pattern with and without each word that may be missing."""
    choices = [
        [(element,)] if element.least or element.kind == "~" else [(element,), ()] for element in pattern
    ]
    for parts in product(*choices):
        yield tuple(element for part in parts for element in part)


def _tail(rest: Pattern, number: int, classes: dict[str, Words]) -> _Tail:
    gap = rest[0].most if rest and rest[0].kind == "~" else 0
    words: list[Words] = []
    for at, element in enumerate(rest):
        if element.kind == "~" and at:
            return _Tail(gap, tuple(words), number, _tail(rest[at:], number, classes))
        if element.kind != "~":
            words.append(classes[element.kind] if element.kind else element.words)
    return _Tail(gap, tuple(words), number)


def standing(matches: Sequence[Match], rules: Sequence[Rule]) -> list[Match]:
    """The matches that stand beside each other, in order.

    A pseudo match takes away every match that it overlaps, of its category if it has one, but for one that
    begins before it and holds all of it. Of the rest, one that lies within a longer one goes ("no longer
    takes" is not "no"); a match over a gap takes nothing away, since it holds words that it does not name.
    """
    pseudo = [m for m in matches if rules[m.rule].direction is Direction.PSEUDO]
    real = [m for m in matches if rules[m.rule].direction is not Direction.PSEUDO]
    if pseudo:
        pseudo = [
            p
            for p in pseudo
            if not any(_within(p, m) and m.start < p.start and not rules[m.rule].gap for m in real)
        ]
        real = [m for m in real if not any(_takes(rules[p.rule], rules[m.rule], p, m) for p in pseudo)]
    whole = [m for m in real if not rules[m.rule].gap]
    return [m for m in real if not any(_within(m, other) for other in whole)]


def _takes(pseudo: Rule, rule: Rule, at: Match, match: Match) -> bool:
    """Whether a pseudo match takes a match away."""
    overlaps = at.start < match.end and match.start < at.end
    return overlaps and (not pseudo.flags or set(rule.flags) <= set(pseudo.flags))


def _within(match: Match, other: Match) -> bool:
    """Whether a match lies in another, longer one."""
    return (
        other.start <= match.start
        and match.end <= other.end
        and other.end - other.start > match.end - match.start
    )
