"""From lines of resources to the notes that they name, a page of them at a time.

A line says that there is a note, and of which version; its text is not used. Whoever has a file may have
altered it, and the note may have changed since: what is summarised is the server's.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from fhir_adapter.bulk.ndjson import Line
from fhir_adapter.filed import is_own
from fhir_adapter.lenient import reference_of, version_of
from fhir_adapter.reading.page import Unreadable
from fhir_adapter.reasons import Reason
from fhir_adapter.stamps import last_updated, nanoseconds
from jobs.backfill.pieces import Place, Wanted
from jobs.passes.changes import Changes
from jobs.passes.work import Batch

_LINES = 1_000  # after so many without a page of notes the place is told


@dataclass(slots=True)
class NamedNotes:
    """Notes that lines name, by type, each with the version that is stated.

    Attributes:
        stated: by type, `Type/id` to the version, or "".
        unreadable: lines that name none.
    """

    wanted: Wanted
    stated: dict[str, dict[str, str]] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)

    def take(self, line: Line) -> None:
        """Takes note of a line."""
        resource = line.resource
        if resource is None:
            reason = Reason.TOO_LARGE if line.too_long else Reason.MALFORMED
            said = "is too long" if line.too_long else "is no resource"
            self.unreadable.append(Unreadable("", reason, f"line {line.number} {said}"))
            return
        kind = resource["resourceType"]
        if kind not in self.wanted.types or is_own(resource):
            return
        stamp = last_updated(resource)
        since = nanoseconds(self.wanted.since)
        if since is not None and stamp is not None and stamp < since:
            return
        name = reference_of(resource)
        if name:
            self.stated.setdefault(kind, {})[name] = version_of(resource)
        else:
            detail = f"line {line.number}: no usable id"
            self.unreadable.append(Unreadable("", Reason.MALFORMED, detail))

    @property
    def notes(self) -> int:
        """How many there are."""
        return sum(map(len, self.stated.values()))

    async def batches(self, changes: Changes) -> AsyncIterator[Batch]:
        """What is to be done for them."""
        if self.unreadable:
            yield await changes.unreadable(self.unreadable)
        for resource_type, stated in self.stated.items():
            async for batch in changes.listed(resource_type, stated):
                yield batch


async def batches_of_lines(
    lines: AsyncIterator[Line],
    wanted: Wanted,
    changes: Changes,
    done: Callable[[], int],
    page_size: int,
) -> AsyncIterator[Batch | Place]:
    """Batches for the notes that the lines name, and after each page how far that is.

    Args:
        lines: of a file.
        wanted: which resources.
        changes: makes the batches.
        done: how much of the file is read, in the unit of its weight.
        page_size: notes that are asked for at a time.
    """
    page, told = NamedNotes(wanted), 0
    async for line in lines:
        page.take(line)
        told = told or line.number
        if page.notes >= page_size or line.number - told >= _LINES:
            async for batch in page.batches(changes):
                yield batch
            yield Place(line.number, done())
            page, told = NamedNotes(wanted), line.number
    async for batch in page.batches(changes):
        yield batch
