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
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any

from summarizer.literals import folded, needed_together
from summarizer.types import SectionKind

__all__ = ["Answered", "Pattern", "Rule", "load_rules", "read_rule", "rule_versions"]

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
_BEGINNING = 3  # characters by which the strings that patterns need are looked up
_NOTHING_SAID = re.compile(r"(?:^|:)\W*$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for, why, and an example.

    Attributes:
        needs: sets of strings of each of which one stands in all that it matches, as `summarizer.literals`
            has them, the one that tells most first.
    """

    expression: re.Pattern[str]
    why: str
    example: str
    needs: tuple[frozenset[str], ...] = ()

    def found_in(self, statement: str, low: str) -> bool:
        """Whether it matches in a statement, of which `low` is `folded`."""
        for strings in self.needs:
            for string in strings:  # a plain loop: most statements hold none
                if string in low:
                    break
            else:
                return False
        return self.expression.search(statement) is not None


class Patterns(tuple[Pattern, ...]):
    """Patterns of a rule, to be asked whether any of them is found."""

    @cached_property
    def _by_string(self) -> dict[str, list[Pattern]]:
        """Under each string those that need one of its kind; under "" those that need none."""
        by_string: dict[str, list[Pattern]] = {"": [pattern for pattern in self if not pattern.needs]}
        for pattern in self:
            for string in (*pattern.needs, ())[0]:
                by_string.setdefault(string, []).append(pattern)
        return by_string

    def any_in(self, statement: str) -> bool:
        """Whether one of them matches in a statement; most statements hold nothing that one needs."""
        if not self:
            return False
        low, strings = _told(statement)
        by_string, asked = self._by_string, set[int]()
        for string in ("", *(strings & by_string.keys())):
            for pattern in by_string[string]:
                if id(pattern) not in asked:
                    asked.add(id(pattern))
                    if pattern.found_in(statement, low):
                        return True
        return False


_NO_PATTERNS = Patterns()


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
        """The words that an answer to this statement must have; None if it is no question of this kind."""
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
    follows: Patterns = _NO_PATTERNS
    answered: tuple[Answered, ...] = ()

    def hits(self, before: str, statement: str, section: SectionKind | None) -> bool:
        """Whether a statement is one of these.

        Args:
            before: the heading and labels that it stands under, empty or ended by a colon and a blank.
            statement: on one line.
            section: the kind of section it stands in.
        """
        if self.ticked:
            said = chosen(statement)
            if said != statement and _NOTHING_SAID.search(said):
                return False  # a choice that nobody made
            statement = said
        statement = before + statement
        # Few statements match, so what speaks against one is rarely looked for.
        if section not in self.sections and not self.match.any_in(statement):
            return False
        return not self.unless.any_in(statement)

    def goes_on(self, statement: str) -> bool:
        """Whether a statement belongs to a hit right before it."""
        return self.follows.any_in(statement)


@lru_cache(maxsize=1024)
def _told(statement: str) -> tuple[str, frozenset[str]]:
    """A statement in lower case, and which of the strings that patterns of the rules need stand in it."""
    low, known = folded(statement), _needs_by_beginning()
    begun = known.keys() & {low[at : at + _BEGINNING] for at in range(len(low))}
    begun |= known.keys() & {low[at : at + 2] for at in range(len(low))} | known.keys() & set(low)
    return low, frozenset(string for beginning in begun for string in known[beginning] if string in low)


@cache
def _needs_by_beginning() -> dict[str, list[str]]:
    of = [[*rule.match, *rule.unless, *rule.follows] for rule in load_rules()]
    every = {string for patterns in of for pattern in patterns for string in (*pattern.needs, ())[0]}
    by_beginning: dict[str, list[str]] = {}
    for string in sorted(every):
        by_beginning.setdefault(string[:_BEGINNING], []).append(string)
    return by_beginning


def chosen(statement: str) -> str:
    """A statement without the options of a form that were not chosen."""
    return _NOT_TICKED.sub("", statement) if "[" in statement or "☐" in statement else statement


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
        match=Patterns(_pattern(entry, lists) for entry in values["match"]),
        unless=Patterns(_pattern(entry, lists) for entry in values.get("unless", ())),
        follows=Patterns(_pattern(entry, lists) for entry in values.get("follows", ())),
        answered=tuple(
            Answered(
                _pattern(entry, lists),
                _pattern({"pattern": entry["by"], "why": entry["why"], "example": entry["answer"]}, lists),
                entry.get("later", False),
                frozenset(values.get("lists", {}).get("same", ())),
                entry.get("headed", False),
                _expression(entry["without"], lists) if "without" in entry else None,
            )
            for entry in values.get("answered", ())
        ),
    )


def _pattern(entry: dict[str, Any], lists: dict[str, str]) -> Pattern:
    compiled = _expression(entry["pattern"], lists)
    return Pattern(compiled, entry["why"], entry["example"], needed_together(compiled))


def _expression(pattern: str, lists: dict[str, str]) -> re.Pattern[str]:
    expression = pattern
    while _NAME.search(expression):  # a list may name another
        expression = _NAME.sub(lambda name: lists[name[1]], expression)
    try:
        return re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no pattern: {error}") from None
