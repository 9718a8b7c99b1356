"""What a pattern needs, against the pattern itself: no text that it matches may be without."""

import re
import sys
from dataclasses import replace
from string import ascii_lowercase

import pytest

from summarizer.literals import folded, needed
from summarizer.pinned import rules
from summarizer.pinned.find import find_pinned
from summarizer.pinned.rules import Pattern, Statement, load_rules, looked_up, read_rule
from summarizer.segmentation.segment import segment

PATTERNS = [p for rule in load_rules() for p in (*rule.match, *rule.unless, *rule.follows)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\ballerg(?:y|ies)\b", [{"allergy", "allergies"}]),
        (r"allergic to (?:\w+ )?cats", [{"allergic to "}, {"cats"}]),
        (r"\d+ weeks?", [{" week"}]),
        (r"(?:hold|stop\w*) it", [{"hold", "stop"}, {" it"}]),
        (r"(?:warfarin)+", [{"warfarin"}]),
        (r"DNR", [{"dnr"}]),
        (r"(?<!not )pending(?! action)", [{"pending"}]),
        (r"(?=.*today)seen", [{"today"}, {"seen"}]),
        (r"(?:f/?u|follow[\s-]?up) in", [{"f/u", "fu", "follow"}, {" in"}]),
        (r"a(?:b|c\w|d\w+)", [{"ab", "ac", "ad"}]),
        (r"seen(?:\w|\s)", [{"seen"}]),
        (r"[hl]!", [{"h!", "l!"}]),
        (r"[hl]\d", []),
        (r"(?:rash)?", []),
        (r"\w+|rash", []),
        (r"(?:rash){0,3}", []),
        (r"\w{3}", []),
        (r"é{2}", []),
        (r"[^a]", []),
        (r"(ab)\1", [{"ab"}]),
    ],
)
def test_what_a_pattern_needs(pattern: str, expected: list[set[str]]) -> None:
    assert sorted(needed(pattern), key=sorted) == sorted(expected, key=sorted)


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
        for part in pattern.needs:
            assert any(string in folded(piece) for string in part)


def test_what_is_looked_up_for_a_note_hides_nothing_from_a_rule() -> None:
    every = frozenset(string for pattern in PATTERNS for part in pattern.needs for string in part)
    statements = [Statement(p.example) for p in PATTERNS]
    for note in [*([s] for s in statements), statements, [Statement("[ ] DNR \u2611 Full code", "PLAN: ")]]:
        for found in looked_up(note):
            searched = replace(found, strings=every)
            for rule in load_rules():
                assert rule.hits(found) == rule.hits(searched)
                assert rule.goes_on(found) == rule.goes_on(searched)


def test_a_pattern_of_which_nothing_is_known_is_tried_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    head = 'id = "x"\nversion = 1\ntitle = "X"\nlimit = 1\n'
    rule = read_rule(head + "[[match]]\npattern = '[hl]\\d'\nwhy = 'w'\nexample = 'h1'\n")
    monkeypatch.setattr(rules, "load_rules", lambda: (rule,))
    monkeypatch.setattr(rules, "_all_needs", rules._all_needs.__wrapped__)
    assert [rule.hits(one) for one in looked_up([Statement("L4"), Statement(""), Statement("h 1")])] == [
        True,
        False,
        False,
    ]
    assert looked_up([]) == []


def test_what_is_looked_up_stands_in_its_statement_alone() -> None:
    one, other = looked_up([Statement("Allergic to latex"), Statement("Stop warfarin", "Latex: ")])
    assert {"latex"} <= one.strings & other.strings
    assert "warfarin" in other.strings - one.strings


def test_letters_that_case_makes_alike_do_not_hide_a_line() -> None:
    long, kelvin, dotted = "\u017f", "\u212a", "\u0130"
    text = f"{long}top the Warfarin today: {kelvin}eep it off.\n\nALLERG{dotted}ES: Latex."
    found = find_pinned(text, segment(text)).lines
    assert [line.rule for line in found] == ["allergies", "high-alert-medicines"]
