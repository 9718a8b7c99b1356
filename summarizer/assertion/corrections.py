"""What a later line of a note corrects or replaces, by the rules of `corrections.txt`.

Four ways: in so many words ("should read", "not the right", an addendum on the same thing); a code status
that becomes another; allergies beside a line that there are none; a drug that is stopped, started or changed.
Each earlier sentence is linked with the last that replaces it, and but for drugs that one with those that it
replaces.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from summarizer.assertion.changes import allergies, code_statuses, treatments
from summarizer.assertion.context import statement_flags
from summarizer.assertion.matcher import Match, RuleMatcher, standing
from summarizer.assertion.rules import neighbour_rules
from summarizer.assertion.words import END, START, tokens, word_lists
from summarizer.types import ContextKind, Flag, Segmentation, Sentence

_STEM = 5
_MOST = 3
_NEVER = 1000
_REACH = 400
"""Among how many sentences before it what a sentence corrects is sought."""
_FAINT = 0.1
"""The weight of a word that many notes use."""
_CLOSE = 0.6
_LABEL = 6
"""Among how many words at the beginning of a sentence its label ends."""
_HEADINGS = frozenset(
    {"heading", "heading-corrects", "heading-final", "heading-settled", "heading-preliminary"}
)
_ADDING = _HEADINGS - {"heading-settled", "heading-preliminary"}
_CORRECTING = frozenset({"corrects", "above", "side"})
_NUMBER = re.compile(r"(?<![\w.])\d[\d.]*(?<!\.)")
_LETTERS = re.compile(r"[^\W\d_]+")
_SIDES = {"left": "right", "right": "left"}


@lru_cache(maxsize=1)
def correction_matcher() -> RuleMatcher:
    """The matcher of `corrections.txt`."""
    return RuleMatcher(neighbour_rules("corrections.txt"))


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence as the rules on corrections see it.

    Attributes:
        start, end: in the note.
        words: between START and END; empty where no rule and no dose can be in it.
        found: the kind and place of each rule that it matches; of the headings above it the kind alone.
        added: it stands under the heading of an addendum or a correction.
        under: where those headings, and those of preliminary readings, stand.
    """

    start: int
    end: int
    words: tuple[str, ...]
    found: tuple[tuple[str, Match], ...]
    added: bool
    under: frozenset[tuple[int, int]] = frozenset()

    @property
    def kinds(self) -> set[str]:
        """The kinds of all its rules."""
        return {kind for kind, _ in self.found}

    @property
    def corrects(self) -> bool:
        """Whether it may correct an earlier one in so many words."""
        return self.added or not self.kinds.isdisjoint(_CORRECTING)

    @property
    def says_so(self) -> bool:
        """Whether its own words say that it corrects, not only its heading."""
        return any(kind in _CORRECTING and match.end for kind, match in self.found)


def corrections(text: str, parts: Segmentation) -> dict[int, tuple[int, ...]]:
    """For each sentence the indices of those that must be shown with it because one corrects the other."""
    lines = read_lines(text, parts)
    if not any(line.found or line.added for line in lines):
        return {}
    links: dict[int, set[int]] = defaultdict(set)
    for earlier, later in (*_in_words(text, lines), *code_statuses(lines), *allergies(lines)):
        links[earlier].add(later)
        links[later].add(earlier)
    for earlier, later in treatments(lines):
        # "Warfarin was stopped." misleads nobody who does not see that it was taken before
        links[earlier].add(later)
    return {i: _nearest(others) for i, others in links.items()}


def _nearest(others: Iterable[int]) -> tuple[int, ...]:
    """At most three: the last ones, since they hold."""
    return tuple(sorted(others)[-_MOST:])


def read_lines(text: str, parts: Segmentation) -> list[Line]:
    """The sentences of a note as words, with what the rules find in them and in their headings."""
    adding = _adding(text, parts)
    lines = [_line(text, sentence, adding) for sentence in parts.sentences]
    preliminary = any("preliminary" in line.kinds for line in lines)
    return [_settled(line, preliminary) if "settled" in line.kinds else line for line in lines]


