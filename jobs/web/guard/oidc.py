"""JWTs of an OpenID Connect issuer, checked against the keys it publishes (RFC 7519, OIDC Discovery 1.0)."""

import asyncio
import ipaddress
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import structlog

from fhir_adapter.rest.tls import tls_context
from jobs.settings import SettingsError

log = structlog.get_logger("clinsum.web")

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_KEEP = 600.0  # seconds for which keys are used without asking again
_PAUSE = 30.0  # seconds between two askings, however many unknown keys are named meanwhile
_LARGEST = 1_000_000  # bytes of an answer
_LEEWAY = 30  # seconds by which clocks may differ


@dataclass(frozen=True, slots=True)
class _Key:
    """A public key, and the one algorithm it is for ("" where that is not stated)."""

    public: Any
    algorithm: str


class Issuer:
    """One issuer and its keys.

    Args:
        address: the `iss` of its tokens; discovery is below it. https, or http on this machine.
        audience: the `aud` that tokens must name.
        transport: replaces the network, for tests.
        tls: whom to trust; the usual authorities where None.

    Raises:
        SettingsError: the address is not usable.
    """

    def __init__(
        self,
        address: str,
        audience: str,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        check_address(address)
        self._address, self._audience, self._transport, self._tls = address, audience, transport, tls
        self._keys: dict[str, _Key] = {}
        self._asked = -_KEEP
        self._lock = asyncio.Lock()

    async def claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a valid token of this issuer for this audience; None for any other."""
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid", "")))
            if key is None or key.algorithm not in ("", header.get("alg")):
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=_ALGORITHMS,
                audience=self._audience,
                issuer=self._address,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):  # the last two: an algorithm for another kind of key
            return None
        return claims

    async def _key(self, name: str) -> _Key | None:
        age = time.monotonic() - self._asked
        if age > _KEEP or (name not in self._keys and age > _PAUSE):
            async with self._lock:
                if time.monotonic() - self._asked > _PAUSE:
                    await self._fetch()
        if not name and len(self._keys) == 1:  # a token need not name the only key there is
            return next(iter(self._keys.values()))
        return self._keys.get(name)

    async def _fetch(self) -> None:
        """Reads the issuer's keys; where that fails, the known ones stay in use."""
        self._asked = time.monotonic()
        try:
            encrypted = self._address.startswith("https:")  # else on this machine, where no proxy leads
            async with httpx.AsyncClient(
                timeout=10, transport=self._transport, trust_env=encrypted, verify=self._tls or tls_context()
            ) as http:
                address = self._address.rstrip("/") + "/.well-known/openid-configuration"
                found = await fetch_json(http, address)
                if found.get("issuer") != self._address:
                    raise ValueError("another issuer")
                keys_at = str(found["jwks_uri"])
                check_address(keys_at)
                listed = (await fetch_json(http, keys_at))["keys"]
            self._keys = dict(usable_keys(listed))
        except (httpx.HTTPError, SettingsError, ValueError, KeyError, TypeError) as error:
            log.error("issuer-keys", error=type(error).__name__)


def usable_keys(listed: list[dict[str, Any]]) -> list[tuple[str, _Key]]:
    """The public keys of a JWK Set for signatures, by name."""
    keys = []
    for item in listed:
        try:
            if item.get("use", "sig") == "sig" and item.get("kty") != "oct":
                key = _Key(jwt.PyJWK.from_dict(item).key, str(item.get("alg", "")))
                keys.append((str(item.get("kid", "")), key))
        except jwt.PyJWTError:  # a kind of key that is not known here
            continue
    return keys


async def fetch_json(http: httpx.AsyncClient, address: str) -> dict[str, Any]:
    """A JSON object of bounded size; raises httpx.HTTPError or ValueError."""
    async with http.stream("GET", address) as response:
        response.raise_for_status()
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _LARGEST:
                raise ValueError("too large")
    found = httpx.Response(200, content=body).json()
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def check_address(address: str, setting: str = "CLINSUM_OIDC_ISSUER") -> None:
    """Raises SettingsError for what is neither https nor on this machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise SettingsError(f"{setting}: it must be an https:// address.")
