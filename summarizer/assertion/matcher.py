"""Finds the rules' patterns in a statement, as spaCy's Matcher does, without spaCy.

Splitting a note must not import spaCy, which brings torch along where that is installed (some 400 MB); so the rules are matched here, by the first word and
then element by element. `spacy_component` matches the same patterns with spaCy's own Matcher; a test holds the two equal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from summarizer.assertion.rules import Direction, Element, Pattern, Rule
from summarizer.assertion.words import class_regex


@dataclass(frozen=True, slots=True)
class Match:
    """`words[start:end]` matches `rules[rule]`."""

    start: int
    end: int
    rule: int


class RuleMatcher:
    """All matches of a set of rules over the words of a statement."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._first: dict[str, list[tuple[Pattern, int]]] = {}
        self._classes: list[tuple[re.Pattern[str], Pattern, int]] = []
        self._regex = {kind: re.compile(class_regex(kind)) for kind in ("<n>", "<year>", "~")}
        for number, rule in enumerate(self.rules):
            for pattern in rule.patterns:
                head, rest = pattern[0], pattern[1:]
                if head.kind:
                    self._classes.append((self._regex[head.kind], rest, number))
                for word in head.words:
                    self._first.setdefault(word, []).append((rest, number))

    def __call__(self, words: Sequence[str]) -> list[Match]:
        """Every match, overlapping ones too, each once, in the order of start, end and rule."""
        found: set[tuple[int, int, int]] = set()
        first = self._first
        for start, word in enumerate(words):
            for rest, number in first.get(word, ()):
                found.update((start, end, number) for end in self._ends(words, start + 1, rest))
            if word[0].isdigit():
                for regex, rest, number in self._classes:
                    if regex.fullmatch(word):
                        found.update((start, end, number) for end in self._ends(words, start + 1, rest))
        return [Match(*each) for each in sorted(found)]

    def _ends(self, words: Sequence[str], at: int, rest: Pattern) -> set[int]:
        """Where the rest of a pattern can end if it begins at `at`."""
        ends = {at}
        for element in rest:
            following: set[int] = set()
            for end in ends:
                following.update(self._steps(words, end, element))
            if not following:
                return following
            ends = following
        return ends

    def _steps(self, words: Sequence[str], at: int, element: Element) -> list[int]:
        steps = [at] if not element.least else []
        for taken in range(1, element.most + 1):
            if at + taken > len(words) or not self._fits(words[at + taken - 1], element):
                break
            if taken >= element.least:
                steps.append(at + taken)
        return steps

    def _fits(self, word: str, element: Element) -> bool:
        if element.kind:
            return self._regex[element.kind].fullmatch(word) is not None
        return word in element.words


def standing(matches: Sequence[Match], rules: Sequence[Rule]) -> list[Match]:
    """The matches that stand beside each other, in order.

    A pseudo match takes away every match that it overlaps, but for one that begins before it and holds all of it. Of
    the rest, one that lies within a longer one goes ("no longer takes" is not "no"); a match over a gap takes nothing
    away, since it holds words that it does not name.
    """
    pseudo = [m for m in matches if rules[m.rule].direction is Direction.PSEUDO]
    real = [m for m in matches if rules[m.rule].direction is not Direction.PSEUDO]
    if pseudo:
        pseudo = [p for p in pseudo if not any(_within(p, m) and m.start < p.start and not rules[m.rule].gap for m in real)]
        real = [m for m in real if not any(p.start < m.end and m.start < p.end for p in pseudo)]
    whole = [m for m in real if not rules[m.rule].gap]
    return [m for m in real if not any(_within(m, other) for other in whole)]


def _within(match: Match, other: Match) -> bool:
    """Whether a match lies in another, longer one."""
    return other.start <= match.start and match.end <= other.end and other.end - other.start > match.end - match.start


__all__ = ["Direction", "Match", "RuleMatcher", "standing"]
