"""Proofs of summaries that need not be made again, since nothing that they were made from has changed.

A proof is kept with a digest of everything of the server that it read: the Composition, its Provenances and
Devices, the note and the texts that its offsets point into. All of that is read anew each time and compared;
one letter of difference, or one version, and the summary is proven anew. Of bytes behind an address of the
server the version is kept that they had, and asked for anew: of Binaries many in one search, else in a read
that is answered only if it is another version. So what is kept spares work and never a look at the server.
It lies in memory alone, and belongs to the rights with which it was read.
"""

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Found
from fhir_adapter.audit.verdict import Examined, Kind, Subject
from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.lenient import reference_of, version_of
from fhir_adapter.note import Attachment
from fhir_adapter.reading.attachment import FetchLimits, unchanged
from fhir_adapter.reading.by_id import find_by_id
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.timeline.timeline import TimelineNote

_MOST = 1000
_AT_ONCE = 100  # Binaries in one search
_MOST_BYTES = FetchLimits().max_bytes
_BINARY = re.compile(r"Binary/[^/?]+")


@dataclass(frozen=True, slots=True)
class Proven:
    """What a timeline takes of an audit; never a whole note.

    Attributes:
        kind: a summary, or a timeline that somebody tagged as one.
        source: `Type/id` of the note.
        authors: as stated: `Device/id`, or `#id` of a contained one.
        recalled: one of them was.
        in_error: the note itself is entered in error.
        found: by the audit.
        note: with the sentences that hold; None where what was found lets none be shown.
    """

    kind: Kind
    source: str
    authors: tuple[str, ...]
    recalled: bool
    in_error: bool
    found: tuple[Found, ...]
    note: TimelineNote | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A proof and what it was made from: the Composition with its Provenances, and the rest by reference.

    Attributes:
        behind: attachments whose bytes lie behind an address, each with the version that they had.
    """

    stated: bytes
    read: Mapping[str, bytes]
    devices: Mapping[str, bytes]
    behind: Sequence[tuple[Attachment, str]]
    proven: Proven


class Proofs:
    """Keeps the proofs of one reader, or of all with the same rights.

    Args:
        most: so many are kept, those used last.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._searched = True  # the server gives the versions of Binaries in a search, and their data not

    async def found(self, client: FhirClient, subjects: Sequence[Subject]) -> list[Proven | None]:
        """The proofs of Compositions just read, where all that they were made from is as it was.

        Args:
            client: with the rights that the proofs belong to.
            subjects: the Compositions.

        Raises:
            LoginError: as the client raises it.
        """
        same = [await self._same(subject) for subject in subjects]
        behind = [one for kept in same if kept for one in kept.behind]
        versions = await self._versions(client, [attachment for attachment, _ in behind])
        pairs = zip(subjects, same, strict=True)
        return await asyncio.gather(*(self._proven(client, *pair, versions) for pair in pairs))

    async def _same(self, subject: Subject) -> _Kept | None:
        """What is kept, where all but what lies behind addresses is known to be as it was."""
        kept = self._kept.get(reference_of(subject.resource))
        if kept is None or kept.stated != _stated(subject):
            return None
        read = {one: _digest(subject.known.get(one)) for one in kept.read}
        same = read == kept.read and await _devices(subject, kept.devices) == kept.devices
        return kept if same else None

    async def _proven(
        self, client: FhirClient, subject: Subject, kept: _Kept | None, versions: Mapping[str, str]
    ) -> Proven | None:
        if kept is None:
            return None
        for attachment, version in kept.behind:
            same = versions.get(_binary(client, attachment)) == version
            if not same and not await unchanged(attachment, client, version, _MOST_BYTES):
                return None
        self._kept.move_to_end(reference_of(subject.resource))
        return kept.proven

    async def _versions(self, client: FhirClient, attachments: Sequence[Attachment]) -> dict[str, str]:
        """Of Binaries, by `Binary/id`, as far as a search gives them."""
        names = sorted({name for one in attachments if (name := _binary(client, one))})
        found: dict[str, str] = {}
        for start in range(0, len(names), _AT_ONCE):
            if not self._searched:
                break
            part = names[start : start + _AT_ONCE]
            try:
                there = await find_by_id(client, "Binary", part, ("id", "meta", "contentType"))
            except FhirAdapterError:
                break
            self._searched = bool(there) and not any("data" in one for one in there.values())
            found |= {name: version_of(one) for name, one in there.items()}
        return found

    async def keep(self, subject: Subject, examined: Examined, proven: Proven) -> None:
        """Keeps a proof, if everything that it was made from can be compared the next time.

        That is not so where the note is not the version summarised, could not be read, or has its text behind
        an address whose version nobody tells.
        """
        read = _read_for(subject, examined)
        if read is None:
            return
        behind = _behind(examined)
        if not all(version for _, version in behind):
            return
        claims = examined.sections[0].claims
        devices = await _devices(subject, (*claims.authors, *claims.section_authors))
        reference = reference_of(subject.resource)
        self._kept[reference] = _Kept(_stated(subject), read, devices, behind, proven)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _binary(client: FhirClient, attachment: Attachment) -> str:
    """`Binary/id` where an address leads to the newest version of one of the server's; else ""."""
    url = (attachment.url or "").strip()
    name = (client.scope.relative(url) or "") if url else ""
    return name if _BINARY.fullmatch(name) else ""


def _behind(examined: Examined) -> list[tuple[Attachment, str]]:
    """Attachments of the note whose bytes came from an address, with their versions, "" where unknown."""
    reading = examined.sections[0].source.reading
    if reading is None:
        return []
    pairs = zip((reading.attachment, *reading.further), reading.versions, strict=True)
    return [(attachment, version) for attachment, version in pairs if version is not None]


def _read_for(subject: Subject, examined: Examined) -> dict[str, bytes] | None:
    """The resources that a proof was made from, with their digests; None where that is not known of all."""
    if examined.kind is not Kind.SUMMARY:
        return None
    (section,) = examined.sections
    if section.copies:  # of these the notes are read too
        return None
    source, reading = section.source, section.source.reading
    if reading is None or source.current is None or source.current is not source.stated:
        return None
    pointed_into = [section.claims, *([section.pinned.claims] if section.pinned else [])]
    named = {section.claims.source}.union(*map(_targets, pointed_into))
    if source.current is not subject.known.get(section.claims.source) or not named <= subject.known.keys():
        return None
    return {one: _digest(subject.known[one]) for one in named}


def _targets(claims: Claims) -> set[str]:
    return {span.reference for span in (*claims.spans, *claims.contexts)}


def _stated(subject: Subject) -> bytes:
    return _digest([subject.resource, subject.provenances])


async def _devices(subject: Subject, references: Iterable[str]) -> dict[str, bytes]:
    return {one: _digest(await subject.devices.read(one)) for one in references}


def _digest(read: object) -> bytes:
    written = json.dumps(read, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
