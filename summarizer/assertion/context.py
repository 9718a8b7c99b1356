"""The ConText algorithm over the words of one statement.

ConText (Harkema, Dowling, Thornblade, Chapman: "ConText: an algorithm for determining negation, experiencer,
and temporal status from clinical reports", J Biomed Inform 42, 2009), which extends NegEx (Chapman et al., J
Biomed Inform 34, 2001): trigger terms, pseudo-triggers that look like them, and terms that end a scope. A
trigger speaks of the words before or behind it, up to a terminator or the end. Added here: orders to stop,
and answers that are a whole value ("Bleeding: no").
"""

from collections.abc import Sequence
from functools import lru_cache

from summarizer.assertion.matcher import Match, RuleMatcher, standing
from summarizer.assertion.rules import Direction, Rule, heading_rules, modifiers
from summarizer.assertion.words import CELL, START, tokens, word_lists
from summarizer.types import Flag

_OPENS = frozenset({START, CELL, ":", "?", "|", "-", "–", "—", "=", "(", "[", "¦", "・"})
_CLOSES = frozenset({CELL, "|", ".", ",", ";", ")", "(", "]", "-", "–", "[", "¦"})


@lru_cache(maxsize=1)
def modifier_matcher() -> RuleMatcher:
    """The matcher of `modifiers.txt`."""
    return RuleMatcher(modifiers())


@lru_cache(maxsize=1)
def heading_matcher() -> RuleMatcher:
    """The matcher of `headings.txt`."""
    return RuleMatcher(heading_rules())


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
    for match in standing([m for m in matches if m in values and m not in ends], rules):
        rule = rules[match.rule]
        found.update(
            flag for flag in rule.flags if flag not in found and _speaks(words, own, match, flag, ends)
        )
    return found


def heading_flags(title: str, own: Sequence[str]) -> set[Flag]:
    """The flags that a heading gives to a sentence with the words `own`."""
    return {flag for flag, unless in _heading_flags(title) if unless.isdisjoint(own)}


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
