"""A note's sentences with all that must be read with them: a pass over what segmentation gives."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from summarizer.assertion.corrections import corrections
from summarizer.assertion.leaning import antecedents
from summarizer.types import ContextKind, ContextSpan, Segmentation, Sentence

_LEADING = frozenset({ContextKind.LEAD_IN, ContextKind.QUESTION, ContextKind.ROW})


def with_neighbours(text: str, parts: Segmentation) -> Segmentation:
    """The same sentences with their neighbours as context.

    A sentence that leans gets what it leans on (`antecedent`); one that a later line corrects or replaces
    gets that line, and the correcting line what it corrects (`correction`). Neighbours bring their own
    lead-in or question, and the heading on their line.

    Returns:
        Sentences whose context is in the order of the text, disjoint, and outside of the sentence.
    """
    before = antecedents(text, parts)
    corrected = corrections(text, parts)
    if not before and not corrected:
        return parts
    sentences = []
    for i, sentence in enumerate(parts.sentences):
        needed = [(j, ContextKind.ANTECEDENT) for j in before.get(i, ())]
        for j in corrected.get(i, ()):
            needed.append((j, ContextKind.CORRECTION))
            needed.extend((k, ContextKind.CORRECTION) for k in before.get(j, ()) if k != i)
        if needed:
            sentence = replace(sentence, context=_joined(text, parts.sentences, sentence, needed))
        sentences.append(sentence)
    return replace(parts, sentences=tuple(sentences))


def _joined(
    text: str, sentences: Sequence[Sentence], sentence: Sentence, needed: Iterable[tuple[int, ContextKind]]
) -> tuple[ContextSpan, ...]:
    kept = list(sentence.context)
    for j, kind in needed:
        for piece in _pieces(text, sentences[j], kind):
            if piece.start < sentences[j].start < piece.end and any(o.start == piece.start for o in kept):
                piece = replace(piece, start=sentences[j].start)  # both stand under the heading on its line
            apart = piece.end <= sentence.start or sentence.end <= piece.start
            if apart and all(piece.end <= other.start or other.end <= piece.start for other in kept):
                kept.append(piece)
    return tuple(sorted(kept, key=lambda piece: piece.start))


def _pieces(text: str, neighbour: Sentence, kind: ContextKind) -> list[ContextSpan]:
    """What a neighbour is shown as: itself, from the heading on its line, and what leads to it."""
    start = neighbour.start
    if kind is ContextKind.CORRECTION:
        for piece in reversed(neighbour.context):
            gap = text[piece.end : start]
            if piece.kind is not ContextKind.HEADING or gap.strip() or "\n" in gap:
                break
            start = piece.start
    pieces = [ContextSpan(start, neighbour.end, kind)]
    pieces += [ContextSpan(c.start, c.end, kind) for c in neighbour.context if c.kind in _LEADING]
    return pieces