def _line(text: str, sentence: Sentence, adding: Mapping[tuple[int, int], str]) -> Line:
    start, end = sentence.start, sentence.end
    under = {(piece.start, piece.end) for piece in sentence.context} & adding.keys()
    above = {adding[span] for span in under}
    words: tuple[str, ...] = ()
    found: tuple[tuple[str, Match], ...] = ()
    own = text[start:end].lower()
    if above or not _anchors().isdisjoint(_LETTERS.findall(own)):
        matcher = correction_matcher()
        words = (START, *tokens(own), END)
        matches = standing(matcher(words), matcher.rules)
        found = tuple((matcher.rules[m.rule].kind, m) for m in matches)
        if not {":", "("}.isdisjoint(words[2:_LABEL]):
            above |= {kind for kind, match in found if kind in _HEADINGS and match.start == 1}
        found = tuple(each for each in found if each[0] not in _HEADINGS)
        told = [kind.removeprefix("heading-") for kind in sorted(above - {"heading"})]
        found = (*found, *((kind, Match(0, 0, 0)) for kind in told))
    return Line(start, end, words, found, not above.isdisjoint(_ADDING), frozenset(under))


def _settled(line: Line, preliminary: bool) -> Line:
    """A line under "FINAL DIAGNOSIS" is an addition where the note has a preliminary one, else as any."""
    found = tuple(each for each in line.found if each[0] != "settled")
    if preliminary:
        return replace(line, found=(*found, ("final", Match(0, 0, 0))), added=True)
    return replace(line, found=found)


def _adding(text: str, parts: Segmentation) -> dict[tuple[int, int], str]:
    """The headings of additions, and of which kind."""
    matcher = correction_matcher()
    spans = {(c.start, c.end) for s in parts.sentences for c in s.context if c.kind is ContextKind.HEADING}
    found: dict[tuple[int, int], str] = {}
    for start, end in spans:
        for match in standing(matcher(tokens(text[start:end])), matcher.rules):
            kind = matcher.rules[match.rule].kind
            if kind in _HEADINGS:
                found.setdefault((start, end), kind)
            elif kind in ("above", "corrects"):
                found[start, end] = "heading-corrects"
    return found


@lru_cache(maxsize=1)
def _anchors() -> frozenset[str]:
    """Words of which a sentence must have one for any rule, or the treatments, to find something in it."""
    found = set(word_lists()["dose"])
    for rule in correction_matcher().rules:
        if rule.kind != "pseudo":
            for pattern in rule.patterns:
                sets = [{w for w in e.words if w.isalpha()} for e in pattern if e.least and e.words]
                found |= max(sets, key=lambda words: min(map(len, words), default=0))
    return frozenset(found)


