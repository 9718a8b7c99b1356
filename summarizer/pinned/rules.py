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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from summarizer.literals import folded, needed
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
_NOTHING_SAID = re.compile(r"(?:^|:)\W*$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for, why, and an example.

    Attributes:
        needs: strings of which one stands in all that it matches, as `summarizer.literals` has them.
    """

    expression: re.Pattern[str]
    why: str
    example: str
    needs: frozenset[str] = frozenset()

    def found_in(self, statement: str, low: str) -> bool:
        """Whether it matches in a statement, of which `low` is `folded`."""
        if not self.needs:
            return self.expression.search(statement) is not None
        for string in self.needs:  # a plain loop: most statements hold none, and this is asked of each
            if string in low:
                return self.expression.search(statement) is not None
        return False


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
    match: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    follows: tuple[Pattern, ...] = ()
    answered: tuple[Answered, ...] = ()

    def hits(self, before: str, statement: str, section: SectionKind | None) -> bool:
        """Whether a statement is one of these.

        Args:
            before: the heading and labels that it stands under, empty or ended by a colon and a blank.
            statement: on one line.
            section: the kind of section it stands in.
        """
        if not self.match and section not in self.sections:
            return False  # no pattern of the rule can match in this note
        if self.ticked:
            said = chosen(statement)
            if said != statement and _NOTHING_SAID.search(said):
                return False  # a choice that nobody made
            statement = said
        statement = before + statement
        # Few statements match, so what speaks against one is rarely looked for.
        if section not in self.sections and not _any(self.match, statement):
            return False
        return not _any(self.unless, statement)

    def goes_on(self, statement: str) -> bool:
        """Whether a statement belongs to a hit right before it."""
        return _any(self.follows, statement)


def _any(patterns: Sequence[Pattern], statement: str) -> bool:
    if not patterns:
        return False
    low = folded(statement)
    return any(pattern.found_in(statement, low) for pattern in patterns)


def _within(patterns: Sequence[Pattern], present: frozenset[str]) -> tuple[Pattern, ...]:
    kept = [(pattern, pattern.needs & present) for pattern in patterns]
    return tuple(replace(pattern, needs=needs) for pattern, needs in kept if needs or not pattern.needs)


@cache
def _all_needs() -> tuple[str, ...]:
    of = [[*rule.match, *rule.unless, *rule.follows] for rule in load_rules()]
    return tuple(sorted({string for patterns in of for pattern in patterns for string in pattern.needs}))


def rules_for(statements: Iterable[tuple[str, str]]) -> tuple[Rule, ...]:
    """The rules with those of their patterns alone that can match in statements of one note.

    Of a note's statements most match nothing: a pattern is searched for where a string stands that it needs.

    Args:
        statements: what each stands under, and the statement, as `Rule.hits` reads them.
    """
    low = "\n".join(folded(f"{under}{text}") for under, one in statements for text in {one, chosen(one)})
    present = frozenset(string for string in _all_needs() if string in low)
    return tuple(
        replace(
            rule,
            match=_within(rule.match, present),
            unless=_within(rule.unless, present),
            follows=_within(rule.follows, present),
        )
        for rule in load_rules()
    )


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
        match=tuple(_pattern(entry, lists) for entry in values["match"]),
        unless=tuple(_pattern(entry, lists) for entry in values.get("unless", ())),
        follows=tuple(_pattern(entry, lists) for entry in values.get("follows", ())),
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
    return Pattern(compiled, entry["why"], entry["example"], needed(compiled))


def _expression(pattern: str, lists: dict[str, str]) -> re.Pattern[str]:
    expression = pattern
    while _NAME.search(expression):  # a list may name another
        expression = _NAME.sub(lambda name: lists[name[1]], expression)
    try:
        return re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no pattern: {error}") from None
