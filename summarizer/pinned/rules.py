"""Rules as data: each file in `rules/` is one, to be read and changed by a clinician in a diff.

A file has `id`, `version` (raised with every change of what it finds), `title`, `limit` (lines shown at
most), optionally `sections` (kinds of which every statement is a hit), `ticked` (what stands behind a box
that is not ticked is not read) and `lists` of words, which patterns name in braces. Each `match` and
`unless` has a `pattern`, `why`, and an `example` that it matches; case is not minded. So has each `follows`:
of a statement right behind a hit, which belongs to it and is shown after it. Each `answered` has
beside them `by`, the pattern of another statement of the note after which nothing is open any more, with an
`answer` as its example; `later`, if it must stand further on; `headed`, if its pattern is of the hit with its
heading before it; `without`, a pattern of which the note may have no statement; and in its pattern a group
`what`, if the words of that group, but for those of the list `same`, must stand in the answer too.
"""

import re
import tomllib
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from itertools import accumulate
from typing import Any

from summarizer.literals import folded, needed
from summarizer.types import SectionKind

__all__ = [
    "Answered",
    "Pattern",
    "Patterns",
    "Rule",
    "Statement",
    "load_rules",
    "looked_up",
    "read_rule",
    "rule_versions",
]

# In the order in which a clinician wants to read them.
_ORDER = (
    "allergies",
    "code-status",
    "critical-results",
    "high-alert-medicines",
    "pending-results",
    "follow-up",
)
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"\{([a-z]+)\}")
# An option of a form that was not chosen, up to the next box.
_NOT_TICKED = re.compile(r"(?:\[\s?\]|☐)[^\[☐☑☒]*")
_END = 4  # characters at each end of a string by which most are ruled out
_NOTHING_SAID = re.compile(r"(?:^|:)\W*$")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a note, as rules read it.

    Attributes:
        text: on one line.
        under: the heading and labels that it stands under, empty or ended by a colon and a blank.
        section: the kind of section it stands in.
        strings: those that patterns are found by and that stand in it, as `looked_up` finds them.
    """

    text: str
    under: str = ""
    section: SectionKind | None = None
    strings: frozenset[str] = frozenset()

    @property
    def whole(self) -> str:
        """The statement with what it stands under before it."""
        return self.under + self.text


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for, why, and an example.

    Attributes:
        source: of the expression, with lists for their names.
        needs: sets of strings of each of which one stands in all that it matches, as `needed` has them; the
            rules that ship need some, which tests hold, since without a pattern is tried everywhere.
    """

    source: str
    why: str
    example: str
    needs: tuple[frozenset[str], ...]

    def found_in(self, text: str, low: str) -> bool:
        """Whether it matches in a text, of which `low` is `folded`."""
        for part in self.needs:  # plain loops: this is asked of most statements
            for string in part:
                if string in low:
                    break
            else:
                return False
        return self.expression.search(text) is not None

    @property
    def expression(self) -> re.Pattern[str]:
        """Compiled when it is first asked for: most notes hold nothing of most patterns."""
        return _compiled(self.source)


@dataclass(frozen=True)
class Patterns:
    """Patterns of which any may match, each found by the strings that it needs."""

    all: tuple[Pattern, ...] = ()

    def __iter__(self) -> Iterator[Pattern]:
        return iter(self.all)

    @cached_property
    def by_string(self) -> Mapping[str, Sequence[Pattern]]:
        """The patterns by each string of the first set that they need one of; by "" if they need none."""
        found: dict[str, list[Pattern]] = {}
        for pattern in self.all:
            for string in pattern.needs[0] if pattern.needs else ("",):
                found.setdefault(string, []).append(pattern)
        return found

    def any_in(self, text: str, strings: frozenset[str]) -> bool:
        """Whether one matches in a text that holds no other of the strings in `by_string`."""
        near = {id(pattern): pattern for string in strings for pattern in self.by_string.get(string, ())}
        low = folded(text) if near else ""
        return any(pattern.found_in(text, low) for pattern in near.values())


@dataclass(frozen=True, slots=True)
class Answered:
    """A hit that is none where another statement of the note answers it.

    Attributes:
        pattern: of the hit.
        by: of the answer.
        later: the answer must stand behind the hit.
        same: words of the group `what` that need not stand in the answer.
        headed: the pattern is of the hit with what it stands under.
        without: nothing answers in a note with a statement of this kind.
    """

    pattern: Pattern
    by: Pattern
    later: bool
    same: frozenset[str]
    headed: bool = False
    without: re.Pattern[str] | None = None

    def asks(self, statement: str) -> frozenset[str] | None:
        """The words that an answer to this text must have; None if it is no question of this kind."""
        found = self.pattern.expression.search(statement)
        if not found:
            return None
        what = found.groupdict().get("what") or ""
        return words_of(what) - self.same

    def is_answer(self, statement: str) -> bool:
        """Whether a statement, with its heading before it, is such an answer."""
        return bool(self.by.expression.search(statement))


