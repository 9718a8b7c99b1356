"""How a pass shows that it moves: a bar on a terminal, a log line now and then elsewhere."""

import re
import sys
import time
from types import TracebackType
from typing import Self

import structlog
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from jobs.passes.outcome import Outcome, Totals
from jobs.passes.watch import Watch

log = structlog.get_logger("clinsum.progress")

_LOG_EVERY = 10.0


class PassProgress(Watch):
    """Counts outcomes and shows them; `show` is False where standard error must stay quiet."""

    def __init__(self, *, show: bool = True) -> None:
        self._totals = Totals()
        self._logged = self._began = time.monotonic()
        self._found = 0
        self._loading = False
        self._bar: Progress | None = None
        self._show = show
        self._start = self._logged
        self._share = self._own = 0.0
        if show and sys.stderr.isatty():
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self.words, total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def words(self) -> str:
        """What is going on, in a line for people."""
        counts = self._totals.by_status
        if self._found or self._totals.seen:
            known = max(self._found, self._totals.seen)
            said = "  ".join(f"{counts[name]} {name}" for name in sorted(counts))
            shown = f"{self._totals.seen} of {known} notes found so far" + (f": {said}" if said else "")
        else:
            shown = "reading the server's changes"
        estimate = self._estimate()
        if estimate:
            shown += f", {estimate['done']} of all"
            shown += f", about {estimate['left']} left" if "left" in estimate else ""
        return f"loading the model  {shown}" if self._loading else shown

    def add(self, outcome: Outcome) -> None:
        """Counts one note."""
        self._totals.add(outcome)
        self._shown()
        if not self._bar and self._show and time.monotonic() - self._logged > _LOG_EVERY:
            self._logged = time.monotonic()
            log.info(
                "progress",
                seen=self._totals.seen,
                of=self._found,
                **self._totals.by_status,
                **self._estimate(),
            )

    def found(self, notes: int) -> None:
        """Counts notes that are still to come."""
        self._found += notes
        self._shown()

    def loading(self) -> None:
        """Says why nothing moves for some seconds."""
        self._loading, self._began = True, time.monotonic()
        self._shown()
        if not self._bar and self._show:
            log.info("loading-model")

    def loaded(self) -> None:
        """Says that it goes on."""
        self._loading = False
        self._shown()
        if not self._bar and self._show:
            log.info("model-loaded", seconds=round(time.monotonic() - self._began, 1))

    def _shown(self) -> None:
        if self._bar:
            self._bar.update(self._task, description=self.words)

    def planned(self, words: str) -> None:
        """Says where the notes come from, on a line that stays."""
        if self._show:
            sys.stderr.write(f"{words}\n")

    def waiting(self, progress: str) -> None:
        """Says that the server is still at it, now and then."""
        if self._show and time.monotonic() - self._logged > _LOG_EVERY:
            self._logged = time.monotonic()
            percent = re.search(r"\d{1,3}(\.\d+)?\s?%", progress)  # nothing else that a server may say
            log.info("export", seconds=round(time.monotonic() - self._start), done=percent and percent[0])

    def reached(self, share: float, in_this_run: float) -> None:
        """Takes note of how far it is."""
        self._share, self._own = share, in_this_run

    def _estimate(self) -> dict[str, str]:
        """The share that is done, and the time that the rest will take at the pace of this run."""
        if not self._share:
            return {}
        left = (time.monotonic() - self._start) * (1 - self._share) / self._own if self._own else None
        return {"done": f"{self._share:.1%}"} | ({} if left is None else {"left": duration_words(left)})


def duration_words(seconds: float) -> str:
    """Such as `42 s`, `5 min`, `3 h 20 min`, `12 d 4 h`."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, hours = round(whole / 60), round(whole / 3600)
    if minutes < 100:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"
