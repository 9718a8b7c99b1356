"""Measures several systems on the same documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

import numpy as np

from summarizer.selection.select import count_words
from summarizer.types import ModelInfo
from training.corpora.notes import CONCLUSIONS
from training.evaluation import clinical
from training.evaluation.bootstrap import RESAMPLES, Estimate, Values, estimate, resampled_means
from training.evaluation.rouge import ROUGE, Rouge
from training.evaluation.systems import System
from training.evaluation.types import Case, Corpus


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """The figures of one system.

    Attributes:
        name, model: which system.
        values: shape (documents, measures).
        estimates: one for each measure.
        sentences, words: how long the summary of each document is, the mean over its arrangements.
    """

    name: str
    model: ModelInfo
    values: Values
    estimates: tuple[Estimate, ...]
    sentences: tuple[float, ...]
    words: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much the first system is above the second on the same documents, for each measure."""

    first: str
    second: str
    estimates: tuple[Estimate, ...]

    def turned(self) -> "Difference":
        """By how much the second is above the first."""
        turned = (Estimate(-e.mean + 0.0, -e.high + 0.0, -e.low + 0.0) for e in self.estimates)
        return Difference(self.second, self.first, tuple(turned))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        task: `rouge` or `clinical`.
        measures: the names of what was measured.
        settings: what else decides the figures, ready for `json.dumps`.
    """

    task: str
    corpus: Corpus
    measures: tuple[str, ...]
    rows: tuple[SystemFigures, ...]
    differences: tuple[Difference, ...]
    seed: int
    settings: Mapping[str, object] = field(default_factory=dict)


Chosen = Sequence[Sequence[int]]
Say = Callable[[str], None]


def evaluate_articles(corpus: Corpus, systems: Sequence[System], seed: int, say: Say) -> Evaluation:
    """ROUGE of each system on each article.

    Args:
        corpus: from `read_articles`.
        systems: what to measure; each has a name of its own.
        seed: of the bootstrap.
        say: is told when a system is done.

    Raises:
        EvaluationError: rouge-score is not installed, or a peer failed.
    """
    rouge = Rouge()

    def figures(case: Case, chosen: Chosen) -> list[float]:
        (item,), (indices,) = case.items, chosen
        return list(rouge.score([item.sentences[i] for i in indices], item.reference))

    settings = {"types": list(ROUGE), "stemmer": True, "score": "F1", "rouge-score": rouge.version}
    return _evaluate("rouge", corpus, systems, (ROUGE, figures), seed, settings, say)


def evaluate_notes(corpus: Corpus, systems: Sequence[System], seed: int, say: Say) -> Evaluation:
    """Clinical recall of each system on each note, as `training.evaluation.clinical` defines it.

    Args:
        corpus: from `read_notes`.
        systems: what to measure; each has a name of its own.
        seed: of the bootstrap.
        say: is told when a system is done.

    Raises:
        EvaluationError: a peer failed.
    """
    settings = {"shuffles": clinical.SHUFFLES, "targets": sorted(CONCLUSIONS)}
    names = clinical.measures(corpus)
    return _evaluate("clinical", corpus, systems, (names, clinical.figures), seed, settings, say)


def _evaluate(
    task: str,
    corpus: Corpus,
    systems: Sequence[System],
    measured: tuple[tuple[str, ...], Callable[[Case, Chosen], list[float]]],
    seed: int,
    settings: Mapping[str, object],
    say: Say,
) -> Evaluation:
    names, figures = measured
    items = [item for case in corpus.cases for item in case.items]
    results: list[tuple[System, list[Chosen], Values]] = []
    for system in systems:
        choices = system.choose(items)
        rest = iter(choices.chosen)
        chosen: list[Chosen] = [tuple(islice(rest, len(case.items))) for case in corpus.cases]
        each = [figures(case, indices) for case, indices in zip(corpus.cases, chosen, strict=True)]
        results.append((system, chosen, np.array(each, dtype=np.float64)))
        say(f"{system.name}: {len(items)} summaries in {choices.seconds:.1f} s")
    values = np.stack([each for *_, each in results], axis=1)  # (documents, systems, measures)
    means = resampled_means(values.reshape(len(values), -1), seed).reshape(RESAMPLES, *values.shape[1:])
    rows = [
        SystemFigures(
            system.name,
            system.model,
            values[:, place],
            _estimates(values[:, place], means[:, place]),
            *_lengths(corpus.cases, chosen),
        )
        for place, (system, chosen, _) in enumerate(results)
    ]
    differences = [
        Difference(
            rows[a].name, rows[b].name, _estimates(values[:, a] - values[:, b], means[:, a] - means[:, b])
        )
        for a, b in combinations(range(len(rows)), 2)
    ]
    return Evaluation(task, corpus, names, tuple(rows), tuple(differences), seed, settings)


def _estimates(values: Values, means: Values) -> tuple[Estimate, ...]:
    """One for each column, of values (documents, measures) and means (resamples, measures)."""
    return tuple(estimate(values[:, i], means[:, i]) for i in range(values.shape[1]))


def _lengths(cases: Sequence[Case], chosen: Sequence[Chosen]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Sentences and words of the summaries, the mean for each case."""
    sentences, words = [], []
    for case, indices in zip(cases, chosen, strict=True):
        sentences.append(sum(map(len, indices)) / len(case.items))
        counts = [
            count_words(item.sentences[i])
            for item, some in zip(case.items, indices, strict=True)
            for i in some
        ]
        words.append(sum(counts) / len(case.items))
    return tuple(sentences), tuple(words)
