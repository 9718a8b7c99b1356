"""What a backfill is asked to do, and where its notes come from."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from fhir_adapter.bulk.export import ExportError, ExportRequest, Exports, NoSuchExportError
from fhir_adapter.bulk.manifest import Manifest
from fhir_adapter.errors import HttpStatusError, RefusedError
from fhir_adapter.reading.patients import Patients
from fhir_adapter.stamps import instant, nanoseconds
from jobs.backfill.files import find_files
from jobs.backfill.outputs import lacks, pieces_of
from jobs.backfill.pieces import Piece, Wanted, digest
from jobs.backfill.searches import PatientPiece, stretches
from jobs.ledger.backfills import BEGUN, EXPORT, Reached, drop, keep, reached
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts

log = structlog.get_logger("clinsum.backfill")


@dataclass(frozen=True, slots=True)
class Request:
    """As the command line gives it.

    Attributes:
        wanted: which resources.
        files: files and folders to read; none for what the server has.
        group: id of a Group whose members' notes are wanted; "" for everybody's.
        pace: how fast summaries are written, where that is limited.
        anew: forget how far an earlier run came.
    """

    wanted: Wanted
    files: tuple[Path, ...] = ()
    group: str = ""
    pace: Pace | None = None
    anew: bool = False

    @property
    def walk(self) -> str:
        """Names the backfill: the same request goes on where the one before ended."""
        files = sorted(str(path.resolve()) for path in self.files)
        return digest(self.group, self.wanted.since, ",".join(sorted(self.wanted.types)), *files)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the notes come from.

    Attributes:
        way: one sentence for people.
        pieces: in the order in which they are worked on.
        export: status address of the export that they are files of; "" where they are none.
        lacks: what is known to be missing, in sentences.
        marks: watermarks that hold once all of it is recorded, where there are none yet: names and stamps.
    """

    way: str
    pieces: Sequence[Piece]
    export: str = ""
    lacks: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()


class StoppedError(Exception):
    """Told to stop while an export is made; the next run goes on with it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How to wait for an export.

    Attributes:
        stop: ends the waiting.
        told: of each answer that it is not ready, with what the server says of its progress.
    """

    stop: asyncio.Event
    told: Callable[[str], None]

    async def sleep(self, seconds: float) -> None:
        """Waits. Raises StoppedError: told to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)
        if self.stop.is_set():
            raise StoppedError


def plan_files(request: Request) -> Plan:
    """The pieces of the files that are named.

    Raises:
        UsageError: one is not there.
    """
    pieces = find_files(request.files, request.wanted)
    size = sum(piece.size for piece in pieces)
    files = "1 file" if len(pieces) == 1 else f"{len(pieces)} files"
    return Plan(
        f"Notes named in {files} ({size / 1e6:,.1f} MB), each read from the server as it is now.", pieces
    )


async def make_plan(parts: Parts, request: Request, wait: Wait) -> Plan:
    """Chooses where the notes come from: files, an export (the one that an earlier run began), or searches.

    Args:
        parts: of the process.
        request: what is asked for.
        wait: how to wait for the export.

    Raises:
        UsageError: a file is not there. Stopped: told to stop while the export is made.
        FhirAdapterError: as the client raises it.
    """
    if request.anew:
        await asyncio.to_thread(drop, parts.ledger, request.walk)
    if request.files:
        return plan_files(request)
    if parts.settings.patients and not request.group:
        names = await Patients(parts.client, parts.settings.patients).references()
        return _patients("The patients of CLINSUM_PATIENTS", names, request)
    if (await parts.client.capability()).exports("Group" if request.group else ""):
        plan = await _export(parts, request, wait)
        if plan:
            return plan
    if request.group:
        names = await Patients(parts.client, [f"Group/{request.group}"]).references()
        return _patients("The server exports no Group: its members", names, request)
    pieces = await stretches(parts, request.wanted)
    return Plan(
        f"The server exports nothing: its notes by {len(pieces)} searches, a stretch of time each.", pieces
    )


def _patients(who: str, names: Sequence[str], request: Request) -> Plan:
    pieces = [PatientPiece(name, request.wanted) for name in names]
    return Plan(f"{who}, {len(pieces)} in all, are searched one by one.", pieces)


async def _export(parts: Parts, request: Request, wait: Wait) -> Plan | None:
    """The files of the export that an earlier run began, or of a new one; None where it is refused."""
    exports = Exports(parts.client, wait.sleep)
    before = await asyncio.to_thread(reached, parts.ledger, request.walk)
    if EXPORT in before:
        begun = before.get(BEGUN, Reached("")).place
        made = _Made(parts, request, before[EXPORT].place, begun)
        try:
            return await made.plan(exports, wait, "Goes on with the export")
        except NoSuchExportError:
            log.warning(
                "export-gone", message="the server does not know the export any more; it is made anew"
            )
            await asyncio.to_thread(drop, parts.ledger, request.walk)
    asked = ExportRequest(request.wanted.types, request.group, request.wanted.since)
    try:
        status, at = await exports.begin(asked)
    except (HttpStatusError, ExportError) as error:
        if isinstance(error, RefusedError) or (isinstance(error, HttpStatusError) and error.passing):
            raise
        log.warning("no-export", message=str(error))
        return None
    begun = "" if at is None else instant(at)
    await asyncio.to_thread(keep, parts.ledger, request.walk, BEGUN, Reached(begun))
    await asyncio.to_thread(keep, parts.ledger, request.walk, EXPORT, Reached(status))
    return await _Made(parts, request, status, begun).plan(exports, wait, "Export")


@dataclass(frozen=True, slots=True)
class _Made:
    """An export that is being made.

    Attributes:
        status: its address.
        begun: when it was asked for, by the server's clock; "" if that is not known.
    """

    parts: Parts
    request: Request
    status: str
    begun: str

    async def plan(self, exports: Exports, wait: Wait, how: str) -> Plan:
        """Waits for it; its files as pieces."""
        manifest = await exports.manifest(self.status, wait.told)
        pieces = pieces_of(manifest, self.status, self.request.wanted)
        counts = [piece.output.count for piece in pieces if not piece.deleted]
        lines = f", {sum(counts):,} resources" if counts and min(counts) >= 0 else ""
        of = f"Group/{self.request.group}" if self.request.group else "the server"
        when = manifest.transaction_time or "an unknown time"
        missing = tuple(await lacks(manifest, self.status, self.parts))
        words = f"{how} of {of}: {len(pieces)} files{lines}, of {when}."
        return Plan(words, pieces, self.status, missing, () if missing else self._marks(manifest))

    def _marks(self, manifest: Manifest) -> tuple[tuple[str, str], ...]:
        """An export of everything holds all that was there when it was asked for, or by its own time.

        The earlier of the two counts: servers state the time at which they had finished (HAPI), or that of a
        copy from which they export. Passes look back behind it by their overlap, as ever.
        """
        wanted = self.request.wanted
        stamps = (nanoseconds(self.begun), nanoseconds(manifest.transaction_time))
        if self.request.group or wanted.since or None in stamps:
            return ()
        until = instant(min(stamp for stamp in stamps if stamp is not None))
        return tuple((self.parts.source.mark(resource_type), until) for resource_type in wanted.types)
