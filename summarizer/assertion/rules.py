"""Rules as a clinician reads them in the data files, and as patterns over words.

The notation is described at the head of `modifiers.txt`. A term becomes one or more patterns in the shape of
spaCy's Matcher: a sequence of elements, each a set of words or a class of words, with how often it may stand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product

from summarizer.assertion.words import CLASSES, END, START, class_regex, data_lines, tokens, word_lists
from summarizer.types import Flag

_ANCHORS = {"^": [START], "$": [END]}
_UNLESS = "unless "
_COLUMN = re.compile(r"\s{0,80}\|\s{0,80}")


class Direction(StrEnum):
    """Where the words stand that a rule speaks of."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"
    VALUE = "value"
    PSEUDO = "pseudo"
    TERMINATE = "terminate"
    SUPPOSE = "suppose"


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a pattern.

    Attributes:
        words: any of these, in lower case; empty if a class is meant.
        kind: "" or the class: `<n>` a number, `<year>` a year, `<past>` what was done, `~` any word.
        least, most: how many words may stand here.
    """

    words: frozenset[str] = frozenset()
    kind: str = ""
    least: int = 1
    most: int = 1

    def spacy(self) -> dict[str, object]:
        """The element as a token pattern of spaCy's Matcher."""
        what: dict[str, object] = (
            {"REGEX": f"^{class_regex(self.kind)}$"} if self.kind else {"IN": sorted(self.words)}
        )
        pattern: dict[str, object] = {"LOWER": what}
        if (self.least, self.most) != (1, 1):
            pattern["OP"] = f"{{{self.least},{self.most}}}"
        return pattern


Pattern = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a data file.

    Attributes:
        flags: empty for one that ends all scopes, and for a pseudo rule that takes away triggers of any.
        scope: at most so many words; None: to the end of the statement; 0: it needs none.
        unless: the groups of `heading_exceptions` that keep a heading's flag from a sentence.
        kind: of the rules on neighbours, as their files say; of an exception its group.
        needs: of the rules on neighbours, as their files say.
    """

    term: str
    direction: Direction
    flags: tuple[Flag, ...]
    patterns: tuple[Pattern, ...]
    scope: int | None = None
    unless: frozenset[str] = frozenset()
    kind: str = ""
    needs: str = ""

    @property
    def gap(self) -> bool:
        """Whether it reaches over words that it does not name."""
        return any(element.kind == "~" for pattern in self.patterns for element in pattern)


@lru_cache(maxsize=1)
def modifiers() -> tuple[Rule, ...]:
    """The rules of `modifiers.txt`.

    Raises:
        ValueError: a line is not such a rule.
    """
    return tuple(map(_modifier, data_lines("modifiers.txt")))


@lru_cache(maxsize=1)
def heading_rules() -> tuple[Rule, ...]:
    """The rules of `headings.txt`.

    Raises:
        ValueError: a line is not such a rule.
    """
    return tuple(rule for rule in map(_heading, data_lines("headings.txt")) if not rule.kind)


@lru_cache(maxsize=1)
def heading_exceptions() -> tuple[Rule, ...]:
    """The terms of `headings.txt` that keep flags from a sentence, their group as `kind`.

    Raises:
        ValueError: a line is not such a rule.
    """
    return tuple(rule for rule in map(_heading, data_lines("headings.txt")) if rule.kind)


def _modifier(line: str) -> Rule:
    term, direction, category, scope, *_ = [*_COLUMN.split(line), "", "", ""]
    flags = () if category in ("", "all") else tuple(map(Flag, category.split(",")))
    return Rule(term, Direction(direction), flags, parse_term(term), int(scope) if scope else None)


def _heading(line: str) -> Rule:
    term, category, unless, *_ = [*_COLUMN.split(line), "", ""]
    if category == "pseudo":
        return Rule(term, Direction.PSEUDO, (), parse_term(term))
    if category.startswith(_UNLESS):
        return Rule(term, Direction.FORWARD, (), parse_term(term), kind=category.removeprefix(_UNLESS))
    return Rule(term, Direction.FORWARD, (Flag(category),), parse_term(term), None, frozenset(unless.split()))


def neighbour_rules(name: str) -> tuple[Rule, ...]:
    """The rules of `leaning.txt` or `corrections.txt`.

    Raises:
        ValueError: a line is not such a rule.
    """
    return tuple(map(_neighbour, data_lines(name)))


def _neighbour(line: str) -> Rule:
    term, kind, needs, *_ = [*_COLUMN.split(line), "", ""]
    direction = Direction.PSEUDO if kind == "pseudo" else Direction.FORWARD
    return Rule(term, direction, (), parse_term(term), kind=kind, needs=needs)


def parse_term(term: str) -> tuple[Pattern, ...]:
    """The patterns of a term; several where an alternative has several words or is a class.

    Raises:
        ValueError: the term begins with something that may be missing, or names an unknown list.
    """
    patterns = tuple(tuple(element for part in parts for element in part) for parts in product(*_parts(term)))
    if any(not p or not p[0].least or p[0].kind in ("~", "<past>") for p in patterns):
        raise ValueError(f"a rule must begin with a word: {term}")
    return patterns


def _parts(term: str) -> Iterator[list[Pattern]]:
    """For each part of a term its alternatives."""
    for part in _split(term):
        if part.startswith("~"):
            yield [(Element(kind="~", least=0, most=int(part[1:])),)]
            continue
        bare = part[:-1] if part.endswith("?") and len(part) > 1 else part
        least = 0 if bare != part else 1
        names = bare[1:-1].split(",") if bare.startswith("{") and bare.endswith("}") else [bare]
        yield _alternatives([word for name in names for word in _listed(name)], least)


def _split(term: str) -> list[str]:
    """A term at the blanks that are not inside braces."""
    parts, depth = [""], 0
    for letter in term:
        depth += (letter == "{") - (letter == "}")
        if letter == " " and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _listed(name: str) -> tuple[str, ...]:
    """The words of a named list, or the word itself."""
    if not name.startswith("@"):
        return (name,)
    if name[1:] not in word_lists():
        raise ValueError(f"no list {name} in words.txt")
    return word_lists()[name[1:]]


def _alternatives(words: list[str], least: int) -> list[Pattern]:
    """One pattern for all single words, one for each class, one for each alternative of several words."""
    single: set[str] = set()
    several: list[Pattern] = []
    for word in words:
        found = _ANCHORS.get(word) or tokens(word)
        if word in CLASSES:
            several.append((Element(kind=word),))
        elif len(found) == 1:
            single.add(found[0])
        else:
            if not found:
                raise ValueError(f"no word in {word!r}")
            several.append(tuple(Element(frozenset({token})) for token in found))
    if several and not least and not single:
        several.append(())
    return [(Element(frozenset(single), least=least),), *several] if single else several
