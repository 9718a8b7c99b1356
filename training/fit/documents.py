"""What a model reads of a labelled article."""

from summarizer.segmentation.section_titles import section_kind
from summarizer.types import SectionKind, SplitDocument
from training.corpora.article import Article

MARKED = "mustknow"
"""The form of record whose facts a reader has marked; its targets are graded."""

CLINICAL = frozenset(
    {"radiology", "mtsamples", "mtsamples-description", "conclusions", "conclusions-moved", MARKED}
)
"""Forms of record whose section titles are those of clinical notes. Those of articles stay unknown: summaries
of articles are asked for without them, and "Methods" is no kind of section of a note."""


def split_document(article: Article) -> SplitDocument:
    """The sentences, and for a clinical note the kinds of its sections."""
    if article.sections is None or article.source not in CLINICAL:
        return SplitDocument(article.sentences)
    owner: list[int | None] = [None] * len(article.sentences)
    kinds: list[SectionKind] = []
    for part in article.sections:
        if part.title:
            owner[part.start : part.end] = [len(kinds)] * (part.end - part.start)
            kinds.append(section_kind(part.title))
    return (
        SplitDocument(article.sentences, tuple(owner), tuple(kinds))
        if kinds
        else SplitDocument(article.sentences)
    )
