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

CAP = 2.5  # sentences of an own length for the root of the note's, or
LEAST_CAP = 8  # so many: a long note may say more, and none says everything
BY_THRESHOLD, BY_WORDS = 0.5, 0.3  # exponents of a sentence's words by which its score is divided
SHORTEST = 4  # words that a shorter sentence counts as; what stands beside it takes room too
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


def worth(sentences: Sequence[str], scores: Sequence[float], exponent: float = BY_THRESHOLD) -> list[float]:
    """What a place in the summary is worth to each sentence: its score over a power of its words.

    By the bare score long sentences, which say more, would come first and fill the summary; over all their
    words, fragments. The root finds most facts in as many words (docs/training.md).
    """
    return [
        score / max(SHORTEST, count_words(sentence)) ** exponent
        for sentence, score in zip(sentences, scores, strict=True)
    ]


def own_choice(sentences: Sequence[str], salience: Salience) -> list[int]:
    """The sentences whose worth reaches the threshold of the engine, as many as there are in a note.

    A note with nothing to say gets its one best sentence and no filler; near repeats are left out. At most
    2.5 times the root of the note's sentences, or 8, so that a long note's summary stays one.

    Args:
        sentences: of the note.
        salience: with a threshold.

    Returns:
        Indices, the one with the highest worth first.
    """
    least = salience.threshold or 0.0
    worths = worth(sentences, salience.scores)
    cap = max(LEAST_CAP, round(CAP * math.sqrt(len(sentences))))
    ranking = sorted(_ranking(sentences, salience), key=lambda i: (-worths[i], i))
    taken = NearRepeats()
    chosen: list[int] = []
    for i in ranking:
        if len(chosen) == cap or (chosen and worths[i] < least):
            break
        if not taken.has_near(sentences[i]):
            taken.add(sentences[i])
            chosen.append(i)
    return chosen


def sufficient(sentences: Sequence[str], salience: Salience) -> set[int]:
    """The sentences that are worth a place; those that found none are counted for the reader.

    Each wording once. Empty where nothing says from what score on a sentence is worth it.
    """
    ranking = _ranking(sentences, salience)
    if salience.threshold is not None:
        worths = worth(sentences, salience.scores)
        return {i for i in ranking if worths[i] >= salience.threshold}
    return {i for i in ranking if salience.calibrated and salience.scores[i] >= SUFFICES}


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
        budget: None for `own_choice` where the engine has a threshold, else for the length with the best
            expected F1 where scores are probabilities, else for `default_sentences`.

    Returns:
        Indices in ascending order; empty only if there are no sentences.
    """
    if salience.threshold is not None and budget in (None, Budget()):
        return sorted(own_choice(sentences, salience))
    ranking = _ranking(sentences, salience)
    if budget is not None and budget.words is not None:
        costs = {i: count_words(sentences[i]) for i in ranking}
        limit, terms = budget.words, PER_WORD
        if salience.threshold is not None:
            worths = worth(sentences, salience.scores, BY_WORDS)
            ranking.sort(key=lambda i: -worths[i])
            return sorted(_take(ranking, sentences, costs, limit) or ranking[:1])
    elif salience.threshold is not None:
        return sorted(taking_order(sentences, salience)[: asked_sentences(budget, sentences)])
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
    for each N. Where there is a threshold those of `own_choice` come first, so that a summary of an own
    length grows and shrinks in the reader's hands.

    Returns:
        Indices; those of sentences that repeat another word for word are not among them.
    """
    ranking = _ranking(sentences, salience)
    order = _take_by(salience, ranking, sentences, dict.fromkeys(ranking, 1), len(ranking), PER_SENTENCE)
    own = set(own_choice(sentences, salience)) if salience.threshold is not None else ()
    return sorted(order, key=lambda i: i not in own)  # a stable sort


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
