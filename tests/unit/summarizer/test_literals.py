"""What a pattern needs, against the pattern itself: no text that it matches may be without."""

import re
import sys
from itertools import pairwise
from string import ascii_lowercase

import pytest

from summarizer.literals import folded, needed
from summarizer.pinned.find import find_pinned
from summarizer.pinned.rules import Pattern, load_rules
from summarizer.segmentation.segment import segment

PATTERNS = [p for rule in load_rules() for p in (*rule.match, *rule.unless, *rule.follows)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\ballerg(?:y|ies)\b", {"allergy", "allergies"}),
        (r"allergic to (?:\w+ )?cats", {"allergic to "}),
        (r"\d+ weeks?", {" week"}),
        (r"(?:hold|stop\w*) it", {"hold", "stop"}),
        (r"(?:warfarin)+", {"warfarin"}),
        (r"DNR", {"dnr"}),
        (r"(?<!not )pending(?! action)", {"pending"}),
        (r"[hl]!", {"h!", "l!"}),
        (r"(?:rash)?", set()),
        (r"\w+|rash", set()),
        (r"(?:rash){0,3}", set()),
        (r"\w{3}", set()),
        (r"é{2}", set()),
        (r"[^a]", set()),
        (r"(a)\1", {"a"}),
    ],
)
def test_what_a_pattern_needs(pattern: str, expected: set[str]) -> None:
    assert needed(re.compile(pattern, re.IGNORECASE)) == expected


def test_all_that_counts_as_a_letter_is_folded_into_it() -> None:
    letter = re.compile("[a-z]", re.IGNORECASE)
    found = [chr(i) for i in range(sys.maxunicode + 1) if letter.fullmatch(chr(i))]
    assert len(found) > 2 * len(ascii_lowercase)
    for sign in found:
        assert re.fullmatch(folded(sign), sign, re.IGNORECASE)
        assert folded(sign) in ascii_lowercase


def test_each_pattern_of_the_rules_needs_something() -> None:
    assert [p.why for p in PATTERNS if not p.needs] == []


@pytest.mark.parametrize("pattern", PATTERNS, ids=[p.why for p in PATTERNS])
def test_whatever_a_pattern_matches_holds_what_it_needs(pattern: Pattern) -> None:
    """In its example, and in all that it matches of this with some of the words left out at each end."""
    words = re.findall(r"\s*\S+", pattern.example)
    ends = range(len(words) + 1)
    pieces = ["".join(words[begin:end]) for begin in ends for end in ends[begin:]]
    matched = [piece for piece in pieces if pattern.expression.search(piece)]
    assert pattern.example in matched
    for piece in [*matched, *map(str.upper, matched), *map(str.lower, matched)]:
        assert all(any(string in folded(piece) for string in strings) for strings in pattern.needs)


def test_the_rules_find_what_all_their_patterns_find() -> None:
    statements = [p.example for p in PATTERNS]
    for told in [*statements, *(" ".join(pair) for pair in pairwise(statements)), "PLAN: [ ] DNR", ""]:
        for rule in load_rules():
            for patterns in (rule.match, rule.unless, rule.follows):
                found = [p for p in patterns if p.expression.search(told)]
                assert patterns.any_in(told) == bool(found)


def test_letters_that_case_makes_alike_do_not_hide_a_line() -> None:
    long, kelvin, dotted = "\u017f", "\u212a", "\u0130"
    text = f"{long}top the Warfarin today: {kelvin}eep it off.\n\nALLERG{dotted}ES: Latex."
    found = find_pinned(text, segment(text)).lines
    assert [line.rule for line in found] == ["allergies", "high-alert-medicines"]
