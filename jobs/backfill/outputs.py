"""Files of an export as pieces, and what the export says that it lacks or that was deleted."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from fhir_adapter.bulk.download import Place as Host
from fhir_adapter.bulk.download import download
from fhir_adapter.bulk.export import ExportError, Exports
from fhir_adapter.bulk.manifest import Manifest, Output
from fhir_adapter.bulk.ndjson import DamagedDataError, Line, read_lines
from fhir_adapter.errors import FhirAdapterError, ServerUnreachableError
from fhir_adapter.lenient import as_dict, as_text, dicts, relative
from fhir_adapter.rest.wire import outcome_codes
from jobs.backfill.lines import batches_of_lines
from jobs.backfill.pieces import PieceError, Place, Wanted, digest
from jobs.passes.changes import Changes
from jobs.passes.parts import Parts
from jobs.passes.work import Batch

_GONE_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class OutputPiece:
    """One file of an export.

    Attributes:
        output: as the manifest names it.
        login: its server wants the credentials.
        status: the export's address, which names the file anew when its own address has ended.
        wanted: which resources.
        deleted: it names what was deleted, in Bundles.
    """

    output: Output
    login: bool
    status: str
    wanted: Wanted
    deleted: bool = False

    @property
    def name(self) -> str:
        """The same for each address that the export gives the file."""
        return _named(self.output)

    @property
    def weight(self) -> int:
        """Lines, where the server says how many."""
        return max(self.output.count, 1)

    async def batches(self, parts: Parts, changes: Changes, after: int) -> AsyncIterator[Batch | Place]:
        """As `Piece.batches`."""
        passed = after

        def done() -> int:
            return min(passed, self.weight)

        async def counted() -> AsyncIterator[Line]:
            nonlocal passed
            async for line in self.lines(parts, after):
                passed = line.number
                yield line

        if self.deleted:
            async for batch in _deletions(counted(), changes, parts.client.base_url):
                yield batch
            return
        size = parts.settings.page_size
        async for found in batches_of_lines(counted(), self.wanted, changes, done, size):
            yield found

    async def lines(self, parts: Parts, after: int = 0) -> AsyncIterator[Line]:
        """Its lines.

        Raises:
            PieceError: it cannot be had, or ends early. ServerUnreachableError: nothing answers.
        """

        async def renewed() -> str:
            manifest = await Exports(parts.client).manifest(self.status)
            return next((o.url for o in _all(manifest) if _named(o) == self.name), self.output.url)

        settings = parts.settings
        host = Host(parts.client, self.login, settings.allowed_hosts, settings.allow_private)
        try:
            async for line in read_lines(download(host, self.output.url, renewed), after=after):
                yield line
        except ServerUnreachableError:
            raise
        except (FhirAdapterError, DamagedDataError) as error:
            raise PieceError(f"a file of the export: {error}") from None


def _all(manifest: Manifest) -> tuple[Output, ...]:
    return (*manifest.output, *manifest.error, *manifest.deleted)


def _named(output: Output) -> str:
    return digest(output.resource_type, httpx.URL(output.url).path)


async def _deletions(lines: AsyncIterator[Line], changes: Changes, base_url: str) -> AsyncIterator[Batch]:
    gone: list[str] = []
    async for line in lines:
        requests = (as_dict(entry.get("request")) for entry in dicts((line.resource or {}).get("entry")))
        deletes = [as_text(one.get("url")) for one in requests if one.get("method") == "DELETE"]
        gone += filter(None, (relative(url, base_url) for url in deletes))
        if len(gone) >= _GONE_AT_ONCE:
            async for batch in changes.deleted(gone):
                yield batch
            gone = []
    if gone:
        async for batch in changes.deleted(gone):
            yield batch


def pieces_of(manifest: Manifest, status: str, wanted: Wanted) -> list[OutputPiece]:
    """The files of a manifest that may hold notes, and those that name what was deleted."""
    kinds = {*wanted.types, ""}
    files = [output for output in manifest.output if output.resource_type in kinds]
    found = [OutputPiece(output, manifest.login, status, wanted) for output in files]
    gone = [OutputPiece(o, manifest.login, status, wanted, deleted=True) for o in manifest.deleted]
    return found + gone


async def lacks(manifest: Manifest, status: str, parts: Parts) -> list[str]:
    """What an export's error files say, in sentences: the resources that they concern are not in it."""
    codes: Counter[str] = Counter()
    for output in manifest.error:
        piece = OutputPiece(output, manifest.login, status, Wanted(()))
        try:
            async for line in piece.lines(parts):
                severe = dicts((line.resource or {}).get("issue"))
                if any(issue.get("severity") in ("fatal", "error") for issue in severe):
                    codes[", ".join(outcome_codes(line.resource or {})) or "unknown"] += 1
        except (PieceError, ExportError) as error:
            return [f"What the export lacks cannot be read: {error}."]
    if not codes:
        return []
    said = ", ".join(f"{count} times {code}" for code, count in codes.most_common(5))
    return [
        f"The export lacks what its error files name ({said}); `clinsum reconcile` finds the notes among it."
    ]
