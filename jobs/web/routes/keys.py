"""`/.well-known/jwks.json`: the public keys that FHIR servers check our statements with. For anyone."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from jobs.web.answers import problems
from jobs.web.problems import ProblemError

PATH = "/.well-known/jwks.json"
_KEPT = "public, max-age=300"  # a server that keeps it longer would not see a new key in time

router = APIRouter(tags=["keys"])


class JwkSet(BaseModel):
    """A JWK Set (RFC 7517)."""

    keys: Annotated[
        list[dict[str, Any]], Field(description="Public keys: `kty`, `kid`, `alg`, `use` and their numbers.")
    ]


@router.get(PATH, summary="The public keys of this client", responses=problems(404))
async def public_keys(request: Request, response: Response) -> JwkSet:
    """What a server that is logged in to by SMART Backend Services is told as the client's `jwks_uri`."""
    found: dict[str, Any] = request.app.state.jwks
    if not found["keys"]:
        raise ProblemError("not-found", "No key is set up here.")
    response.headers["Cache-Control"] = _KEPT
    return JwkSet(**found)
