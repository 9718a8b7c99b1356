"""The upper bound: what choosing whole sentences can reach, found greedily with the abstract at hand."""

from collections.abc import Sequence

from summarizer.selection import count_words
from summarizer.types import Budget
from training.evaluation.rouge import Rouge

OBJECTIVE = ("rouge1", "rouge2")


def oracle(sentences: Sequence[str], reference: Sequence[str], budget: Budget) -> list[int]:
    """Adds the sentence that raises the mean of ROUGE-1 and ROUGE-2 most, until none does or none fits.

    Greedy, after Nallapati, Zhai and Zhou 2017, so not the true optimum, but what is called the oracle. Ties
    go to the earlier sentence.

    Args:
        sentences: those of the document.
        reference: those of the abstract.
        budget: sentences or words, or neither for no limit.

    Returns:
        Indices in ascending order.
    """
    rouge = Rouge(OBJECTIVE)
    words = [count_words(sentence) for sentence in sentences]
    left = len(sentences) if budget.sentences is None else budget.sentences
    words_left = sum(words) if budget.words is None else budget.words
    chosen: list[int] = []
    best = 0.0
    while left:
        gains = [
            (sum(rouge.score([sentences[j] for j in sorted([*chosen, i])], reference)), -i)
            for i in range(len(sentences))
            if i not in chosen and words[i] <= words_left
        ]
        score, index = max(gains, default=(0.0, 0))
        if score <= best:
            break
        best = score
        chosen.append(-index)
        left -= 1
        words_left -= words[-index]
    return sorted(chosen)
