"""The upper bound: what choosing whole sentences can reach, found greedily with the abstract at hand."""

from collections.abc import Sequence

from summarizer.types import Budget


def oracle(sentences: Sequence[str], reference: Sequence[str], budget: Budget) -> list[int]:
    """The sentences that `training.labels.oracle` labels: greedy on the mean of ROUGE-1 and ROUGE-2.

    Greedy, after Nallapati, Zhai and Zhou 2017, so not the true optimum, but what is called the oracle.

    Args:
        sentences: those of the document.
        reference: those of the abstract.
        budget: sentences or words, or neither for no limit.

    Returns:
        Indices in ascending order.
    """
    from training.labels.oracle import OracleSettings, label

    found = label(sentences, reference, OracleSettings("mean", budget.sentences, budget.words))
    return sorted(found.order)
