"""The greedy oracle as a plain loop over `rouge_score`: `training.labels.oracle` must agree."""

from collections.abc import Sequence

from rouge_score.rouge_scorer import RougeScorer

from training.labels.oracle import Labels, OracleSettings


class ReferenceOracle:
    """Scores every candidate summary from its text."""

    def __init__(self, settings: OracleSettings | None = None) -> None:
        self._settings = settings or OracleSettings()
        metric = self._settings.metric
        self._types = ["rouge1", "rouge2"] if metric == "mean" else [metric]
        self._scorer = RougeScorer(self._types, use_stemmer=self._settings.stemmer)

    def _score(self, reference: str, sentences: Sequence[str], rows: Sequence[int]) -> float:
        text = "\n".join(sentences[row] for row in sorted(rows))
        scores = self._scorer.score(reference, text)
        return sum(float(scores[name].fmeasure) for name in self._types) / len(self._types)

    def label(self, sentences: Sequence[str], summary: Sequence[str]) -> Labels:
        """The same as `training.labels.oracle.label`."""
        reference = "\n".join(summary)
        words = [len(sentence.split()) for sentence in sentences]
        limit, room = self._settings.max_sentences, self._settings.max_words
        alone = [self._score(reference, sentences, [row]) for row in range(len(sentences))]
        gain = [0.0] * len(sentences)
        order: list[int] = []
        best = 0.0
        while limit is None or len(order) < limit:
            top, chosen = best, -1
            for row in range(len(sentences)):
                used = sum(words[taken] for taken in order)
                if row in order or (room is not None and used + words[row] > room):
                    continue
                score = self._score(reference, sentences, [*order, row])
                if score > top:
                    top, chosen = score, row
            if chosen < 0:
                break
            gain[chosen] = top - best
            order.append(chosen)
            best = top
        for row in range(len(sentences)):
            if row not in order:
                gain[row] = self._score(reference, sentences, [*order, row]) - best
        labels = tuple(int(row in order) for row in range(len(sentences)))
        return Labels(labels, tuple(order), tuple(alone), tuple(gain), best)