def _in_words(text: str, lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Pairs of a sentence and the one that says that it corrects it."""
    if not any(line.corrects for line in lines):
        return
    yield from _finals(lines)
    said = [tuple(tokens(text[line.start : line.end])) for line in lines]
    stems = [_stems(words) for words in said]
    counts: dict[str, int] = defaultdict(int)
    for found in stems:
        for stem in found:
            counts[stem] += 1
    weight = {stem: math.log(1 + len(lines) / count) for stem, count in counts.items()}
    for later, line in enumerate(lines):
        if not line.corrects:
            continue
        earlier = _corrected(lines, said, stems, weight, later)
        if earlier:
            yield from ((i, later) for i in earlier)
        elif later and ("above" in line.kinds or _begins_correction(lines, later)):
            yield later - 1, later


def _begins_correction(lines: Sequence[Line], at: int) -> bool:
    """Whether a sentence is the first under the heading of a correction."""
    return lines[at].added and "corrects" in lines[at].kinds and not lines[at - 1].added


def _finals(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Pairs of a preliminary reading and the final one, whatever words they share."""
    first = [i for i, line in enumerate(lines) if "preliminary" in line.kinds]
    for later, line in enumerate(lines):
        if "final" in line.kinds:
            yield from ((i, later) for i in first[-_MOST:] if i < later)


def _corrected(
    lines: Sequence[Line],
    said: Sequence[Sequence[str]],
    stems: Sequence[frozenset[str]],
    weight: dict[str, float],
    later: int,
) -> list[int]:
    """The earlier sentences that a correcting one is about, at most three."""
    line = lines[later]
    kinds = line.kinds
    marked = not kinds.isdisjoint(("corrects", "above"))
    nearby = range(max(0, later - _REACH), later)
    candidates = [i for i in nearby if line.says_so or line.under.isdisjoint(lines[i].under)]
    wrong = _wrong_side(line)
    if wrong:
        sided = [i for i in candidates if wrong in said[i] and _SIDES[wrong] not in said[i]]
        shared = [i for i in sided if stems[i] & stems[later]]
        if line.added and not sided:  # an addendum may stand above the report that it corrects
            below = [i for i in range(later + 1, min(len(lines), later + _REACH)) if not lines[i].added]
            sided = [i for i in below if wrong in said[i] and _SIDES[wrong] not in said[i]]
            return [i for i in sided if stems[i] & stems[later]][:_MOST]
        return (shared or (sided if line.added or marked or not stems[later] else []))[-_MOST:]
    if "side" in kinds and not marked and not line.added:
        return []
    least = {
        i: 1 if marked else _least_shared(said[i], said[later], stems[i] - stems[later]) for i in candidates
    }
    shared_stems = {i: stems[i] & stems[later] or _common(said[i], said[later], stems[i]) for i in candidates}
    scores = {
        i: sum(weight.get(stem, _FAINT) for stem in common)
        for i, common in shared_stems.items()
        if len(common) >= least[i]
    }
    if not scores:
        return []
    best = max(scores.values())
    return [i for i, score in scores.items() if score >= _CLOSE * best][-_MOST:]


def _least_shared(earlier: Sequence[str], later: Sequence[str], missing: frozenset[str]) -> int:
    """How many stems an addition must share with a sentence to replace it; `missing` are those it has not.

    One where they disagree in side; two, or half of what the earlier has, where they disagree in negation or
    certainty; two, or all that it has, where only their numbers differ; else it adds.
    """
    sides, flags = _values(earlier)
    other_sides, other_flags = _values(later)
    if sides != other_sides:
        return 1
    if flags != other_flags:
        return 2 if len(missing) > 1 else 1
    one, other = _numbers(earlier), _numbers(later)
    if not one or not other or not one.isdisjoint(other):
        return _NEVER
    return 2 if missing else 1


def _numbers(words: Sequence[str]) -> set[str]:
    """The numbers of a sentence, decimals whole."""
    return set(_NUMBER.findall(" ".join(words).replace(" . ", ".")))


def _common(earlier: Sequence[str], later: Sequence[str], stems: frozenset[str]) -> frozenset[str]:
    """What two sentences share where the earlier one has none but common words (`No acute fracture.`)."""
    if stems:
        return frozenset()
    empty = _empty()
    words = {word for word in earlier if len(word) > 3 and word[0].isalpha()} - empty
    return frozenset(words) if words <= set(later) else frozenset()


def _values(words: Sequence[str]) -> tuple[frozenset[str], frozenset[Flag]]:
    flags = statement_flags((), words)
    return frozenset(_SIDES.keys() & set(words)), frozenset(flags & {Flag.NEGATED, Flag.POSSIBLE})


def _wrong_side(line: Line) -> str:
    """The side that a sentence takes back: "not the right", or the other one of "should be the left"."""
    for kind, match in line.found:
        if kind == "side":
            words = line.words[match.start : match.end]
            side = next(word for word in words if word in _SIDES)
            return side if words[0] in ("not", "instead", "rather") else _SIDES[side]
    return ""


def _stems(words: Sequence[str]) -> frozenset[str]:
    """The beginnings of the words that name something."""
    generic = _generic()
    return frozenset(
        word[:_STEM] for word in words if len(word) > 2 and word[0].isalpha() and word not in generic
    )


@lru_cache(maxsize=1)
def _empty() -> frozenset[str]:
    lists = word_lists()
    return frozenset((*lists["empty"], *lists["not"]))


@lru_cache(maxsize=1)
def _generic() -> frozenset[str]:
    lists = word_lists()
    return frozenset((*lists["generic"], *lists["empty"], *lists["person"], *lists["not"]))
