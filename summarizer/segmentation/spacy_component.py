"""Clinical sentences as a component of a spaCy pipeline.

Apart from `segment`, so that splitting a note imports neither spaCy nor what spaCy brings along.
"""

from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.util import get_lang_class

from summarizer.segmentation.segment import segment

__all__ = ["COMPONENT", "ClinicalSentences", "nlp"]

COMPONENT = "clinical_sentences"
_GROUPS = ("sentences", "headings", "markers", "boilerplate")


class ClinicalSentences:
    """spaCy component: sets sentence starts and `doc.spans`.

    `doc.spans` gets the groups `sentences`, `headings`, `markers` and `boilerplate`, with the offsets of
    `segment`. `doc.sents` also begins anew at each of them, and holds the white space that follows. A token
    that a boundary runs through (`2.5mg.Next`) is split there.
    """

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a document in place and return it."""
        segmentation = segment(doc.text)
        spans = {name: [(s.start, s.end) for s in getattr(segmentation, name)] for name in _GROUPS}
        edges = sorted({edge for group in spans.values() for span in group for edge in span})
        _split_tokens(doc, edges)
        starts = {start for group in spans.values() for start, _ in group}
        for token in doc:
            token.is_sent_start = token.idx in starts or token.i == 0
        for name, group in spans.items():
            found = [doc.char_span(start, end) for start, end in group]
            doc.spans[name] = SpanGroup(doc, name=name, spans=[span for span in found if span is not None])
        return doc


def _split_tokens(doc: Doc, edges: list[int]) -> None:
    """Split every token that one of the sorted offsets `edges` runs through."""
    at = 0
    with doc.retokenize() as retokenizer:
        for token in doc:
            start, end = token.idx, token.idx + len(token)
            while at < len(edges) and edges[at] <= start:
                at += 1
            inner = at
            while inner < len(edges) and edges[inner] < end:
                inner += 1
            if inner == at:
                continue
            cuts = [start, *edges[at:inner], end]
            orths = [token.text[a - start : b - start] for a, b in pairwise(cuts)]
            retokenizer.split(token, orths, heads=[(token, 0)] * len(orths))
            at = inner


@Language.factory(COMPONENT)
def _create(nlp: Language, name: str) -> ClinicalSentences:
    """The component as spaCy's registry makes it."""
    return ClinicalSentences()


def nlp() -> Language:
    """A blank English pipeline with the component; needs no model download."""
    pipeline: Language = get_lang_class("en")()
    pipeline.max_length = 2**31
    pipeline.add_pipe(COMPONENT)
    return pipeline
