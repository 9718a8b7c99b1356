"""Proves any Composition of ours, a summary or a timeline, from the server alone."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhir_adapter.audit.auditor import SummaryAuditor
from fhir_adapter.audit.context import Rules
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import read_maker, read_record
from fhir_adapter.audit.sources import Sources
from fhir_adapter.audit.standing import State, state_of
from fhir_adapter.audit.verdict import Audit, Examined, Filed, Kind, Proof, Subject
from fhir_adapter.audit.witnesses import Devices, Witnesses
from fhir_adapter.filing.client import filing
from fhir_adapter.lenient import JsonObject, as_dict, references, relative
from fhir_adapter.reading.attachment import FetchLimits
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from fhir_adapter.timeline.auditor import TimelineAuditor
from fhir_adapter.writing.lifecycle import is_timeline


class Auditor:
    """Audits Compositions of one server.

    Args:
        label: the security label that every summary must carry, as (system, code).
        rules: of this version. Of what the same version wrote, the sentences and their context are found in
            the note again; None for not.
    """

    def __init__(
        self,
        client: FhirClient,
        extractor: Extractor,
        limits: FetchLimits,
        label: tuple[str, str],
        rules: Rules | None = None,
    ) -> None:
        self._client = client
        self._witnesses = Witnesses(client)
        self._sources = sources = Sources(client, extractor, limits)
        self._summaries = SummaryAuditor(client.base_url, sources, self._witnesses, label, rules)
        self._timelines = TimelineAuditor(client, sources, self._witnesses, label, rules)

    async def audit(self, reference: str) -> Audit:
        """Reads a Composition by `Composition/id` or id, and audits it."""
        examined = await self.examine(reference)
        if examined is None:
            return Audit(_named(reference), "", (), ((Finding.COMPOSITION_GONE, ""),))
        return examined.audit

    async def examine(self, reference: str) -> Examined | None:
        """As `audit`, with what was read for it; None where there is no such Composition."""
        resource = await self._client.read_if_there(_named(reference))
        if resource is None or resource.get("resourceType") != "Composition":
            return None
        (subject,) = await self.subjects([resource])
        return await self.proven(subject)

    async def newest_text(self, examined: Examined) -> str | None:
        """The text of a summary's note now; None where that is the version summarised, or cannot be read."""
        (section,) = examined.sections
        if section.source.current is section.source.stated:
            return None
        text = await self._sources.newest(section.claims, section.source)
        return text.text if text else None

    async def page(self, compositions: Sequence[JsonObject]) -> list[Callable[[], Awaitable[Audit]]]:
        """One audit, not begun yet, for each Composition just read; their Provenances are read at once."""

        def audit_of(subject: Subject) -> Callable[[], Awaitable[Audit]]:
            async def made() -> Audit:
                return (await self.proven(subject)).audit

            return made

        return [audit_of(subject) for subject in await self.subjects(compositions)]

    async def subjects(
        self, compositions: Sequence[JsonObject], known: Mapping[str, JsonObject] | None = None
    ) -> list[Subject]:
        """Compositions just read, each with what points at it; the Provenances of all are read at once.

        Args:
            compositions: of this server.
            known: other resources that were read just now, by `Type/id`.
        """
        references = [f"Composition/{resource.get('id', '')}" for resource in compositions]
        provenances = await self._witnesses.provenances(references)
        devices = Devices(self._client)
        return [
            Subject(resource, provenances[reference], devices.within(resource), known or {})
            for resource, reference in zip(compositions, references, strict=True)
        ]

    async def proven(self, subject: Subject) -> Examined:
        """The audit of one of these, with what was read for it."""
        auditor = self._timelines if is_timeline(subject.resource) else self._summaries
        proof = await auditor.prove(subject)
        filed = await self._filed(subject.resource)
        authors = references(subject.resource.get("author"), self._client.base_url)
        choosers = [author for section in proof.sections for author in section.claims.section_authors]
        devices = subject.devices.known(list(dict.fromkeys([*authors, *choosers])))
        record = read_record(subject.resource, self._client.base_url)
        makers = tuple(map(read_maker, devices))
        state = state_of(record, makers, [(section.claims, section.source) for section in proof.sections])
        return Examined(
            kind=proof.kind,
            audit=replace(
                _audit(subject.resource, proof, authors, state, filed),
                filed=_filed(subject.resource, self._client.base_url),
            ),
            sections=proof.sections,
            record=record,
            makers=makers,
            provenances=tuple(f"Provenance/{one.get('id', '')}" for one in subject.provenances),
        )

    async def _filed(self, composition: JsonObject) -> tuple[Found, ...]:
        """What the document that it is filed in, if it is, says otherwise."""
        client = filing(self._client)
        differs = await client.differences(f"Composition/{composition.get('id', '')}") if client else None
        return tuple((Finding.DOCUMENT_DIFFERS, name) for name in differs or ())


def _named(reference: str) -> str:
    return reference if "/" in reference else f"Composition/{reference}"


def _audit(
    resource: JsonObject, proof: Proof, authors: Sequence[str], state: State, filed: tuple[Found, ...] = ()
) -> Audit:
    version = proof.sections[0].claims.version if proof.kind is Kind.SUMMARY else ""
    return Audit(
        composition=f"Composition/{resource.get('id', '')}",
        source=proof.about,
        sentences=tuple(sentence for section in proof.sections for sentence in section.sentences),
        findings=(*proof.found, *filed),
        unproven=tuple(text for section in proof.sections for text in section.unproven),
        version=version,
        author=authors[0] if authors else "",
        state=state,
        notices=tuple(_notices(proof)),
        kind=proof.kind,
        **_beside(proof),
    )


def _filed(resource: JsonObject, base_url: str) -> Filed:
    subject = as_dict(resource.get("subject")).get("reference")
    title, status = (str(resource.get(name) or "") for name in ("title", "status"))
    return Filed(" ".join(title.split()), relative(subject, base_url), status)


def _beside(proof: Proof) -> dict[str, Any]:
    """Of a summary, what stands beside its sentences."""
    if proof.kind is not Kind.SUMMARY:
        return {}
    (section,) = proof.sections
    claims = section.claims
    return {
        "pinned": section.pinned,
        "left_out": claims.left_out,
        "reading": claims.notice,
        "copies": section.copies,
    }


def _notices(proof: Proof) -> Iterator[str]:
    """What an audit of this Composition could not look at, a sentence each."""
    read = [section for section in proof.sections if section.read]
    copies = [copy.source for section in proof.sections for copy in section.copies if copy.ok]
    if copies:
        yield f"The same text is filed as {', '.join(copies)} too; it was read there again and is the same."
    if any(section.ruled and section.pinned and not section.pinned.ruled for section in read):
        yield (
            "A rule has another version now, so whether a line that it finds is missing was not looked at; "
            "what is shown was."
        )
    if any(section.claims.form == 1 for section in proof.sections):
        yield (
            "It was written by a version that showed sentences without what stands around them in the note, "
            "such as their headings: read them in the note."
        )
    elif not all(section.ruled for section in read):
        yield (
            "It was written by another version of this software, so whether anything is missing around a "
            "sentence was not looked at; what is shown was."
        )
