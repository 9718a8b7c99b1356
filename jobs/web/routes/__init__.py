"""The routes, one file per concern. A page or an API of its own is a module here with a `router`."""

from fastapi import APIRouter

from jobs.web.routes import (
    api_docs,
    audits,
    azure,
    batches,
    cds,
    compositions,
    health,
    home,
    keys,
    launches,
    model_page,
    note_pages,
    notes,
    notes_page,
    patients,
    sign_in,
    summaries,
    summarise_page,
    timelines,
)

# Without a FHIR server and a ledger these do not exist.
_WITH_SERVER = (
    compositions.router,
    cds.router,
    notes.router,
    notes_page.router,
    audits.router,
    note_pages.router,
    launches.router,
    patients.router,
    timelines.router,
    keys.router,
)
_ALWAYS = (
    summaries.router,
    batches.router,
    azure.router,
    health.router,
    api_docs.router,
    sign_in.router,
    home.router,
    summarise_page.router,
    model_page.router,
)


def routers(*, demo: bool) -> tuple[APIRouter, ...]:
    """The routers of an application; the demo has those that need no FHIR server."""
    return _ALWAYS if demo else (*_ALWAYS, *_WITH_SERVER)
