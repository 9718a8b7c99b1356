"""Which sentences make the summary: budget, redundancy, the order of the note.

1. Sentences are ranked by score (those an engine wants first before all others); ties go to the earlier one.
   Where scores are probabilities, the next is always the one that adds most to those already taken, for its
   length: `summarizer.selection.coverage`.
2. In this order, a sentence is taken if it fits the budget and is no near repeat of one already taken.
3. If the budget is not used up, near repeats are taken after all: the length asked for is honoured. A
   sentence that repeats another word for word never is.
4. What was taken goes back into the order of the note.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from summarizer.engines.base import Salience
from summarizer.selection.coverage import PER_SENTENCE, PER_WORD, Coverage, Terms
from summarizer.selection.repeats import NearRepeats, wording
from summarizer.types import Budget

MIN_DEFAULT = 3
MAX_DEFAULT = 10
SUFFICES = 0.5  # a probability from which a sentence is worth a place; how many found none is said


def default_sentences(count: int) -> int:
    """Sentences of a summary if no budget is given: the square root of the note's, from 3 to 10."""
    return min(count, max(MIN_DEFAULT, min(MAX_DEFAULT, round(math.sqrt(count)))))


def expected_length(probabilities: Sequence[float]) -> int:
    """How many of the likeliest sentences to take so that the expected F1 against the right ones is highest.

    The expectation of F1 over the top k is taken as 2 * (sum of the k highest) / (k + sum of all), which is
    exact for the ratio of expectations (Lipton et al. 2014, "Optimal Thresholding of Classifiers to Maximize
    F1 Measure"). From `MIN_DEFAULT` to `MAX_DEFAULT`, as far as there are sentences: of a short note without
    headings the likeliest sentence alone would say too little.

    Args:
        probabilities: calibrated, of each sentence.
    """
    total = sum(probabilities)
    best, found, gathered = 0, -1.0, 0.0
    for k, probability in enumerate(sorted(probabilities, reverse=True)[:MAX_DEFAULT], start=1):
        gathered += probability
        score = gathered / (k + total)
        if score > found + 1e-9:
            best, found = k, score
    return max(best, min(MIN_DEFAULT, len(probabilities)))


def asked_sentences(budget: Budget | None, sentences: Sequence[str]) -> int:
    """How many sentences the budget asks for; for words, about how many of average length fit. At least 1."""
    count = len(sentences)
    budget = budget or Budget()
    if budget.sentences is not None:
        return budget.sentences
    if budget.ratio is not None:
        # Rounded first: 0.1 * 30 is a little above 3, and that must not make four.
        return max(1, math.ceil(round(budget.ratio * count, 9)))
    if budget.words is not None:
        words = sum(count_words(s) for s in sentences)
        return max(1, round(budget.words * count / words)) if words else 1
    return max(1, default_sentences(count))


def count_words(text: str) -> int:
    """White-space separated words."""
    return len(text.split())


def select(sentences: Sequence[str], salience: Salience, budget: Budget | None = None) -> list[int]:
    """Chooses sentences by the rules above.

    Args:
        sentences: those of one document in order.
        salience: the engine's scores of these.
        budget: None for the length with the best expected F1 where scores are probabilities, else for
            `default_sentences`.

    Returns:
        Indices in ascending order; empty only if there are no sentences.
    """
    ranking = _ranking(sentences, salience)
    if budget is not None and budget.words is not None:
        costs = {i: count_words(sentences[i]) for i in ranking}
        limit, terms = budget.words, PER_WORD
    else:
        own = salience.calibrated and budget in (None, Budget())
        costs = dict.fromkeys(ranking, 1)
        limit = expected_length(salience.scores) if own else asked_sentences(budget, sentences)
        terms = PER_SENTENCE
    return sorted(_take_by(salience, ranking, sentences, costs, limit, terms) or ranking[:1])


