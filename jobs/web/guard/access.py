"""Who asks, and what they may: tokens of the settings, JWTs of an issuer, a browser's session, a launch."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from jobs.settings import Settings, SettingsError
from jobs.web.guard.held import HeldSessions, is_held
from jobs.web.guard.oidc import Issuer
from jobs.web.guard.sessions import SESSION_SECONDS, Sessions
from jobs.web.guard.sight import Sight
from jobs.web.problems import ProblemError
from jobs.web.views.pages import SESSION_COOKIE

AZURE_KEY = "ocp-apim-subscription-key"
"""The header in which clients of Azure show their key; only below this path is it looked at."""
AZURE_PATH = "/v1/azure/"
_SHORTEST = 24  # characters of a token
_SHORTEST_SECRET = 32  # characters of what sessions are signed with
_LONGEST_NAME = 100  # characters of a person's
_LAUNCHED = 500  # sessions of people who came out of a record, at a time
_HASHED = re.compile(r"sha256:([0-9a-f]{64})")


class Scope(StrEnum):
    """What a client may do. In an issuer's tokens they stand under these names in `scope` or `scp`."""

    SUMMARISE = "summarise"
    READ = "read"
    RETRY = "retry"
    REVIEW = "review"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        name: for rate limits and the log: never a person's name (`token-1`, `oidc:` and a hash, `anyone`).
        person: the name that an issuer's token gives, for what is kept on the FHIR server alone; "" without.
        sight: what a person who came out of a record sees; None for the service's own.
    """

    name: str
    scopes: frozenset[Scope]
    person: str = ""
    sight: Sight | None = None

    @property
    def known_as(self) -> str:
        """How records of access name whoever asks; "" where nobody had to say who they are."""
        return self.person or ("" if self.name in (ANYONE.name, GUEST.name) else self.name)


ANYONE = Principal("anyone", ALL_SCOPES)
GUEST = Principal("guest", frozenset({Scope.SUMMARISE}))


class Access:
    """Tells clients by what they show.

    Args:
        tokens: SHA-256 of each bearer token.
        issuer: checks JWTs; None where the settings name no issuer.
        default: who a client without credentials is; None refuses it.
        secret: what sessions are signed with, the same in every replica; empty for one of this process alone.
        launches: people come out of records too (SMART App Launch).
    """

    def __init__(
        self,
        tokens: Sequence[bytes] = (),
        issuer: Issuer | None = None,
        default: Principal | None = ANYONE,
        secret: bytes = b"",
        launches: bool = False,
    ) -> None:
        self._tokens, self._issuer, self.launches = tuple(tokens), issuer, launches
        self.default = None if (tokens or issuer or launches) and default is ANYONE else default
        self.sessions = Sessions(secret, self._tokens)
        self.launched: HeldSessions[Principal] = HeldSessions(SESSION_SECONDS, _LAUNCHED)

    @property
    def asks(self) -> bool:
        """Whether credentials are asked for."""
        return self.default is None

    @property
    def has_tokens(self) -> bool:
        """Whether a token can be typed in on the page to sign in."""
        return bool(self._tokens)

    @property
    def signs_in(self) -> bool:
        """Whether there is a page to sign in on."""
        return self.has_tokens or self.launches

    async def principal(self, request: Request) -> Principal | None:
        """Who asks; None where no valid credentials came."""
        if (key := request.headers.get(AZURE_KEY)) and request.url.path.startswith(AZURE_PATH):
            return self.by_token(key.strip())
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and value:
            return self.by_token(value.strip()) or await self._by_jwt(value.strip())
        if scheme:
            return None
        if cookie := request.cookies.get(SESSION_COOKIE):
            if is_held(cookie):  # one that is over is nobody's: not the default's, who may see more
                return await self.launched.get(cookie)
            name = await self.sessions.owner(cookie) if self._tokens else None
            return Principal(name, ALL_SCOPES) if name else self.default
        return self.default

    def by_token(self, token: str) -> Principal | None:
        """The owner of a bearer token; every token is compared, each in constant time."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = [i for i, known in enumerate(self._tokens, 1) if hmac.compare_digest(digest, known)]
        return Principal(f"token-{found[0]}", ALL_SCOPES) if found else None

    async def _by_jwt(self, token: str) -> Principal | None:
        claims = await self._issuer.claims(token) if self._issuer else None
        if claims is None:
            return None
        name = hashlib.sha256(str(claims.get("sub", "")).encode()).hexdigest()[:12]
        return Principal(f"oidc:{name}", _scopes(claims), person_in(claims))

    async def end_session(self, cookie: str) -> None:
        """Ends a session of either kind for good; raises LedgerError as `Sessions.end`."""
        if is_held(cookie):
            await self.launched.end(cookie)
        else:
            await self.sessions.end(cookie)


