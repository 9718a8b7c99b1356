"""This service as an app that records launch: who may begin, what comes back, and the session that it makes.

SMART App Launch 2.2. A browser holds the random name of its session alone; what that stands for lies on a
shelf (`guard/shelf.py`), in this process or sealed in the ledger, so that any replica goes on with it.
"""

import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import structlog

from fhir_adapter.errors import FhirAdapterError, LoginError
from fhir_adapter.lenient import JsonObject, as_dict, relative
from fhir_adapter.reading.persons import read_person
from fhir_adapter.rest.app_launch import Proofs, exchanged, launch_configuration, sign_in_address
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.smart import Assertion, SmartConfiguration, check
from fhir_adapter.rest.token_endpoint import Named, Secret, Web
from fhir_adapter.rest.tokens import TokenAuth, Tokens
from fhir_adapter.text import Extractor
from jobs.audits.parts import make_auditor
from jobs.public_keys import key_in
from jobs.runtime import OnBehalf, make_client, make_web
from jobs.settings import Settings, SettingsError
from jobs.web.guard.access import Principal, Scope, person_in
from jobs.web.guard.held import Entry
from jobs.web.guard.oidc import Issuer
from jobs.web.guard.shelf import Shelf
from jobs.web.guard.sight import Sight
from jobs.web.problems import ProblemError
from jobs.web.user_tokens import UserTokens, token_state, tokens_in

log = structlog.get_logger("clinsum.web")

SIGN_IN_SECONDS = 600
"""Within which a sign-in that was begun has to come back."""
_BEGUN = "begun"
_CLINICIANS = ("Practitioner", "PractitionerRole")
_READER = frozenset({Scope.SUMMARISE})
_CLINICIAN = frozenset({Scope.SUMMARISE, Scope.REVIEW})


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


class Launched:
    """The session of a person who signed in at a record's server, at work in this process.

    Attributes:
        who: the person, with what they may see.
    """

    def __init__(self, who: Principal, sight: Sight, tokens: UserTokens, rest: JsonObject) -> None:
        self.who, self.sight = who, sight
        self._tokens, self._rest = tokens, rest

    @property
    def state(self) -> JsonObject:
        """What it can be made from again; it holds the tokens."""
        return self._rest | self._tokens.state

    def named(self, person: str, scopes: frozenset[Scope]) -> None:
        """Says who it is and what they may do, once that is known."""
        self.who = replace(self.who, person=person, scopes=scopes)
        self._rest = self._rest | {"person": person, "scopes": sorted(scopes)}

    def alive(self) -> bool:
        """Whether its token still holds or can be renewed."""
        return self._tokens.alive()

    def keep(self, entry: Entry, serial: int) -> None:
        """Says where its state lies, for when the token is renewed."""
        self._tokens.keep(entry, serial)

    async def leave(self) -> None:
        """Closes the connections."""
        await self._tokens.settled()
        await self.sight.client.aclose()

    async def end(self) -> None:
        """Ends the token at the server, and closes the connections."""
        await self.leave()
        await self._tokens.end()


