"""The ConText algorithm over the words of one statement.

ConText (Harkema, Dowling, Thornblade, Chapman: "ConText: an algorithm for determining negation, experiencer,
and temporal status from clinical reports", J Biomed Inform 42, 2009), which extends NegEx (Chapman et al., J
Biomed Inform 34, 2001): trigger terms, pseudo-triggers that look like them, and terms that end a scope. A
trigger speaks of the words before or behind it, up to a terminator or the end. Added here: orders to stop,
and answers that are a whole value ("Bleeding: no").
"""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from summarizer.assertion.matcher import Match, RuleMatcher, standing
from summarizer.assertion.rules import Direction, Rule, heading_exceptions, heading_rules, modifiers
from summarizer.assertion.words import CELL, START, tokens, word_lists
from summarizer.types import Flag

_OPENS = frozenset({START, CELL, ":", "?", "|", "-", "–", "—", "=", "(", "[", "¦", "・"})
_CLOSES = frozenset({CELL, "|", ".", ",", ";", ")", "(", "]", "-", "–", "[", "¦"})
_ENDS_CLAUSE = frozenset({CELL, ",", ".", ";", ":", ")", "then"})
_OF_FACTS = frozenset({Flag.NEGATED, Flag.POSSIBLE, Flag.HISTORICAL})
_SHORT = 2
"""More words than a bracket must have to be a sentence."""


@lru_cache(maxsize=1)
def modifier_matcher() -> RuleMatcher:
    """The matcher of `modifiers.txt`."""
    return RuleMatcher(modifiers())


@lru_cache(maxsize=1)
def heading_matcher() -> RuleMatcher:
    """The matcher of `headings.txt`."""
    return RuleMatcher(heading_rules())


@lru_cache(maxsize=1)
def exception_matcher() -> RuleMatcher:
    """The matcher of the terms of `headings.txt` that keep a heading's flag from a sentence."""
    return RuleMatcher(heading_exceptions())


@lru_cache(maxsize=1)
def _aside() -> frozenset[str]:
    return frozenset(word_lists()["aside"])


@lru_cache(maxsize=1)
def _empty() -> frozenset[str]:
    return frozenset(word_lists()["empty"])


def statement_flags(before: Sequence[str], own: Sequence[str]) -> set[Flag]:
    """The flags of a statement.

    Args:
        before: the words of a lead-in or question that the statement belongs to.
        own: its own words.
    """
    words = [START, *before, START, *own] if before else [START, *own]
    return flags_of_matches(words, len(words) - len(own), modifier_matcher()(words))


def flags_of_matches(words: Sequence[str], own: int, matches: Sequence[Match]) -> set[Flag]:
    """The flags that the matches of `modifiers.txt` give to `words[own:]`."""
    rules = modifiers()
    ends = [m for m in matches if rules[m.rule].direction is Direction.TERMINATE]
    values = {m for m in matches if rules[m.rule].direction is not Direction.VALUE or _is_value(words, m)}
    found: set[Flag] = set()
    said = standing([m for m in matches if m in values and m not in ends], rules)
    silent = _silent(words, said, ends)
    for match in said:
        found.update(
            flag
            for flag in rules[match.rule].flags
            if flag not in found
            and not any(flag in flags and match.start in places for places, flags in silent)
            and _speaks(words, own, match, flag, ends)
        )
    return found


def _silent(
    words: Sequence[str], matches: Sequence[Match], ends: Sequence[Match]
) -> list[tuple[range, Collection[Flag]]]:
    """Where in a statement a trigger says nothing, and of which flags."""
    rules = modifiers()
    found: list[tuple[range, Collection[Flag]]] = []
    if "(" in words:
        found += [(aside, _OF_FACTS) for aside in _asides(words)]
    for match in matches:
        rule = rules[match.rule]
        if rule.direction is Direction.SUPPOSE:
            rest = range(match.end, len(words))
            stop = next((at for at in rest if words[at] in _ENDS_CLAUSE), len(words))
            stop = min([stop, *(e.start for e in ends if e.start >= match.end and not rules[e.rule].flags)])
            found.append((range(match.end, stop), rule.flags))
    return found


def _asides(words: Sequence[str]) -> Iterator[range]:
    """The brackets that hold a sentence of their own, beside a fact outside of them.

    "(we had no samples)" denies nothing of what it stands beside; "(not taken)" does.
    """
    at = 0
    while "(" in words[at:]:
        start = words.index("(", at) + 1
        at = words.index(")", start) if ")" in words[start:] else len(words)
        first = words[start] if start < at else ""
        outside = _holds_fact(words, 0, start) or _holds_fact(words, at, len(words))
        if first in _aside() and at - start > _SHORT and outside:
            yield range(start, at)


def heading_flags(title: str, own: Sequence[str]) -> set[Flag]:
    """The flags that a heading gives to a sentence with the words `own`."""
    given = _heading_flags(title)
    if not any(unless for _, unless in given):
        return {flag for flag, _ in given}
    rules = heading_exceptions()
    kept = {rules[match.rule].kind for match in exception_matcher()([START, *own])}
    return {flag for flag, unless in given if unless.isdisjoint(kept)}


@lru_cache(maxsize=4096)
def _heading_flags(title: str) -> tuple[tuple[Flag, frozenset[str]], ...]:
    rules = heading_rules()
    found = standing(heading_matcher()([START, *tokens(title)]), rules)
    return tuple((flag, rules[m.rule].unless) for m in found for flag in rules[m.rule].flags)


def _is_value(words: Sequence[str], match: Match) -> bool:
    """Whether a term is the whole answer behind a label, a question or a leader, or the whole of a cell."""
    before = words[match.start - 1]
    opened = before in _OPENS or before.startswith("..")
    return opened and (match.end == len(words) or words[match.end] in _CLOSES)


def _speaks(words: Sequence[str], own: int, match: Match, flag: Flag, ends: Sequence[Match]) -> bool:
    """Whether the scope of a match holds a fact of the statement, or of the question that it answers."""
    rule = modifiers()[match.rule]
    if rule.scope == 0 or rule.gap:
        return match.end > own
    forward = rule.direction in (Direction.FORWARD, Direction.BOTH, Direction.VALUE)
    backward = rule.direction in (Direction.BACKWARD, Direction.BOTH, Direction.VALUE)
    if forward:
        stop = min((e.start for e in ends if e.start >= match.end and _ends(e, flag)), default=len(words))
        if rule.scope is not None:
            stop = min(stop, match.end + rule.scope)
        if _holds_fact(words, max(match.end, own), stop):
            return True
    if backward and match.end > own:
        start = max((e.end for e in ends if e.end <= match.start and _ends(e, flag)), default=0)
        if rule.scope is not None:
            start = max(start, match.start - rule.scope)
        return _holds_fact(words, start, match.start)
    return False


def _ends(match: Match, flag: Flag) -> bool:
    rule: Rule = modifiers()[match.rule]
    return not rule.flags or flag in rule.flags


def _holds_fact(words: Sequence[str], start: int, stop: int) -> bool:
    empty = _empty()
    return any(len(word) > 1 and word[0].isalpha() and word not in empty for word in words[start:stop])
