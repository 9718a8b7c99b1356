"""Every page of the application, by its own list of routes: one that is added is looked at by the tests."""

from collections.abc import Mapping

import httpx
from fastapi.routing import APIRoute

from jobs.web import routes

# Answers that no browser shows as a page of its own, and the one that is there only where there are tokens.
NO_PAGES = {"/example", "/model/reliability.svg", "/login"}
MOVED = ("/timeline", "/audit/", "/smart/")
"""Addresses of before, those of a sign-in, and all below them: they lead to a page and are none."""


def templates() -> list[str]:
    """The paths of all pages, with the names of what they are about in braces."""
    found = [route for router in routes.routers(demo=False) for route in router.routes]
    return [
        route.path
        for route in found
        if isinstance(route, APIRoute)
        and "GET" in route.methods
        and not route.include_in_schema
        and route.path not in NO_PAGES
        and not route.path.startswith(MOVED)
    ]


def places(ids: Mapping[str, str]) -> list[str]:
    """The addresses of all pages.

    Args:
        ids: for each template with braces what stands for them, such as `{"/note/{id}": "1"}`.
    """
    filled = []
    for template in templates():
        if "{" in template:
            assert template in ids, f"{template} is a new page: say in tests/browser what it is to show"
            template = template.partition("{")[0] + ids[template]
        filled.append(template)
    return filled


def ids_on(fhir: str) -> dict[str, str]:
    """A Composition, its patient and an encounter of a FHIR server."""
    composition = _first(fhir, "Composition?_sort=-_lastUpdated&_count=1")
    return {
        "/note/{id}": composition["id"],
        "/patient/{id}": composition["subject"]["reference"].rpartition("/")[2],
        "/patient/Encounter/{id}": _first(fhir, "Encounter?_count=1")["id"],
    }


def _first(fhir: str, query: str) -> dict:  # type: ignore[type-arg]
    answer = httpx.get(f"{fhir}/{query}", trust_env=False, timeout=600).raise_for_status()
    return dict(answer.json()["entry"][0]["resource"])