class SmartApp:
    """Begins sign-ins and ends them.

    Args:
        settings: name of this app, its secret, and the servers.
        recorder: writes AuditEvents of what is read with people's own tokens.
        extractor: reads notes.
        shelf: keeps what was begun.
    """

    def __init__(self, settings: Settings, recorder: FhirClient, extractor: Extractor, shelf: Shelf) -> None:
        self._settings, self._recorder, self._extractor = settings, recorder, extractor
        self._shelf = shelf
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
            if isinstance(who := self._who(found), Assertion):
                check(found, who.key)
        except LoginError as error:
            raise _failed(error) from None
        proofs, browser = Proofs(), secrets.token_urlsafe(32)
        begun = {
            "server": named,
            "found": _told(found),
            "proofs": asdict(proofs),
            "redirect_uri": redirect_uri,
        }
        await self._shelf.put(_BEGUN, browser, begun, SIGN_IN_SECONDS)
        # As the record wrote it: `aud` must be the server's own name for itself.
        address = sign_in_address(
            found, server or named, self._settings.smart_client_id, redirect_uri, proofs, launch
        )
        return Begun(address, proofs.state, browser)

    async def finish(self, state: str, browser: str, issuer: str, code: str) -> Launched:
        """What a sign-in came to; one that was begun is worth one answer, whatever that is.

        Args:
            state: as it came back.
            browser: what the browser shows.
            issuer: `iss` as it came back (RFC 9207); "" where none did.
            code: "" where the server refused.

        Raises:
            ProblemError: it belongs to none that was begun here, or does not hold what it must.
            ServerUnreachableError: no answer.
            LedgerError: what was begun cannot be looked up.
        """
        begun = await self._shelf.take(_BEGUN, browser) if browser else None
        proofs = Proofs(**begun["proofs"]) if begun else None
        if not begun or not proofs or not hmac.compare_digest(proofs.state.encode(), state.encode()):
            raise ProblemError(
                "sign-in-failed",
                "This answer belongs to no sign-in that this browser has begun, came a second time, or came "
                "too late.",
            )
        found = _found(begun["found"])
        if issuer and not hmac.compare_digest(issuer.encode(), found.issuer.encode()):
            raise ProblemError("sign-in-failed", "The answer comes from another server than was asked.")
        if not code:
            raise ProblemError("sign-in-failed", "The server did not let you sign in.")
        try:
            return await self._signed_in(begun, found, proofs, code)
        except LoginError as error:
            raise _failed(error) from None

    async def _signed_in(
        self, begun: JsonObject, found: SmartConfiguration, proofs: Proofs, code: str
    ) -> Launched:
        who, redirect_uri = self._who(found), begun["redirect_uri"]
        grant = await exchanged(found, who, code, redirect_uri, proofs, self._web)
        claims = await self._issuer(found.issuer).claims(grant.id_token)
        own = claims and claims.get("azp", self._settings.smart_client_id) == self._settings.smart_client_id
        nonce = str((claims or {}).get("nonce", ""))
        if not claims or not own or not hmac.compare_digest(nonce.encode(), proofs.nonce.encode()):
            raise LoginError("the server's id_token is not valid for this sign-in")
        person = hashlib.sha256(f"{found.issuer}|{claims['sub']}".encode()).hexdigest()[:12]
        state: dict[str, Any] = {
            "server": begun["server"],
            "found": begun["found"],
            "patient": f"Patient/{grant.patient}",
            "name": f"launched:{person}",
            "person": "",
            "scopes": sorted(_READER),
            **token_state(grant.token, grant.refresh),
        }
        session = self.revived(state)
        try:
            user = relative(claims.get("fhirUser"), session.sight.client.base_url)
            reader = await _name(session.sight.client, user) or person_in(claims) or user
        except BaseException:
            await session.end()
            raise
        session.named(reader, _CLINICIAN if user.partition("/")[0] in _CLINICIANS else _READER)
        return session

    def revived(self, state: JsonObject) -> Launched:
        """A session out of its state; nothing is sent."""
        found = _found(state["found"])
        tokens = UserTokens(found, self._who(found), self._web, tokens_in(state))
        behalf = OnBehalf(state["server"], TokenAuth(Tokens(tokens)), self._recorder)
        client = make_client(self._settings, 1, behalf)
        sight = Sight(client, make_auditor(self._settings, client, self._extractor), state["patient"])
        scopes = frozenset(Scope(one) for one in state["scopes"])
        return Launched(Principal(state["name"], scopes, state["person"], sight), sight, tokens, state)

    def _who(self, found: SmartConfiguration) -> Secret | Named | Assertion:
        """This app, as it shows itself to a server: by its key, its secret, or its name alone."""
        name, secret = self._settings.smart_client_id, self._settings.smart_client_secret.get_secret_value()
        if path := self._settings.smart_private_key_file:
            key = key_in(path, self._settings.smart_key_id)
            return Assertion(name, key, found.token_endpoint)
        return Secret(name, secret) if secret else Named(name)

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


def _told(found: SmartConfiguration) -> JsonObject:
    """What a server said of its sign-in, as JSON."""
    parts = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: sorted(part) if isinstance(part, frozenset) else part for name, part in parts.items()}


def _found(told: JsonObject) -> SmartConfiguration:
    """The same, out of JSON."""
    parts: dict[str, Any] = {
        name: frozenset(part) if isinstance(part, list) else part for name, part in told.items()
    }
    return SmartConfiguration(**parts)
