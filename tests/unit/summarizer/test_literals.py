"""What a pattern needs, against the pattern itself: no text that it matches may be without."""

import re
import sys
from string import ascii_lowercase

import pytest

from summarizer.literals import folded, needed
from summarizer.pinned.find import find_pinned
from summarizer.pinned.rules import Pattern, load_rules, rules_for
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
        assert any(string in folded(piece) for string in pattern.needs)


def test_the_rules_for_a_note_find_in_it_what_all_rules_find() -> None:
    statements = [("", p.example) for p in PATTERNS]
    for one in [*([s] for s in statements), statements, [("PLAN: ", "[ ] DNR ☑ Full code")]]:
        for rule, kept in zip(load_rules(), rules_for(one), strict=True):
            assert [kept.hits(*s, None) for s in one] == [rule.hits(*s, None) for s in one]
            assert [kept.goes_on(s[1]) for s in one] == [rule.goes_on(s[1]) for s in one]


def test_letters_that_case_makes_alike_do_not_hide_a_line() -> None:
    long, kelvin, dotted = "\u017f", "\u212a", "\u0130"
    text = f"{long}top the Warfarin today: {kelvin}eep it off.\n\nALLERG{dotted}ES: Latex."
    found = find_pinned(text, segment(text)).lines
    assert [line.rule for line in found] == ["allergies", "high-alert-medicines"]
