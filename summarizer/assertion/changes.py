"""What becomes of code status and drugs in the course of a note."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from summarizer.assertion.matcher import Match
from summarizer.assertion.words import END, START, word_lists

_REACH = 8
_ACTIONS = ("off", "on", "change")
_STOPS = frozenset({".", ";", ":", END, "("})


class Line(Protocol):
    """A sentence's words and the rules found in it."""

    @property
    def words(self) -> Sequence[str]:
        """Between START and END."""

    @property
    def found(self) -> Sequence[tuple[str, Match]]:
        """The kind and place of each rule."""


def code_statuses(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Pairs of a sentence with a code status and the last one, where that one says another."""
    said = [(i, _codes(line)) for i, line in enumerate(lines)]
    said = [(i, codes) for i, codes in said if codes]
    if len(said) < 2:
        return
    last, codes = said[-1]
    yield from (
        (i, last)
        for i, earlier in said[:-1]
        if ("full" in earlier) != ("full" in codes) and earlier.isdisjoint(codes)
    )


def allergies(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Pairs of a sentence that says there are allergies, or none, and the last one that says the other."""
    last: dict[str, int] = {}
    said: list[tuple[int, str]] = []
    for i, line in enumerate(lines):
        for kind, _ in line.found:
            if kind.startswith("allergy/"):
                last[kind] = i
                said.append((i, kind))
    if len(last) < 2:
        return
    latest = max(last, key=lambda kind: last[kind])
    yield from ((i, last[latest]) for i, kind in said if kind != latest and i < last[latest])


def _codes(line: Line) -> set[str]:
    """The code statuses that a sentence states; an option that is not ticked states none."""
    if tuple(line.words[1:3]) == ("[", "]"):
        return set()
    return {kind.removeprefix("code/") for kind, _ in line.found if kind.startswith("code/")}


def treatments(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Pairs of a sentence on a drug and the last one that stops, starts or changes it, where that is news."""
    if not any(kind in _ACTIONS for line in lines for kind, _ in line.found):
        return
    events: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for i, line in enumerate(lines):
        for word, state in _events(line).items():
            events[word].append((i, state))
    for told in events.values():
        last, state = next(((i, s) for i, s in reversed(told) if s != "dose"), (-1, ""))
        for i, earlier in told:
            if i < last and _replaces(earlier, state):
                yield i, last


def _replaces(earlier: str, later: str) -> bool:
    if later == "change":
        return earlier in ("dose", "on")
    if later == "off":
        return earlier != "off"
    return earlier == "off"


def _events(line: Line) -> dict[str, str]:
    """For each word that may name a drug what the sentence says of it: off, on, change, or a dose."""
    told = dict.fromkeys(_dosed(line.words), "dose")
    for kind, match in sorted(line.found, key=lambda each: each[1].start):
        if kind in _ACTIONS and not _hypothetical(line.words, match):
            told |= dict.fromkeys(_objects(line.words, match), kind)
    return told


def _hypothetical(words: Sequence[str], match: Match) -> bool:
    """Whether an action hangs on an "if" before it, or right behind it in the same clause."""
    conditions = _lists("condition")
    for at in range(match.start - 1, 0, -1):
        if words[at] in (".", ";"):
            break
        if words[at] in conditions and words[at - 1] not in _lists("wonder"):
            return True
    for at in range(match.end, len(words)):
        if words[at] in _STOPS or words[at] == ",":
            break
        if words[at] in conditions:
            return words[at - 1] not in _lists("wonder")
    return False


def _objects(words: Sequence[str], match: Match) -> Iterator[str]:
    """What an action is done to: the words behind it and before it, up to a preposition or a stop."""
    prepositions, skip = _lists("preposition"), _lists("skip")
    for at in range(match.end, min(match.end + _REACH, len(words))):
        word = words[at]
        if word in prepositions or word in _STOPS:
            break
        if word not in skip and _names(word):
            yield word
    for at in range(match.start - 1, max(match.start - _REACH, 0), -1):
        word = words[at]
        if word in prepositions or word in (".", ";", START, ","):
            break
        if _names(word):
            yield word


def _dosed(words: Sequence[str]) -> Iterator[str]:
    """The words before a dose ("metoprolol tartrate 25 mg")."""
    units = _lists("dose")
    for at, word in enumerate(words):
        if word not in units or at < 2 or not words[at - 1][0].isdigit():
            continue
        back = at - 1
        while back > 0 and (words[back][0].isdigit() or words[back] in (".", ",", "-", "/")):
            back -= 1
        for name in words[max(back - 1, 1) : back + 1]:
            if _names(name):
                yield name


def _names(word: str) -> bool:
    return len(word) > 3 and word.isalpha() and word not in _lists("generic") and word not in _lists("empty")


@lru_cache(maxsize=8)
def _lists(name: str) -> frozenset[str]:
    return frozenset(word_lists()[name])