def select_parts(
    sentences: Sequence[str], salience: Salience, ends: Sequence[int], budget: Budget | None = None
) -> list[int]:
    """Chooses from each part of a document as from a document of its own.

    A sentence that stands in an earlier part word for word is not taken again.

    Args:
        sentences: those of the document in order.
        salience: the engine's scores of these.
        ends: where each part ends, as a place in `sentences`; the last is their number.
        budget: of each part; as in `select`.

    Returns:
        Indices in ascending order.
    """
    chosen: list[int] = []
    seen: set[tuple[str, ...] | str] = set()
    start = 0
    for end in ends:
        own = [i for i in range(start, end) if wording(sentences[i]) not in seen]
        first = frozenset(place for place, i in enumerate(own) if i in salience.first)
        scores = tuple(salience.scores[i] for i in own)
        part = replace(salience, scores=scores, first=first)
        chosen += [own[place] for place in select([sentences[i] for i in own], part, budget)]
        seen.update(wording(sentence) for sentence in sentences[start:end])
        start = end
    return chosen


def taking_order(sentences: Sequence[str], salience: Salience) -> list[int]:
    """The order in which sentences come into the summary as a budget of sentences grows.

    The first N of it are what `select` chooses for `Budget(sentences=N)`, as long as the salience is the same
    for each N.

    Returns:
        Indices; those of sentences that repeat another word for word are not among them.
    """
    ranking = _ranking(sentences, salience)
    return _take_by(salience, ranking, sentences, dict.fromkeys(ranking, 1), len(ranking), PER_SENTENCE)


def _ranking(sentences: Sequence[str], salience: Salience) -> list[int]:
    scores, first = salience.scores, salience.first
    ranking = sorted(range(len(sentences)), key=lambda i: (i not in first, -scores[i], i))
    return _without_repeats(ranking, sentences)


def _take_by(
    salience: Salience,
    ranking: Sequence[int],
    sentences: Sequence[str],
    costs: Mapping[int, int],
    limit: int,
    terms: Terms,
) -> list[int]:
    """Takes by what each sentence adds where scores are probabilities, else down the ranking."""
    if not salience.calibrated:
        return _take(ranking, sentences, costs, limit)
    coverage = Coverage(sentences, salience.scores, terms)
    return _take(_by_gain(ranking, coverage), sentences, costs, limit, coverage.take)


def _by_gain(ranking: Sequence[int], coverage: Coverage) -> Iterator[int]:
    """Each time the sentence that adds most to those taken by then; the higher ranked of equals.

    Gains only fall, so one that is still the highest when reckoned anew is the best of all (Minoux 1978).
    """
    heap = [(-coverage.gain(i), place, i) for place, i in enumerate(ranking)]
    heapify(heap)
    while heap:
        _, place, i = heappop(heap)
        now = (-coverage.gain(i), place, i)
        if heap and heap[0] < now:
            heappush(heap, now)
        else:
            yield i


def _take(
    candidates: Iterable[int],
    sentences: Sequence[str],
    costs: Mapping[int, int],
    limit: int,
    tell: Callable[[int], None] = lambda _: None,
) -> list[int]:
    """Takes what fits: first what says something new, then the near repeats that were passed over."""
    taken = NearRepeats()
    chosen: list[int] = []
    passed: list[int] = []
    left = limit
    for i in candidates:
        if costs[i] > left:
            continue
        if taken.has_near(sentences[i]):
            passed.append(i)
            continue
        taken.add(sentences[i])
        tell(i)
        chosen.append(i)
        left -= costs[i]
    for i in passed:
        if costs[i] <= left:
            chosen.append(i)
            left -= costs[i]
    return chosen


def _without_repeats(ranking: Iterable[int], sentences: Sequence[str]) -> list[int]:
    """The ranking with each wording once, whatever its case, spacing and final stop: the highest ranked."""
    seen: set[tuple[str, ...] | str] = set()
    kept = []
    for i in ranking:
        key = wording(sentences[i])
        if key not in seen:
            seen.add(key)
            kept.append(i)
    return kept
