"""The places of a timeline's sentences, each against what is shown of it."""

from collections.abc import Container, Mapping, Sequence

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.context import compared, number_of, shows
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.verdict import AuditedContext, AuditedSentence
from summarizer.selection.repeats import same_facts


def audited_places(
    sections: Sequence[Claims],
    held: Mapping[tuple[int, int], str],
    texts: Mapping[str, str],
    unruly: Container[str],
) -> tuple[list[tuple[AuditedSentence, ...]], list[Found]]:
    """Every place against what is shown of it, word for word; other words by the rule of repeats too.

    Args:
        sections: in their order.
        held: what stands at each span, by the numbers of section and span.
        texts: the source whose text each resource holds.
        unruly: ids of sentences that do not hold whatever they say.
    """
    audited: list[tuple[AuditedSentence, ...]] = []
    found: list[Found] = []
    for i, claims in enumerate(sections):
        shown = dict(claims.items)
        firsts: dict[str, str] = {}
        places: list[AuditedSentence] = []
        around = {span: held.get((i, j), "") for j, span in enumerate(claims.contexts, len(claims.spans))}
        if any(texts.get(span.reference, "") != claims.source for span in claims.contexts):
            found.append((Finding.WRONG_PLACE, f"section {i + 1}"))
        for j, span in enumerate(claims.spans):
            source, text = texts.get(span.reference, ""), held.get((i, j), "")
            seen = shown.get(span.link, "")
            first = span.link not in firsts
            if not source or (first and source != claims.source):
                found.append((Finding.WRONG_PLACE, f"section {i + 1}"))
            context: tuple[AuditedContext, ...] = ()
            if first:
                ok = shows(claims, text, seen) and span.words is None
                firsts[span.link] = text
                context, wrong = compared(claims, span.link, around.__getitem__)
                found += wrong
            else:
                stated = seen if span.words is None else span.words
                ok = shows(claims, text, stated) and same_facts(firsts[span.link], text)
            if text and not ok and span.link in shown:
                finding = Finding.SENTENCE_ALTERED if first else Finding.REPEAT_DIFFERS
                found.append((finding, f"sentence {number_of(span.link)}"))
            end = span.offset + span.length
            ok = ok and span.link not in unruly and all(piece.ok for piece in context)
            places.append(AuditedSentence(span.offset, end, text, span.score, ok, seen, source, context))
        audited.append(tuple(places))
    return audited, found
