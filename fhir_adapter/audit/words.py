"""What is shown against what stands in the note at the stated offsets."""

from collections.abc import Container

from fhir_adapter.audit.claims import Claims, Span
from fhir_adapter.audit.context import compared, number_of, shows
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.verdict import AuditedSentence
from fhir_adapter.narrative import displayed


def unvouched(claims: Claims, text: str) -> list[Found]:
    """Sentences shown without offsets: of the source, whose offsets are missing, or of somebody else."""
    linked, source = {span.link for span in claims.spans}, displayed(text)
    return [
        (
            Finding.SPAN_MISSING if shown and displayed(shown) in source else Finding.SENTENCE_ADDED,
            f"sentence {number}",
        )
        for number, (anchor, shown) in enumerate(claims.items, 1)
        if anchor not in linked
    ] + ([] if claims.spans else [(Finding.SPAN_MISSING, "no offsets at all")])


def against_text(
    claims: Claims, text: str, unruly: Container[str]
) -> tuple[tuple[AuditedSentence, ...], list[Found]]:
    """Every sentence against the text; those whose ids are `unruly` do not hold, whatever they say."""
    shown = dict(claims.items)
    sentences: list[AuditedSentence] = []
    found: list[Found] = []
    for number, span in enumerate(claims.spans, 1):
        start, end, seen = span.offset, span.offset + span.length, shown.get(span.link, "")
        context, wrong = compared(claims, span.link, lambda at: _at(at, text))
        found += wrong
        if not _at(span, text):
            found.append((Finding.OFFSET_OUTSIDE, f"sentence {number}"))
            sentences.append(AuditedSentence(start, end, "", span.score, False, seen, context=context))
            continue
        ok = shows(claims, text[start:end], seen)
        if not ok and span.link in shown:
            found.append((Finding.SENTENCE_ALTERED, f"sentence {number}"))
        ok = ok and span.link not in unruly and all(piece.ok for piece in context)
        sentences.append(AuditedSentence(start, end, text[start:end], span.score, ok, seen, context=context))
    for span in claims.contexts:
        if not _at(span, text):
            found.append((Finding.OFFSET_OUTSIDE, f"sentence {number_of(span.link)}"))
    return tuple(sentences), found


def unverified(claims: Claims) -> tuple[AuditedSentence, ...]:
    """The sentences as claimed, where there is no text to compare them with."""
    shown = dict(claims.items)

    def one(span: Span) -> AuditedSentence:
        end = span.offset + span.length
        context, _ = compared(claims, span.link, lambda _: "")
        seen = shown.get(span.link, "")
        return AuditedSentence(span.offset, end, "", span.score, False, seen, context=context)

    return tuple(one(span) for span in claims.spans)


def _at(span: Span, text: str) -> str:
    """What stands at a span; "" where it lies outside the text."""
    end = span.offset + span.length
    return text[span.offset : end] if 0 <= span.offset < end <= len(text) else ""