def person_in(claims: dict[str, Any]) -> str:
    """The name in an issuer's token (OpenID Connect Core 1.0, section 5.1)."""
    stated = (claims.get(name) for name in ("name", "preferred_username"))
    found = next((name for name in stated if isinstance(name, str) and name.strip()), "")
    return " ".join(found.split())[:_LONGEST_NAME]


def _scopes(claims: dict[str, Any]) -> frozenset[Scope]:
    """`scope` is a string of names (RFC 8693); some issuers write `scp`, as a string or a list."""
    given: set[str] = set()
    for claim in ("scope", "scp"):
        value = claims.get(claim, ())
        given.update(
            value.split() if isinstance(value, str) else map(str, value) if isinstance(value, list) else ()
        )
    return frozenset(scope for scope in Scope if scope.value in given)


def access_from(settings: Settings, *, demo: bool = False) -> Access:
    """The access control that the settings ask for.

    Raises:
        SettingsError: a token is too short, or the issuer's settings are not complete.
    """
    tokens = [_digest(t.strip()) for t in settings.service_token.get_secret_value().split(",") if t.strip()]
    issuer = None
    if settings.oidc_issuer:
        if not settings.oidc_audience:
            raise SettingsError(
                "CLINSUM_OIDC_AUDIENCE: with an issuer, name the audience its tokens must have."
            )
        issuer = Issuer(settings.oidc_issuer, settings.oidc_audience)
    secret = settings.session_secret.get_secret_value()
    if secret and len(secret) < _SHORTEST_SECRET:
        raise SettingsError(f"CLINSUM_SESSION_SECRET: it has at least {_SHORTEST_SECRET} characters.")
    launches = bool(settings.smart_client_id) and not demo
    return Access(tokens, issuer, GUEST if demo else ANYONE, secret.encode(), launches)


def _digest(token: str) -> bytes:
    if hashed := _HASHED.fullmatch(token):
        return bytes.fromhex(hashed[1])
    if len(token) < _SHORTEST:
        raise SettingsError(f"CLINSUM_SERVICE_TOKEN: a token has at least {_SHORTEST} characters.")
    return hashlib.sha256(token.encode()).digest()


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, settings: Settings, access: Access, *, demo: bool = False) -> None:
    """Refuses to serve others than this machine without knowing who asks, and over a wire that others read.

    Raises:
        SettingsError: with what to set.
    """
    if bool(settings.serve_certificate) != bool(settings.serve_key):
        raise SettingsError("CLINSUM_SERVE_CERTIFICATE and CLINSUM_SERVE_KEY go together; one is missing.")
    if is_loopback(host) or demo:
        return
    if not access.asks:
        raise SettingsError(
            f"On {host} others can reach the service: set CLINSUM_SERVICE_TOKEN, "
            "CLINSUM_OIDC_ISSUER or CLINSUM_SMART_CLIENT_ID."
        )
    if not (settings.serve_certificate or settings.serve_proxy):
        raise SettingsError(
            f"On {host} notes would travel unencrypted: set CLINSUM_SERVE_CERTIFICATE and CLINSUM_SERVE_KEY, "
            "or name the proxy that does TLS in CLINSUM_SERVE_PROXY."
        )


_bearer = HTTPBearer(
    scheme_name="bearer", description="A token of the service, or a JWT of the issuer.", auto_error=False
)


def known(request: Request) -> Principal:
    """A route's dependency: the client, whatever its scopes; else 401."""
    principal: Principal | None = request.state.principal
    if principal is None:
        raise ProblemError("unauthorized", headers={"WWW-Authenticate": "Bearer"})
    return principal


def requires(scope: Scope) -> Callable[..., Principal]:
    """A route's dependency: the client, if it has this scope; else 401 or 403."""

    def dependency(request: Request, _: object = Depends(_bearer)) -> Principal:
        principal = known(request)
        if scope not in principal.scopes:
            raise ProblemError("forbidden", f"The scope {scope.value} is missing.")
        return principal

    return dependency


def sees(request: Request, _: object = Depends(_bearer)) -> Principal:
    """A route's dependency: who may read all patients, or came out of the record of one; else 401 or 403."""
    principal = known(request)
    return principal if principal.sight else requires(Scope.READ)(request)
