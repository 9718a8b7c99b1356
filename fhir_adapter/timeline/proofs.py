"""Proofs of summaries that need not be made again, since nothing that they were made from has changed.

A proof is kept with a digest of everything of the server that it read: the Composition, its Provenances and
Devices, the note and the texts that its offsets point into. All of that is read anew each time and compared;
one letter of difference, or one version, and the summary is proven anew. So what is kept spares work and
never a look at the server. It lies in memory alone, and belongs to the rights with which it was read.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Found
from fhir_adapter.audit.verdict import Examined, Kind, Subject
from fhir_adapter.lenient import reference_of
from fhir_adapter.timeline.timeline import TimelineNote

_MOST = 1000


@dataclass(frozen=True, slots=True)
class Proven:
    """What a timeline takes of an audit; never a whole note.

    Attributes:
        kind: a summary, or a timeline that somebody tagged as one.
        source: `Type/id` of the note.
        authors: `Device/id`, as stated.
        in_error: the note itself is entered in error.
        found: by the audit.
        note: with the sentences that hold; None where what was found lets none be shown.
    """

    kind: Kind
    source: str
    authors: tuple[str, ...]
    in_error: bool
    found: tuple[Found, ...]
    note: TimelineNote | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A proof and what it was made from: the Composition with its Provenances, and the rest by reference."""

    stated: bytes
    read: Mapping[str, bytes]
    devices: Mapping[str, bytes]
    proven: Proven


class Proofs:
    """Keeps the proofs of one reader, or of all with the same rights.

    Args:
        most: so many are kept, those used last.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def found(self, subject: Subject) -> Proven | None:
        """The proof of a Composition just read, where all that it was made from is as it was."""
        reference = reference_of(subject.resource)
        kept = self._kept.get(reference)
        if kept is None or kept.stated != _stated(subject):
            return None
        read = {one: _digest(subject.known.get(one)) for one in kept.read}
        if read != kept.read or await _devices(subject, kept.devices) != kept.devices:
            return None
        self._kept.move_to_end(reference)
        return kept.proven

    async def keep(self, subject: Subject, examined: Examined, proven: Proven) -> None:
        """Keeps a proof, if everything that it was made from can be compared the next time.

        That is not so where the note is not the version summarised, has its text elsewhere (behind an
        address), or could not be read.
        """
        read = _read_for(subject, examined)
        if read is None:
            return
        claims = examined.sections[0].claims
        devices = await _devices(subject, (*claims.authors, *claims.section_authors))
        self._kept[reference_of(subject.resource)] = _Kept(_stated(subject), read, devices, proven)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


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
    if any(one.url is not None for one in (reading.attachment, *reading.further)):
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
