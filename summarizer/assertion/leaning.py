"""Sentences that lean on their neighbour, and the neighbour that they take along.

"Restart 24-48 h after surgery." or "It was removed." does not say what it is about. Such a sentence is shown
with the one before it, as context of the kind `antecedent`. The rules are those of `leaning.txt`; they ask
for an opening that cannot stand alone, not for every pronoun: a sentence shown with more than it needs hides
what matters.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from summarizer.assertion.matcher import RuleMatcher, standing
from summarizer.assertion.rules import Rule, neighbour_rules
from summarizer.assertion.words import CELL, END, START, tokens, word_lists
from summarizer.types import Segmentation, Sentence

_OPENING = 120
_WORD = re.compile(r"[^\W_]+(?:'\w+)?")
_OBJECT = re.compile(r"\b(?:it|them|these|those|this|that|same|so)\b", re.I)
_SUBJECT = 3
_MOST_STEPS = 3
_LOWER_CASE_NOTE = 0.3


@lru_cache(maxsize=1)
def leaning_matcher() -> RuleMatcher:
    """The matcher of `leaning.txt`."""
    return RuleMatcher(neighbour_rules("leaning.txt"))


def antecedents(text: str, parts: Segmentation) -> dict[int, tuple[int, ...]]:
    """The sentences that others need before them.

    Returns:
        For the index of each sentence that leans, those of the sentences before it that it needs, in order:
        the one before and, where that one leans too, those that it needs. A sentence that is the first of its
        section, or of a label on its own line, has none: its heading says what it is about.
    """
    starts = sorted(span.start for span in parts.headings)
    lower = _is_lower_case(text, parts.sentences)
    found: dict[int, tuple[int, ...]] = {}
    heading = 0
    for i in range(1, len(parts.sentences)):
        before, sentence = parts.sentences[i - 1], parts.sentences[i]
        while heading < len(starts) and starts[heading] < before.end:
            heading += 1
        below_heading = heading < len(starts) and starts[heading] < sentence.start
        if below_heading or before.section != sentence.section:
            continue
        if _leans(text, before, sentence) or (not lower and _is_cut(text, before, sentence)):
            found[i] = (*found.get(i - 1, ()), i - 1)[-_MOST_STEPS:]
    return found


def leans(own: Sequence[str], before: Sequence[str] = ()) -> bool:
    """Whether a sentence with the words `own` needs the one before it, whose words are `before`."""
    words = [START, *own, END]
    matcher = leaning_matcher()
    return any(
        _holds(matcher.rules[match.rule], words[: match.start], before, own[0])
        for match in standing(matcher(words), matcher.rules)
    )


def _leans(text: str, before: Sentence, sentence: Sentence) -> bool:
    opening = text[sentence.start : min(sentence.end, sentence.start + _OPENING)]
    first = _WORD.match(opening)
    if not (first and first[0].lower() in _openings()) and not _OBJECT.search(opening):
        return False
    own = tokens(opening)
    if "|" in own or CELL in own:
        return False
    if sentence.end > sentence.start + _OPENING:
        own.pop()
    return leans(own, tokens(text[before.start : min(before.end, before.start + _OPENING)]))


@lru_cache(maxsize=1)
def _openings() -> frozenset[str]:
    """The words that a leaning sentence can begin with."""
    patterns = [pattern for rule in leaning_matcher().rules for pattern in rule.patterns]
    found: set[str] = set()
    for pattern in patterns:
        if START in pattern[0].words:
            for element in pattern[1:]:
                found |= element.words
                if element.least:
                    break
    return frozenset(found)


def _holds(rule: Rule, ahead: Sequence[str], before: Sequence[str], pronoun: str) -> bool:
    """Whether what a rule asks for beside its words is so; `ahead` are the sentence's words before it."""
    if rule.kind == "object":
        return all(word in _thin() or not word[0].isalpha() for word in ahead)
    if rule.needs == "family":
        return not _relatives(pronoun).isdisjoint(before[:_SUBJECT])
    return True


@lru_cache(maxsize=1)
def _thin() -> frozenset[str]:
    lists = word_lists()
    return frozenset((*lists["thin"], *lists["empty"], *lists["person"], *lists["elliptic"]))


@lru_cache(maxsize=2)
def _relatives(pronoun: str) -> frozenset[str]:
    return frozenset(word_lists()["male" if pronoun == "he" else "female"])


def _is_lower_case(text: str, sentences: Sequence[Sentence]) -> bool:
    """Whether the note begins its sentences with small letters anyway."""
    return sum(text[s.start].islower() for s in sentences) > _LOWER_CASE_NOTE * len(sentences) + 1


def _is_cut(text: str, before: Sentence, sentence: Sentence) -> bool:
    """Whether a sentence goes on where the one before it broke off."""
    gap = text[before.end : sentence.start]
    if not text[sentence.start].islower() or gap.strip() or gap.count("\n") > 1:
        return False
    first = tokens(text[sentence.start : sentence.start + 40])[0]
    return first in _fragments() or text[before.end - 1] in ",-–"


@lru_cache(maxsize=1)
def _fragments() -> frozenset[str]:
    return frozenset(word_lists()["fragment"])
