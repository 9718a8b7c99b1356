"""The answer of a middleware that lets a request go no further, and the paths that all of them let by."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from jobs.web.problems import ProblemError, answer

_OPEN = ("/health/", "/static/", "/.well-known/jwks.json")  # probes, what holds nothing, public keys


def is_open(path: str) -> bool:
    """Whether anybody may ask for it, from anywhere and as often as they like."""
    return path.startswith(_OPEN)


async def refuse(problem: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
    """Counts the problem and answers with it."""
    scope["app"].state.metrics.refused(problem.code)
    await answer(Request(scope), problem)(scope, receive, send)
