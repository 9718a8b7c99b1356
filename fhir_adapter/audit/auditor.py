"""Proves from the server alone that every sentence of a summary stands in its source.

Nothing of ours is trusted: the Composition and the version of the source that it names are read again, the
text is extracted again, and every claim is compared.
"""

import asyncio
from dataclasses import dataclass

from fhir_adapter.audit.claims import Claims, Span, read_claims
from fhir_adapter.audit.context import Rules, against_rules, arranged, expected, told
from fhir_adapter.audit.copies import AuditedCopy, audited_copies, named_copies
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.left_out import against_note
from fhir_adapter.audit.pinned import PinnedClaims, audited_pinned, read_pinned
from fhir_adapter.audit.shape import against_source, shape
from fhir_adapter.audit.sources import SourceRead, Sources, same_text
from fhir_adapter.audit.verdict import AuditedSentence, Kind, PinnedAudit, Proof, SectionAudit, Subject
from fhir_adapter.audit.witnesses import Witnesses
from fhir_adapter.audit.words import against_text, unverified, unvouched
from fhir_adapter.reasons import Reason


@dataclass(frozen=True, slots=True)
class _Compared:
    """What comparing a summary with its note gave."""

    sentences: tuple[AuditedSentence, ...]
    found: list[Found]
    ruled: bool = False
    pinned: PinnedAudit | None = None
    copies: tuple[AuditedCopy, ...] = ()
    total: int = 0


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
        source = SourceRead()
        if not claims.source or not claims.sha256:
            compared = _Compared(unverified(claims), [(Finding.NOT_OURS, "")])
        else:
            source = await self._sources.read(claims, subject.known)
            compared = await self._compared(subject, claims, source)
        section = SectionAudit(
            claims,
            compared.sentences,
            source,
            read=source.reading is not None,
            ruled=compared.ruled,
            pinned=compared.pinned,
            copies=compared.copies,
            total=compared.total,
        )
        return Proof(Kind.SUMMARY, claims.source, (section,), tuple(dict.fromkeys(compared.found)))

    async def _compared(self, subject: Subject, claims: Claims, source: SourceRead) -> _Compared:
        author = claims.authors[0] if claims.authors else ""
        maker = await self._witnesses.maker(subject.devices, author)
        form = maker.form if maker else claims.form
        found = shape(claims, subject.resource, self._label, form) + arranged(claims)
        found += await self._witnesses.author(claims, subject.devices)
        if claims.ended != Reason.COPY:  # else its source is named in another summary now
            found += self._witnesses.provenance(claims, subject.provenances)
        found += source.found
        reading, pinned = source.reading, read_pinned(subject.resource, self._base_url)
        if reading is None:
            lines, wrong = audited_pinned(pinned, "", maker, None)
            wrong = [one for one in wrong if one[0] is not Finding.OFFSET_OUTSIDE]
            return _Compared(unverified(claims), found + unvouched(claims, "") + wrong, pinned=lines)
        text = reading.text
        found += same_text(claims, text, form)
        if text.text.strip():
            resource, base_url = subject.resource, self._base_url
            found += against_source(claims, resource, reading, self._label, base_url, form)
        stated = _spans(claims, pinned)
        for reference, path in dict.fromkeys((span.reference, span.path) for span in stated):
            found += await self._sources.place(claims, reference, path, reading, subject.known)
        wanted = await asyncio.to_thread(expected, text, claims, maker, self._rules)
        unruly = {} if wanted is None else against_rules(claims, wanted.contexts)
        sentences, wrong = against_text(claims, text.text, unruly)
        lines, more = audited_pinned(pinned, text.text, maker, wanted)
        wrong += told(unruly) + more
        if form > 1:
            wrong += against_note(claims, text.text, wanted)
        links = named_copies(claims, subject.provenances, self._base_url)
        copies, differ = await audited_copies(self._sources, claims, links, reading, self._base_url)
        found += unvouched(claims, text.text) + wrong + differ
        total = len(wanted.sentences) if wanted else 0
        return _Compared(sentences, found, wanted is not None, lines, copies, total)


def _spans(claims: Claims, pinned: PinnedClaims | None) -> list[Span]:
    """All that point into a text."""
    both = (claims, pinned.lines) if pinned else (claims,)
    return [span for one in both for span in (*one.spans, *one.contexts)]
