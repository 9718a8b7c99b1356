"""A poller to be forked from a process that has imported all it needs: most of what a start costs."""

import os
import sys
from datetime import timedelta
from importlib import import_module

from jobs.cli import main
from jobs.passes import leases

# What a pass imports when it comes to it, beside all that its command imports.
for _needed in ("anyio._backends._asyncio", "fhir.resources.R4B.bundle", "httpcore", "psycopg", "yaml"):
    import_module(_needed)
for _needed in ("fhir_adapter.writing.writer", "jobs.commands.poll", "summarizer.segmentation.segment"):
    import_module(_needed)


def poller(base_url: str, database_url: str) -> None:
    """`clinsum run` with a pass a second, and leases that run out soon."""
    leases.Leases.__init__.__defaults__ = (timedelta(seconds=4), 0.2, "")
    settings = {
        "CLINSUM_FHIR_BASE_URL": base_url,
        "CLINSUM_DATABASE_URL": database_url,
        "CLINSUM_ENGINE": "lead",
        "CLINSUM_CONCURRENCY": "2",
        "CLINSUM_PAGE_SIZE": "5",
        "CLINSUM_LOG_LEVEL": "error",
    }
    os.environ.update(settings)
    sys.argv = ["clinsum", "run", "--every", "1s"]
    main()
