"""Commands to be forked from a process that has imported all they need: most of what a start costs."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from multiprocessing.connection import Connection

from jobs.cli import main
from jobs.passes import leases

# What a pass imports when it comes to it, beside all that its command imports.
for _needed in ("anyio._backends._asyncio", "fhir.resources.R4B.bundle", "httpcore", "psycopg", "yaml"):
    import_module(_needed)
for _needed in ("fhir_adapter.writing.writer", "jobs.commands.poll", "summarizer.segmentation.segment"):
    import_module(_needed)


def shorten_leases() -> None:
    """What a killed process held is taken over in seconds, not minutes."""
    leases.LEASE = timedelta(seconds=8)
    leases.Leases.__init__.__defaults__ = (timedelta(seconds=4), 0.2, "")


def command(
    arguments: Sequence[str], environment: Mapping[str, str], told: Connection, streams: Sequence[int]
) -> None:
    """`clinsum ARGUMENTS` with this environment alone, with leases that run out soon.

    Args:
        arguments: without the command's name.
        environment: all of it.
        told: where some of its streams go.
        streams: which: 1 and 2 are standard output and error.
    """
    shorten_leases()
    os.environ.clear()
    os.environ.update(environment)
    for stream in streams:
        os.dup2(told.fileno(), stream)
    told.close()
    sys.argv = ["clinsum", *arguments]
    main()
