"""When two sentences say the same: the near-repeat rule of a summary, and a stricter one between notes.

Inside one note a near repeat costs a place in the summary, no more. Between notes of different days one
sentence stands for the other, so there both must hold the same facts.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# A sentence is a near repeat if this share of its word trigrams stands in one sentence already taken.
NEAR_REPEAT = 0.6

_WORD = re.compile(r"\w+(?:[.,/'’-]\w+)*")
_DIGIT = re.compile(r"\d")
# Two sentences that differ in one of these say different things, however alike they look.
_NEGATIONS = frozenset(
    ["no", "not", "non", "without", "denies", "denied", "negative", "never", "none", "nor"]
)
# Words that, standing in one of two sentences only, make it say something else about the same thing.
_TURNS = frozenset(
    """
    left right bilateral unilateral upper lower former possible possibly probable probably likely unlikely
    suspected suspicious presumed questionable uncertain unclear resolved resolving resolution recurrent
    new old prior previous previously former history family worse worsened worsening better improved improving
    increased increasing decreased decreasing higher lower started stopped stop held hold discontinued resumed
    switched refused declined cancelled ruled excluded except unless until if may might could should would
    mother father sister brother one two three four five six seven eight nine ten once twice daily weekly
    hourly nightly half double increase decrease allergic allergy intolerant failed unable unchanged stable
    unstable acute chronic
    """.split()
)
_SIGN = re.compile(r"[+<>=≤≥↑↓±?]|(?<=\w)\s?[-−–](?!\w)")
_CONTENT = 4  # letters from which a word counts as naming something
_LEAST = 3  # words of a sentence that a later note can copy
_STEM = 5  # letters by which inflections of a word are taken for the same

_Trigram = tuple[str, ...]
_Facts = tuple[frozenset[str], frozenset[str], tuple[str, ...]]


def words(text: str) -> tuple[str, ...]:
    """The words of a text without case and punctuation; figures such as `2.5` and `120/80` are words."""
    return tuple(_WORD.findall(text.casefold()))


def wording(text: str) -> tuple[str, ...] | str:
    """The same for texts that differ only in case, spacing and final stop."""
    return words(text) or text.strip()


class NearRepeats:
    """The sentences taken so far, indexed by word trigram."""

    def __init__(self) -> None:
        self._by_trigram: defaultdict[_Trigram, list[int]] = defaultdict(list)
        self._trigrams: list[frozenset[_Trigram]] = []
        self._facts: list[tuple[frozenset[str], frozenset[str]]] = []

    def add(self, sentence: str) -> None:
        """Takes a sentence; its number is how many were taken before."""
        found = words(sentence)
        trigrams = _trigrams(found)
        for trigram in trigrams:
            self._by_trigram[trigram].append(len(self._facts))
        self._trigrams.append(trigrams)
        self._facts.append(_figures_and_negations(found))

    def has_near(self, sentence: str) -> bool:
        """Whether one of them says most of this, with the same negations and all its figures."""
        return any(True for _ in self.near(sentence))

    def near(self, sentence: str) -> Iterable[int]:
        """The numbers of those that say most of this, with the same negations and all its figures."""
        found = words(sentence)
        trigrams = _trigrams(found)
        figures, negations = _figures_and_negations(found)
        least = math.ceil(NEAR_REPEAT * len(trigrams))
        # What shares so many shares one of any that are more than the rest: the rarest have few to look at.
        rarest = sorted((self._by_trigram.get(t, ()) for t in trigrams), key=len)[: len(trigrams) - least + 1]
        return (
            i
            for i in {i for numbers in rarest for i in numbers}
            if len(trigrams & self._trigrams[i]) >= least
            and figures <= self._facts[i][0]
            and negations == self._facts[i][1]
        )


def same_facts(one: str, other: str) -> bool:
    """Whether either of two sentences may stand for the other across notes.

    Each is a near repeat of the other (same figures, same negations), they hold the same signs, no word
    that turns the meaning stands in only one of them, and no naming word of one takes the place of another:
    `metoprolol` is no repeat of `amlodipine` in whatever long sentence.
    """
    if _SIGN.findall(one) != _SIGN.findall(other):
        return False
    if wording(one) == wording(other):
        return True
    return (
        _near(one, other)
        and _near(other, one)
        and not _turned(frozenset(words(one)), frozenset(words(other)))
    )


class RepeatFinder:
    """The sentences told so far in a timeline; finds the one that a further one repeats.

    Those of other figures, negations or signs say something else (`same_facts`), so each such group is kept
    apart: notes that fill in one form day by day would otherwise all be compared with each other.
    """

    def __init__(self) -> None:
        self._groups: defaultdict[_Facts, _Group] = defaultdict(_Group)
        self._count = 0

    def add(self, sentence: str) -> None:
        """Tells a sentence; its number is how many were told before."""
        group = self._groups[_facts(sentence)]
        group.by_wording.setdefault(wording(sentence), []).append(len(group.numbers))
        group.numbers.append(self._count)
        group.texts.append(sentence)
        group.taken.add(sentence)
        self._count += 1

    def find(self, sentence: str) -> int | None:
        """The number of the first one told that this one repeats by `same_facts`, or None.

        One or two words (`Same.`, `Stable.`) are no copy of another note's: they speak of where they stand.
        """
        group = self._groups.get(_facts(sentence))
        if group is None or len(words(sentence)) < _LEAST:
            return None
        alike = {*group.by_wording.get(wording(sentence), ()), *group.taken.near(sentence)}
        return next((group.numbers[i] for i in sorted(alike) if same_facts(group.texts[i], sentence)), None)


@dataclass(slots=True)
class _Group:
    """Sentences of the same figures, negations and signs, with their numbers among all told."""

    taken: NearRepeats = field(default_factory=NearRepeats)
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    by_wording: dict[tuple[str, ...] | str, list[int]] = field(default_factory=dict)


def _facts(sentence: str) -> _Facts:
    return *_figures_and_negations(words(sentence)), tuple(_SIGN.findall(sentence))


def _near(one: str, other: str) -> bool:
    taken = NearRepeats()
    taken.add(other)
    return taken.has_near(one)


def _turned(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether words that stand in only one of two sentences make them say different things."""
    stems = ({w[:_STEM] for w in side if len(w) >= _CONTENT} for side in (one, other))
    first, second = stems
    return bool((one ^ other) & _TURNS) or bool(first - second and second - first)


def _trigrams(found: Sequence[str]) -> frozenset[_Trigram]:
    return frozenset(tuple(found[i : i + 3]) for i in range(len(found) - 2))


def _figures_and_negations(found: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    unique = frozenset(found)
    return frozenset(w for w in unique if _DIGIT.search(w)), unique & _NEGATIONS
