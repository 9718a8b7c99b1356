"""This service as an app that records launch: who may begin, what comes back, and the session that it makes.

SMART App Launch 2.2. The token stays in this process: a browser holds the random name of its session alone.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from fhir_adapter.errors import FhirAdapterError, LoginError
from fhir_adapter.lenient import as_dict, relative
from fhir_adapter.reading.persons import read_person
from fhir_adapter.rest.app_launch import (
    Grant,
    Proofs,
    exchanged,
    launch_configuration,
    renewed,
    revoked,
    sign_in_address,
)
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.smart import SmartConfiguration
from fhir_adapter.rest.token_endpoint import Named, Secret, Web
from fhir_adapter.rest.tokens import Token, TokenAuth, Tokens
from fhir_adapter.text import Extractor
from jobs.audits.parts import make_auditor
from jobs.runtime import OnBehalf, make_client, make_web
from jobs.settings import Settings, SettingsError
from jobs.web.guard.access import Principal, Scope, person_in
from jobs.web.guard.oidc import Issuer
from jobs.web.guard.sight import Sight
from jobs.web.problems import ProblemError

log = structlog.get_logger("clinsum.web")

SIGN_IN_SECONDS = 600
"""Within which a sign-in that was begun has to come back."""
_MOST_BEGUN = 1000
_CLINICIANS = ("Practitioner", "PractitionerRole")
_READER = frozenset({Scope.SUMMARISE})
_CLINICIAN = frozenset({Scope.SUMMARISE, Scope.REVIEW})
_OVER = "The sign-in has ended; open the page from the record again."


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way.

    Attributes:
        address: where the browser goes.
        state: names it; comes back in the address.
        browser: what the browser keeps, to show that it is the same one.
    """

    address: str
    state: str
    browser: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    server: str
    found: SmartConfiguration
    proofs: Proofs
    redirect_uri: str
    browser: bytes
    until: float


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that succeeded.

    Attributes:
        alive: whether its token still holds or can be renewed.
        close: ends the token at the server, and the connections.
    """

    principal: Principal
    sight: Sight
    alive: Callable[[], bool]
    close: Callable[[], Awaitable[None]]


class SmartApp:
    """Begins sign-ins and ends them.

    Args:
        settings: name of this app, its secret, and the servers.
        recorder: writes AuditEvents of what is read with people's own tokens.
        extractor: reads notes.
    """

    def __init__(self, settings: Settings, recorder: FhirClient, extractor: Extractor) -> None:
        self._settings, self._recorder, self._extractor = settings, recorder, extractor
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._issuers: dict[str, Issuer] = {}
        self._known_web: Web | None = None

    @property
    def servers(self) -> tuple[str, ...]:
        """Those that may launch; none where this service is no app."""
        return self._settings.launching_servers if self._settings.smart_client_id else ()

    async def begin(self, server: str, launch: str, redirect_uri: str) -> Begun:
        """A sign-in at a server.

        Args:
            server: `iss`, as the record named it; "" for the first that may launch.
            launch: as the record gave it; "" where a person begins here.
            redirect_uri: where the answer is to come.

        Raises:
            ProblemError: the server is none of those that may launch, or offers no sign-in.
            ServerUnreachableError: no answer.
        """
        named = server.rstrip("/") or next(iter(self.servers), "")
        if named not in self.servers:
            raise ProblemError("sign-in-failed", "This FHIR server is none that may open these pages.")
        try:
            found = await launch_configuration(named, self._web)
        except LoginError as error:
            raise _failed(error) from None
        proofs, browser = Proofs(), secrets.token_urlsafe(32)
        until = time.monotonic() + SIGN_IN_SECONDS
        waiting = _Waiting(named, found, proofs, redirect_uri, _digest(browser), until)
        self._waiting[proofs.state] = waiting
        while len(self._waiting) > _MOST_BEGUN:
            self._waiting.popitem(last=False)
        # As the record wrote it: `aud` must be the server's own name for itself.
        address = sign_in_address(
            found, server or named, self._settings.smart_client_id, redirect_uri, proofs, launch
        )
        return Begun(address, proofs.state, browser)

    async def finish(self, state: str, browser: str, issuer: str, code: str) -> SignedIn:
        """What a sign-in came to; one that was begun is worth one answer, whatever that is.

        Args:
            state: as it came back.
            browser: what the browser shows.
            issuer: `iss` as it came back (RFC 9207); "" where none did.
            code: "" where the server refused.

        Raises:
            ProblemError: it belongs to none that was begun here, or does not hold what it must.
            ServerUnreachableError: no answer.
        """
        waiting = self._waiting.pop(state, None)
        known = waiting and hmac.compare_digest(waiting.browser, _digest(browser))
        if waiting is None or not known or time.monotonic() > waiting.until:
            raise ProblemError(
                "sign-in-failed",
                "This answer belongs to no sign-in that this browser has begun, came a second time, or came "
                "too late.",
            )
        if issuer and not hmac.compare_digest(issuer.encode(), waiting.found.issuer.encode()):
            raise ProblemError("sign-in-failed", "The answer comes from another server than was asked.")
        if not code:
            raise ProblemError("sign-in-failed", "The server did not let you sign in.")
        try:
            return await self._signed_in(waiting, code)
        except LoginError as error:
            raise _failed(error) from None

    async def _signed_in(self, waiting: _Waiting, code: str) -> SignedIn:
        grant = await exchanged(
            waiting.found, self._who, code, waiting.redirect_uri, waiting.proofs, self._web
        )
        claims = await self._issuer(waiting.found.issuer).claims(grant.id_token)
        own = claims and claims.get("azp", self._settings.smart_client_id) == self._settings.smart_client_id
        nonce = str((claims or {}).get("nonce", ""))
        if not claims or not own or not hmac.compare_digest(nonce.encode(), waiting.proofs.nonce.encode()):
            raise LoginError("the server's id_token is not valid for this sign-in")
        tokens = _UserTokens(waiting.found, self._who, self._web, grant)
        behalf = OnBehalf(waiting.server, TokenAuth(Tokens(tokens)), self._recorder)
        client = make_client(self._settings, 1, behalf)

        async def close() -> None:
            await client.aclose()
            await tokens.end()

        try:
            auditor = make_auditor(self._settings, client, self._extractor)
            sight = Sight(client, auditor, f"Patient/{grant.patient}")
            user = relative(claims.get("fhirUser"), client.base_url)
            person = await _name(client, user) or person_in(claims)
        except BaseException:
            await close()
            raise
        who = hashlib.sha256(f"{waiting.found.issuer}|{claims['sub']}".encode()).hexdigest()[:12]
        scopes = _CLINICIAN if user.partition("/")[0] in _CLINICIANS else _READER
        principal = Principal(f"launched:{who}", scopes, person or user, sight)
        return SignedIn(principal, sight, tokens.alive, close)

    @property
    def _who(self) -> Secret | Named:
        secret = self._settings.smart_client_secret.get_secret_value()
        return (
            Secret(self._settings.smart_client_id, secret)
            if secret
            else Named(self._settings.smart_client_id)
        )

    @property
    def _web(self) -> Web:
        if self._known_web is None:
            self._known_web = replace(make_web(self._settings), attempts=1)
        return self._known_web

    def _issuer(self, address: str) -> Issuer:
        if address not in self._issuers:
            try:
                issuer = Issuer(address, self._settings.smart_client_id, tls=self._web.tls)
            except SettingsError:
                raise LoginError("the server's issuer is no https:// address") from None
            self._issuers[address] = issuer
        return self._issuers[address]


class _UserTokens:
    """One person's tokens: the first, then those that it is renewed with, until the server gives no more."""

    def __init__(self, found: SmartConfiguration, who: Secret | Named, web: Web, grant: Grant) -> None:
        self._found, self._who, self._web = found, who, web
        self._first: Token | None = grant.token
        self._last, self._refresh, self._ended = grant.token.value, grant.refresh, False

    def alive(self) -> bool:
        return not self._ended

    async def __call__(self) -> Token:
        """The next token.

        Raises:
            ProblemError: `unauthorized`, where there is none.
            ServerUnreachableError: no answer.
        """
        if self._first:
            first, self._first = self._first, None
            return first
        try:
            if self._ended or not self._refresh:
                raise LoginError("the token cannot be renewed")
            token, self._refresh = await renewed(self._found, self._who, self._refresh, self._web)
        except LoginError:
            self._ended = True
            raise ProblemError("unauthorized", _OVER) from None
        self._last = token.value
        return token

    async def end(self) -> None:
        """Ends the tokens at the server, as far as it lets us."""
        self._ended = True
        with suppress(FhirAdapterError):
            await revoked(self._found, self._who, self._refresh or self._last, self._web)


async def _name(client: FhirClient, user: str) -> str:
    """How the server names a person, by `Type/id`; "" where it does not."""
    try:
        there = await client.read_if_there(user) if user else None
        if there and there.get("resourceType") == "PractitionerRole":
            role = relative(as_dict(there.get("practitioner")).get("reference"), client.base_url)
            there = await client.read_if_there(role) if role else None
    except FhirAdapterError:  # the scopes may not reach so far
        return ""
    return read_person(there).name if there else ""


def _failed(error: LoginError) -> ProblemError:
    """The login's own sentence: it holds neither a secret nor words of the server."""
    message = str(error)
    log.warning("launch", reason=message)
    return ProblemError("sign-in-failed", f"{message[:1].upper()}{message[1:]}.")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
