"""The EHR's signed statement of who calls, as CDS Hooks wants it (section 4.2, Trusting CDS Clients)."""

import time
from collections.abc import Sequence
from typing import Any

import httpx
import jwt

from fhir_adapter.rest.tls import tls_context
from jobs.settings import SettingsError
from jobs.web.guard.oidc import check_address, fetch_json, usable_keys

_ALGORITHMS = ["ES384", "RS384", "ES256", "RS256"]
_LEEWAY = 30  # seconds by which clocks may differ
_LONGEST = 600  # seconds that a statement may hold
_KEEP = 600.0  # seconds for which keys are used without asking again
_PAUSE = 30.0
_MOST_SEEN = 100_000


class CdsClients:
    """The EHRs that may call.

    Args:
        named: `issuer|address of its JWK Set`, each; a `jku` of the statement is never followed.
        transport: replaces the network, for tests.

    Raises:
        SettingsError: an entry is none of these.
    """

    def __init__(self, named: Sequence[str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._places: dict[str, str] = {}
        for entry in named:
            issuer, bar, address = entry.partition("|")
            if not bar or not issuer:
                raise SettingsError("CLINSUM_CDS_CLIENTS: each must be issuer|address of its JWK Set.")
            check_address(address, "CLINSUM_CDS_CLIENTS")
            self._places[issuer] = address
        self._transport = transport
        self._keys: dict[str, tuple[float, dict[str, Any]]] = {}
        self._seen: dict[str, float] = {}

    @property
    def asked_for(self) -> bool:
        """Whether calls must come with a statement."""
        return bool(self._places)

    async def issuer(self, token: str, audience: Sequence[str]) -> str | None:
        """Who signed a statement that is valid for this address, once; None for any other.

        Args:
            token: of the header `Authorization: Bearer`.
            audience: addresses of the service that is called; the statement names one of them.
        """
        try:
            header = jwt.get_unverified_header(token)
            stated = jwt.decode(token, options={"verify_signature": False})
            issuer = str(stated.get("iss", ""))
            key = await self._key(issuer, str(header.get("kid", "")))
            if key is None or key.algorithm not in ("", header.get("alg")):
                return None
            claims = jwt.decode(
                token,
                key.public,
                algorithms=_ALGORITHMS,
                audience=list(audience),
                issuer=issuer,
                leeway=_LEEWAY,
                options={"require": ["iss", "aud", "exp", "iat", "jti"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            return None
        if claims["exp"] - claims["iat"] > _LONGEST or not self._first(
            f"{issuer} {claims['jti']}", claims["exp"]
        ):
            return None
        return issuer

    def _first(self, name: str, until: float) -> bool:
        """Whether a statement comes for the first time; what has ended is forgotten."""
        now = time.time()
        if len(self._seen) > _MOST_SEEN:
            self._seen = {seen: ends for seen, ends in self._seen.items() if ends + _LEEWAY > now}
        if name in self._seen or len(self._seen) > _MOST_SEEN:
            return False
        self._seen[name] = until
        return True

    async def _key(self, issuer: str, name: str) -> Any:
        address = self._places.get(issuer)
        if address is None:
            return None
        asked, keys = self._keys.get(issuer, (-_KEEP, {}))
        age = time.monotonic() - asked
        if age > _KEEP or (name not in keys and age > _PAUSE):
            try:
                async with httpx.AsyncClient(
                    timeout=10, transport=self._transport, verify=tls_context()
                ) as http:
                    keys = dict(usable_keys((await fetch_json(http, address))["keys"]))
            except (httpx.HTTPError, ValueError, KeyError, TypeError):
                pass  # the known ones stay in use
            self._keys[issuer] = (time.monotonic(), keys)
        return keys.get(name)