@dataclass(frozen=True, slots=True)
class Rule:
    """What is pinned, and what looks like it and is not."""

    id: str
    version: int
    title: str
    limit: int
    sections: frozenset[SectionKind]
    ticked: bool
    match: Patterns
    unless: Patterns
    follows: Patterns = Patterns()
    answered: tuple[Answered, ...] = ()

    def hits(self, statement: Statement) -> bool:
        """Whether a statement is one of these."""
        whole = statement.section in self.sections
        if not whole and statement.strings.isdisjoint(self.match.by_string):
            return False
        text = statement.text
        if self.ticked:
            text = chosen(text)
            if text != statement.text and _NOTHING_SAID.search(text):
                return False  # a choice that nobody made
        text = statement.under + text
        # Few statements match, so what speaks against one is rarely looked for.
        if not whole and not self.match.any_in(text, statement.strings):
            return False
        return not self.unless.any_in(text, statement.strings)

    def goes_on(self, statement: Statement) -> bool:
        """Whether a statement belongs to a hit right before it."""
        return self.follows.any_in(statement.text, statement.strings)


@cache
def _all_needs() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The strings that patterns are found by, each with its ends, if it is long enough to have some."""
    of = [patterns.by_string for rule in load_rules() for patterns in (rule.match, rule.unless, rule.follows)]
    strings = sorted(set().union(*of))
    return tuple((one, (one[:_END], one[-_END:]) if len(one) >= _END else ()) for one in strings)


def looked_up(statements: Sequence[Statement]) -> list[Statement]:
    """Statements of one note with the strings of each that patterns are found by.

    Of a note's statements most match nothing, so each string is looked for in all of them at once, and
    only where its ends stand in the note: to look for it takes longer.
    """
    texts = [_low(statement) for statement in statements]
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    low = "\n".join(texts)
    found: list[set[str]] = [set() for _ in statements]
    ends = {low[at : at + _END] for at in range(len(low))}
    for string, own in _all_needs():
        at = low.find(string) if ends.issuperset(own) else -1
        while 0 <= at < len(low):
            place = bisect(starts, at) - 1
            found[place].add(string)
            at = low.find(string, starts[place + 1])
    return [replace(one, strings=frozenset(own)) for one, own in zip(statements, found, strict=True)]


def _low(statement: Statement) -> str:
    """What patterns read of a statement, with and without what was not chosen in it."""
    said = chosen(statement.text)
    texts = (statement.text,) if said == statement.text else (statement.text, said)
    return "\n".join(folded(f"{statement.under}{text}") for text in texts)


def chosen(statement: str) -> str:
    """A statement without the options of a form that were not chosen."""
    return _NOT_TICKED.sub("", statement)


def words_of(statement: str) -> frozenset[str]:
    """The words of a statement, in lower case."""
    return frozenset(_WORD.findall(statement.lower()))


@cache
def load_rules() -> tuple[Rule, ...]:
    """All rules, in the order in which they are shown."""
    return tuple(map(read_rule, _texts()))


@cache
def rule_versions() -> tuple[tuple[str, int], ...]:
    """Id and version of each rule, as `load_rules` has them; its patterns take half a second."""
    return tuple((values["id"], values["version"]) for values in map(tomllib.loads, _texts()))


def _texts() -> list[str]:
    """Of the files of the rules, in their order."""
    folder = files(__package__).joinpath("rules")
    return [folder.joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in _ORDER]


def read_rule(text: str) -> Rule:
    """A rule out of the text of its file.

    Raises:
        KeyError, ValueError: something is missing, or a pattern is none.
    """
    values = tomllib.loads(text)
    lists = {name: f"(?:{'|'.join(words)})" for name, words in values.get("lists", {}).items()}
    return Rule(
        id=values["id"],
        version=values["version"],
        title=values["title"],
        limit=values["limit"],
        sections=frozenset(map(SectionKind, values.get("sections", ()))),
        ticked=values.get("ticked", False),
        match=_patterns(values["match"], lists),
        unless=_patterns(values.get("unless", ()), lists),
        follows=_patterns(values.get("follows", ()), lists),
        answered=tuple(
            Answered(
                _pattern(entry, lists),
                _pattern({"pattern": entry["by"], "why": entry["why"], "example": entry["answer"]}, lists),
                entry.get("later", False),
                frozenset(values.get("lists", {}).get("same", ())),
                entry.get("headed", False),
                _compiled(_expanded(entry["without"], lists)) if "without" in entry else None,
            )
            for entry in values.get("answered", ())
        ),
    )


def _patterns(entries: Sequence[dict[str, Any]], lists: dict[str, str]) -> Patterns:
    return Patterns(tuple(_pattern(entry, lists) for entry in entries))


def _pattern(entry: dict[str, Any], lists: dict[str, str]) -> Pattern:
    source = _expanded(entry["pattern"], lists)
    try:
        return Pattern(source, entry["why"], entry["example"], needed(source))
    except re.error as error:
        raise ValueError(f"{entry['pattern']!r} is no pattern: {error}") from None


def _expanded(pattern: str, lists: dict[str, str]) -> str:
    while _NAME.search(pattern):  # a list may name another
        pattern = _NAME.sub(lambda name: lists[name[1]], pattern)
    return pattern


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)
