"""When the credentials of a client end."""

import base64
import binascii
import json
import time

import httpx

from fhir_adapter.rest.auth import BearerAuth
from fhir_adapter.rest.tokens import TokenAuth


def seconds_left(auth: httpx.Auth | None) -> float | None:
    """Seconds until the token in hand ends, below 0 once it has; None where nothing says when.

    A fixed token tells only if it is a JWT with `exp` (RFC 7519); its signature is the server's matter.
    """
    if isinstance(auth, TokenAuth):
        return auth.tokens.seconds_left
    if isinstance(auth, BearerAuth):
        ends = _expiry(auth.token)
        return None if ends is None else ends - time.time()
    return None


def _expiry(token: str) -> float | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends) if isinstance(ends, int | float) and not isinstance(ends, bool) else None
