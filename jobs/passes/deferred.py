"""Large notes of a walk, kept back until the others are done, so that none of these waits for them."""

from dataclasses import replace

from jobs.passes.scoring import LARGE
from jobs.passes.work import Batch, Job

_MOST = 10_000_000  # characters that are kept back at a time


class Deferred:
    """The large notes that a walk has met and not scored yet, smallest first."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def keep_back(self, batch: Batch) -> Batch:
        """Takes the large notes out of a batch."""
        large = [job for job in batch.jobs if is_large(job)]
        if not large:
            return batch
        self._jobs += large
        return replace(batch, jobs=tuple(job for job in batch.jobs if not is_large(job)))

    @property
    def full(self) -> bool:
        """Whether no more may be kept in memory."""
        return sum(map(_size, self._jobs)) > _MOST

    def taken(self) -> list[Job]:
        """All of them; none is left."""
        jobs, self._jobs = sorted(self._jobs, key=_size), []
        return jobs


def is_large(job: Job) -> bool:
    """Whether a note is scored by itself, after the others."""
    return _size(job) >= LARGE


def _size(job: Job) -> int:
    """Characters of a note's text; 0 where there is none to score."""
    return len(job.reading.text.text) if job.reading else 0
