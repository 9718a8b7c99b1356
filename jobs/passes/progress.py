"""How a pass shows that it moves: a bar on a terminal, a log line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

import structlog
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from jobs.passes.outcome import Outcome, Totals

log = structlog.get_logger("clinsum.progress")

_LOG_EVERY = 10.0


class PassProgress:
    """Counts outcomes and shows them; `show` is False where standard error must stay quiet."""

    def __init__(self, *, show: bool = True) -> None:
        self._totals = Totals()
        self._logged = time.monotonic()
        self._bar: Progress | None = None
        self._show = show
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
            self._task = self._bar.add_task("reading the server's changes", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def add(self, outcome: Outcome) -> None:
        """Counts one note."""
        self._totals.add(outcome)
        counts = self._totals.by_status
        if self._bar:
            shown = "  ".join(f"{name} {counts[name]}" for name in sorted(counts))
            self._bar.update(self._task, description=f"{self._totals.seen} notes: {shown}")
        elif self._show and time.monotonic() - self._logged > _LOG_EVERY:
            self._logged = time.monotonic()
            log.info("progress", seen=self._totals.seen, **counts)
