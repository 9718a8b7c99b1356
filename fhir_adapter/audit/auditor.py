"""Proves from the server alone that every sentence of a summary stands in its source.

Nothing of ours is trusted: the Composition and the version of the source that it names are read again, the
text is extracted again, and every claim is compared.
"""

import asyncio
from collections.abc import Container

from fhir_adapter.audit.claims import Claims, Span, read_claims
from fhir_adapter.audit.context import (
    Rules,
    against_rules,
    arranged,
    compared,
    expected,
    number_of,
    shows,
    told,
)
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.shape import against_source, shape
from fhir_adapter.audit.sources import SourceRead, Sources, same_text
from fhir_adapter.audit.verdict import AuditedSentence, Kind, Proof, SectionAudit, Subject
from fhir_adapter.audit.witnesses import Witnesses
from fhir_adapter.narrative import displayed


class SummaryAuditor:
    """Audits summaries of one server.

    Args:
        base_url: the server's.
        label: the security label that every summary must carry, as (system, code).
        rules: as of `auditing.Auditor`.
    """

    def __init__(
        self,
        base_url: str,
        sources: Sources,
        witnesses: Witnesses,
        label: tuple[str, str],
        rules: Rules | None,
    ) -> None:
        self._base_url, self._sources, self._witnesses, self._label = base_url, sources, witnesses, label
        self._rules = rules

    async def prove(self, subject: Subject) -> Proof:
        """Everything that is wrong with a summary just read."""
        claims = read_claims(subject.resource, self._base_url)
        source, ruled = SourceRead(), False
        if not claims.source or not claims.sha256:
            sentences, found = _unverified(claims), [(Finding.NOT_OURS, "")]
        else:
            source = await self._sources.read(claims)
            sentences, found, ruled = await self._compared(subject, claims, source)
        section = SectionAudit(claims, sentences, source, read=source.reading is not None, ruled=ruled)
        return Proof(Kind.SUMMARY, claims.source, (section,), tuple(found))

    async def _compared(
        self, subject: Subject, claims: Claims, source: SourceRead
    ) -> tuple[tuple[AuditedSentence, ...], list[Found], bool]:
        author = claims.authors[0] if claims.authors else ""
        maker = await self._witnesses.maker(subject.devices, author)
        form = maker.form if maker else claims.form
        found = shape(claims, subject.resource, self._label, form) + arranged(claims)
        found += await self._witnesses.author(claims, subject.devices)
        found += self._witnesses.provenance(claims, subject.provenances)
        found += source.found
        reading = source.reading
        if reading is None:
            return _unverified(claims), found + _unvouched(claims, ""), False
        text = reading.text
        found += same_text(claims, text)
        if text.text.strip():
            resource, base_url = subject.resource, self._base_url
            found += against_source(claims, resource, reading, self._label, base_url, form)
        stated = (*claims.spans, *claims.contexts)
        for reference, path in dict.fromkeys((span.reference, span.path) for span in stated):
            found += await self._sources.place(claims, reference, path, reading)
        wanted = await asyncio.to_thread(expected, text, claims, maker, self._rules)
        unruly = {} if wanted is None else against_rules(claims, wanted)
        sentences, wrong = _sentences(claims, text.text, unruly)
        wrong += told(unruly)
        return sentences, found + _unvouched(claims, text.text) + wrong, wanted is not None


def _unvouched(claims: Claims, text: str) -> list[Found]:
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


def _sentences(
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


def _at(span: Span, text: str) -> str:
    """What stands at a span; "" where it lies outside the text."""
    end = span.offset + span.length
    return text[span.offset : end] if 0 <= span.offset < end <= len(text) else ""


def _unverified(claims: Claims) -> tuple[AuditedSentence, ...]:
    shown = dict(claims.items)

    def one(span: Span) -> AuditedSentence:
        end = span.offset + span.length
        context, _ = compared(claims, span.link, lambda _: "")
        seen = shown.get(span.link, "")
        return AuditedSentence(span.offset, end, "", span.score, False, seen, context=context)

    return tuple(one(span) for span in claims.spans)
