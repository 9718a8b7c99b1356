"""Sources that somebody named and that nobody has: a mistyped id leaves nothing in the ledger."""

from collections.abc import AsyncIterator
from dataclasses import replace

from fhir_adapter.reasons import Reason
from fhir_adapter.writing.writer import Writer
from jobs.passes.work import Batch, Job


async def without_unknown(
    batches: AsyncIterator[Batch], writer: Writer, unknown: list[str]
) -> AsyncIterator[Batch]:
    """The batches without notes of which there is no trace: on the server, in the ledger, or in a summary.

    Args:
        batches: of named sources.
        writer: knows what was written of a source.
        unknown: is given the sources that are left out.
    """
    async for batch in batches:
        absent = [job.note.reference for job in batch.jobs if _absent(job)]
        chains = await writer.chains(absent) if absent else {}
        gone = {source for source in absent if not chains.get(source)}
        unknown.extend(sorted(gone))
        yield replace(batch, jobs=tuple(job for job in batch.jobs if job.note.reference not in gone))


def _absent(job: Job) -> bool:
    return job.before is None and job.error is not None and job.error.reason is Reason.DELETED
