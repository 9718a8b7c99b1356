"""Whether the further sources that a summary names hold the text that it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.sources import Sources
from fhir_adapter.audit.standing import says_over
from fhir_adapter.lenient import JsonObject, as_dict, relative
from fhir_adapter.note import Reading
from fhir_adapter.writing.links import Link, read_link


@dataclass(frozen=True, slots=True)
class AuditedCopy:
    """A further source, as named.

    Attributes:
        source: `Type/id`.
        version: of it that was compared.
        ok: it is there in just that version, is the same patient's, and holds the same text.
    """

    source: str
    version: str
    ok: bool

    def to_json(self) -> JsonObject:
        """Its part of the line that `clinsum audit --json` prints."""
        return {"source": self.source, "version": self.version, "ok": self.ok}


def named_copies(claims: Claims, provenances: Sequence[JsonObject], base_url: str) -> list[Link]:
    """The further sources that a summary names, in order; none once it says that its time is over."""
    links = [read_link(resource, base_url) for resource in provenances]
    found = {link.source: link for link in links if link and not link.ended and link.source != claims.source}
    return [] if says_over(claims) else [found[source] for source in sorted(found)]


async def audited_copies(
    sources: Sources, claims: Claims, links: Sequence[Link], reading: Reading, base_url: str
) -> tuple[tuple[AuditedCopy, ...], list[Found]]:
    """Reads each further source again and holds its text against that of the summary.

    Args:
        sources: of the server.
        claims: of the summary.
        links: to it.
        reading: the source that it was made from, read again.
        base_url: of the server.
    """
    copies: list[AuditedCopy] = []
    found: list[Found] = []
    for link in links:
        wrong = await _wrong(sources, claims, link, reading, base_url)
        found += [(finding, f"{link.source}{': ' if why else ''}{why}") for finding, why in wrong]
        copies.append(AuditedCopy(link.source, link.version, not wrong))
    return tuple(copies), found


async def _wrong(
    sources: Sources, claims: Claims, link: Link, reading: Reading, base_url: str
) -> list[Found]:
    read = await sources.read(replace(claims, source=link.source, version=link.version, path=link.path))
    changed = [why for finding, why in read.found if finding is Finding.SOURCE_CHANGED]
    gone = [why for finding, why in read.found if finding is not Finding.SOURCE_CHANGED]
    found: list[Found] = [(Finding.COPY_CHANGED, why) for why in changed]
    if read.reading is None:
        return [*found, (Finding.COPY_DIFFERS, "; ".join(gone))]
    first, second = (
        relative(as_dict(one.note.subject).get("reference"), base_url) for one in (reading, read.reading)
    )
    if gone or not first or first != second:
        found.append((Finding.COPY_DIFFERS, "; ".join(gone) or "another subject"))
    if not read.reading.text.sha256 == link.sha256 == claims.sha256:
        found.append((Finding.COPY_DIFFERS, "another text"))
    return found
