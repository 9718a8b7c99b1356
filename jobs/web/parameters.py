"""Parameters of a query that a route does not have: refused, since an unknown filter filters nothing."""

from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute

from jobs.web.guard.access import AZURE_PATH, known
from jobs.web.problems import NAME, ProblemError

_STRICT = "/v1/"


async def known_parameters(request: Request) -> None:
    """A dependency of every route of the API but those of Azure, whose clients send more with each version.

    Raises:
        ProblemError: `invalid`, with the names that the route takes; `unauthorized` for who is unknown.
    """
    path, route = request.url.path, request.scope.get("route")
    if not request.query_params:  # the document takes long to make
        return
    if not path.startswith(_STRICT) or path.startswith(AZURE_PATH) or not isinstance(route, APIRoute):
        return
    document: dict[str, Any] = request.app.openapi()
    operation = document["paths"].get(route.path_format, {}).get(request.method.lower(), {})
    names = sorted(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")
    wrong = [name for name in dict.fromkeys(request.query_params) if name not in names]
    if wrong and operation:
        known(request)  # this runs before the route's own dependencies: who may not ask is told that alone
        allowed = {"allowed": ", ".join(names)} if names else {}
        shown = [name if NAME.fullmatch(name) else "(not a name)" for name in wrong[:20]]
        errors = tuple({"where": f"query.{name}", "problem": "unknown field"} | allowed for name in shown)
        raise ProblemError("invalid", errors=errors)
