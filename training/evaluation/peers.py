"""Runs other summarizers over documents: a script for any interpreter that has them.

They need other versions of our packages, and one is imported by the same name, so they live in environments
of their own. The script needs the standard library alone. It reads from standard input

    {"tools": [names], "model": folder, "documents": [{"sentences": [...], "budget_sentences",
    "budget_words"}]}

and writes `{tool: {"version", "seconds", "chosen": [[indices]]}}` for each named tool that can be imported.
All get the same sentences. Each chooses by its own rules, with its defaults. A budget in words is met in the
tool's own way: sumy takes a function that cuts its ranking, bert-extractive-summarizer the number of
sentences that still fit.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module, metadata
from typing import Any

Choose = Callable[[list[str], "int | None", "int | None"], list[int]]


class _Words:
    """Sumy's word tokenizer without its sentence splitter, which needs a download and is of no use here."""

    def __init__(self) -> None:
        tokenizers = import_module("sumy.nlp.tokenizers")
        self._pattern = tokenizers.Tokenizer._WORD_PATTERN
        self._tokenizer = import_module("nltk.tokenize").NLTKWordTokenizer()

    def to_words(self, sentence: str) -> tuple[str, ...]:
        return tuple(word for word in self._tokenizer.tokenize(sentence) if self._pattern.match(word))


class _Document:
    """A document as sumy has it, of sentences that are there already."""

    def __init__(self, sentences: Sequence[Any]) -> None:
        self.sentences = sentences


def _sumy(module: str, name: str) -> Choose:
    """One of sumy's summarizers as its documentation sets it up: English stemmer and stop words."""
    make_sentence = import_module("sumy.models.dom").Sentence
    stemmer = import_module("sumy.nlp.stemmers").Stemmer("english")
    summarizer = getattr(import_module(f"sumy.summarizers.{module}"), name)(stemmer)
    summarizer.stop_words = import_module("sumy.utils").get_stop_words("english")
    words = _Words()

    def choose(sentences: list[str], limit: int | None, words_limit: int | None) -> list[int]:
        given = [make_sentence(sentence, words) for sentence in sentences]
        index = {id(sentence): i for i, sentence in enumerate(given)}

        def cut(infos: Sequence[Any]) -> list[Any]:
            return fitting(infos, [len(sentences[info.order].split()) for info in infos], limit, words_limit)

        return sorted(index[id(sentence)] for sentence in summarizer(_Document(given), cut))

    return choose


def fitting(
    ranked: Sequence[Any], words: Sequence[int], limit: int | None, words_limit: int | None
) -> list[Any]:
    """Down a ranking, what fits into the budget; the first if nothing does."""
    if words_limit is None:
        return list(ranked[:limit])
    taken, left = [], words_limit
    for item, cost in zip(ranked, words, strict=True):
        if cost <= left:
            taken.append(item)
            left -= cost
    return taken or list(ranked[:1])


def _sumy_lexrank(model: str) -> Choose:
    return _sumy("lex_rank", "LexRankSummarizer")


def _sumy_textrank(model: str) -> Choose:
    return _sumy("text_rank", "TextRankSummarizer")


def _bert_extractive(model: str) -> Choose:
    """K-means on vectors of the second last layer, the first sentence always taken, short ones dropped."""
    make = import_module("summarizer").Summarizer
    transformers = import_module("transformers")
    transformers.logging.set_verbosity_error()
    encoder = transformers.AutoModel.from_pretrained(model, output_hidden_states=True)
    summarizer = make(
        custom_model=encoder, custom_tokenizer=transformers.AutoTokenizer.from_pretrained(model)
    )
    embed = summarizer.model
    given: list[str] = []
    summarizer.sentence_handler = lambda body, shortest, longest: [
        sentence for sentence in given if longest > len(sentence) > shortest
    ]

    def choose(sentences: list[str], limit: int | None, words_limit: int | None) -> list[int]:
        given[:] = [sentence.strip() for sentence in sentences]
        index = {id(sentence): i for i, sentence in enumerate(given)}
        vectors: list[Any] = []

        def embed_once(sentences: list[str]) -> Any:
            if not vectors:
                vectors.append(embed(sentences))
            return vectors[0]

        summarizer.model = embed_once

        def of_length(count: int) -> list[int]:
            chosen = summarizer("", num_sentences=count, return_as_list=True)
            return sorted({index[id(sentence)] for sentence in chosen})

        if words_limit is None:
            return of_length(limit or len(sentences))
        costs = [len(sentence.split()) for sentence in sentences]
        return longest_fitting(of_length, costs, words_limit)

    return choose


def _sentence_transformers(backend: str, needs: str) -> Callable[[str], Choose]:
    """The sentences whose vectors are nearest to the mean of all, by one of its runtimes."""

    def make(model: str) -> Choose:
        import_module(needs)
        transformer = import_module("sentence_transformers").SentenceTransformer
        try:
            encoder = transformer(model, backend=backend, device="cpu")
        except Exception as error:  # so says the library that a part of a runtime is not there
            raise ImportError(backend) from error

        def choose(sentences: list[str], limit: int | None, words_limit: int | None) -> list[int]:
            vectors = encoder.encode(sentences, normalize_embeddings=True, show_progress_bar=False)
            order = (-(vectors @ vectors.mean(axis=0))).argsort(kind="stable").tolist()
            return sorted(fitting(order, [len(sentences[i].split()) for i in order], limit, words_limit))

        return choose

    return make


def longest_fitting(of_length: Callable[[int], list[int]], costs: Sequence[int], limit: int) -> list[int]:
    """The summary of most sentences within a number of words, by steps from about as many as should fit."""

    def fits(chosen: list[int]) -> bool:
        return sum(costs[i] for i in chosen) <= limit

    count = min(len(costs), max(1, round(limit * len(costs) / max(sum(costs), 1))))
    chosen = of_length(count)
    while count > 1 and not fits(chosen):
        count -= 1
        chosen = of_length(count)
    while count < len(costs) and fits(more := of_length(count + 1)) and len(more) > len(chosen):
        count, chosen = count + 1, more
    return chosen


TOOLS: dict[str, tuple[str, Callable[[str], Choose]]] = {
    "sumy-lexrank": ("sumy", _sumy_lexrank),
    "sumy-textrank": ("sumy", _sumy_textrank),
    "bert-extractive-summarizer": ("bert-extractive-summarizer", _bert_extractive),
    "sentence-transformers-onnx": (
        "sentence-transformers",
        _sentence_transformers("onnx", "optimum.onnxruntime"),
    ),
    "sentence-transformers-openvino": (
        "sentence-transformers",
        _sentence_transformers("openvino", "optimum.intel.openvino"),
    ),
}


def measure(tools: list[str], model: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """What each tool that can be imported chooses of every document."""
    results: dict[str, Any] = {}
    for tool in tools:
        package, make = TOOLS[tool]
        try:
            version = metadata.version(package)  # first: another package may have the module's name
            choose = make(model)
        except ImportError:
            continue
        begin = time.perf_counter()
        chosen = [choose(d["sentences"], d["budget_sentences"], d["budget_words"]) for d in documents]
        results[tool] = {"version": version, "seconds": time.perf_counter() - begin, "chosen": chosen}
    return results


if __name__ == "__main__":
    job = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr  # what a tool prints must not get between
    json.dump(measure(job["tools"], job["model"], job["documents"]), out)
