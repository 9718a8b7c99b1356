"""SMART Backend Services: a client that shows a signed statement instead of a password.

SMART App Launch 2.2, "Backend Services" and "Client Authentication: Asymmetric"
(hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html), over RFC 7523.
"""

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from fhir_adapter.errors import LoginError
from fhir_adapter.rest.scope import origin_of, parsed
from fhir_adapter.rest.token_endpoint import MOST_BYTES, Web

if TYPE_CHECKING:  # its libraries are loaded where there is a key
    from fhir_adapter.rest.keys import SigningKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 240  # seconds; the specification allows five minutes, and clocks differ
_REDIRECTS = 4
_BACK = 10  # seconds: to a server whose clock is behind ours, a statement of now is one of the future

# What a pass, an audit and a timeline need, in the letters of SMART 2 (create, read, update, search).
NEEDED = {
    "DocumentReference": "crus",
    "DiagnosticReport": "rs",
    "Binary": "r",
    "Composition": "crus",
    "Device": "crus",
    "Provenance": "crus",
    "Patient": "rs",
    "Encounter": "rs",
}


_NOT_IN_DOCUMENTS = ("Composition", "Device", "Provenance")


def needed(*, documents: bool = False) -> Mapping[str, str]:
    """What is needed, where summaries are filed as documents or stand as Compositions."""
    return {kind: what for kind, what in NEEDED.items() if not (documents and kind in _NOT_IN_DOCUMENTS)}


@dataclass(frozen=True, slots=True)
class Assertion:
    """Who the client is, signed with its key, anew for each request.

    Attributes:
        audience: what the statement is meant for; "" for the token endpoint, as the specification has it.
    """

    client_id: str
    key: "SigningKey"
    audience: str = ""

    def form(self, endpoint: str) -> dict[str, str]:
        """Fields of the request; the statement ends soon, and its `jti` is never used again."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience or endpoint,
            "iat": now - _BACK,  # Keycloak refuses a life of more than a minute without it
            "exp": now + _LIFE,
            "jti": uuid.uuid4().hex,
        }
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.key.signed(claims)}

    def auth(self) -> httpx.Auth | None:
        """None: the fields say it all."""
        return None


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What of `.well-known/smart-configuration` matters here.

    Attributes:
        capabilities: such as `permission-v2`.
        methods: `token_endpoint_auth_methods_supported`; empty where nothing is said.
        algorithms: `token_endpoint_auth_signing_alg_values_supported`; empty where nothing is said.
        scopes: `scopes_supported`; empty where nothing is said.
        issuer: of its id_tokens; "" where nothing is said.
        authorization_endpoint: where a person signs in; "" where none is named that can be trusted.
        challenges: `code_challenge_methods_supported`; empty where nothing is said.
        revocation_endpoint: where a token is ended; "" where none is named that can be trusted.
    """

    token_endpoint: str
    capabilities: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    algorithms: frozenset[str] = frozenset()
    scopes: frozenset[str] = field(default_factory=frozenset)
    issuer: str = ""
    authorization_endpoint: str = ""
    challenges: frozenset[str] = frozenset()
    revocation_endpoint: str = ""


async def _configuration(url: httpx.URL, web: Web) -> httpx.Response:
    """The answer behind redirects, which gateways send; those to another server are not followed."""
    asked = url
    for _ in range(_REDIRECTS):
        answer = await web.send(
            "GET",
            str(asked),
            "the SMART configuration",
            headers={"Accept": "application/json"},
            follow_redirects=False,
        )
        target = parsed(answer.headers.get("location", ""))
        if not answer.has_redirect_location or target is None:
            return answer
        asked = asked.join(target)
        if origin_of(asked) != origin_of(url):
            return answer
    return answer


async def discover(base_url: str, web: Web) -> SmartConfiguration:
    """Reads what the server says about logging in.

    Raises:
        LoginError: it says nothing that can be used.
        ServerUnreachableError: no answer.
    """
    url = httpx.URL(f"{base_url.rstrip('/')}/.well-known/smart-configuration")
    answer = await _configuration(url, web)
    where = origin_of(url)
    remedy = "set CLINSUM_TOKEN_URL to its token endpoint"
    try:
        body = answer.json() if answer.status_code == 200 and len(answer.content) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise LoginError(f"{where} has no .well-known/smart-configuration; {remedy}")
    endpoint = body.get("token_endpoint")
    if not isinstance(endpoint, str) or not usable_endpoint(endpoint, base_url):
        raise LoginError(f"the SMART configuration of {where} names no token endpoint to trust; {remedy}")
    return SmartConfiguration(
        endpoint,
        _strings(body.get("capabilities")),
        _strings(body.get("token_endpoint_auth_methods_supported")),
        _strings(body.get("token_endpoint_auth_signing_alg_values_supported")),
        _strings(body.get("scopes_supported")),
        str(body.get("issuer") or ""),
        _endpoint(body.get("authorization_endpoint"), base_url),
        _strings(body.get("code_challenge_methods_supported")),
        _endpoint(body.get("revocation_endpoint"), base_url),
    )


def _endpoint(found: object, base_url: str) -> str:
    return found if isinstance(found, str) and usable_endpoint(found, base_url) else ""


def _strings(found: object) -> frozenset[str]:
    return frozenset(s for s in found if isinstance(s, str)) if isinstance(found, list) else frozenset()


def usable_endpoint(endpoint: str, base_url: str) -> bool:
    """Whether credentials may go there: by https, or as plainly as to the FHIR server, or on this machine."""
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL:
        return False
    plain = url.host in {"127.0.0.1", "::1", "localhost"} or httpx.URL(base_url).scheme == "http"
    return bool(url.host) and not url.userinfo and (url.scheme == "https" or (url.scheme == "http" and plain))


def scopes(needed: Iterable[tuple[str, str]], found: SmartConfiguration | None) -> str:
    """The scopes to ask for, in the form that the server knows.

    Args:
        needed: resource types with the letters of SMART 2.
        found: what the server says of itself; None where it was not asked.

    Returns:
        Separated by spaces. SMART 1 (`system/Device.write`) where the server states `permission-v1` and not
        `permission-v2`, or where it lists scopes of that form alone; else SMART 2 (`system/Device.crus`).
    """
    if found and first_form(found, "system/"):
        asked = [
            f"system/{kind}.{verb}"
            for kind, letters in needed
            for verb, those in (("read", "rs"), ("write", "cu"))
            if set(those) & set(letters)
        ]
    else:
        asked = [f"system/{kind}.{letters}" for kind, letters in needed]
    return " ".join(asked)


def first_form(found: SmartConfiguration, subject: str) -> bool:
    """Whether a server knows scopes of a subject (`system/`, `patient/`) in the form of SMART 1 alone."""
    ours = {scope for scope in found.scopes if scope.startswith(subject)}
    first = {scope for scope in ours if scope.rpartition(".")[2] in ("read", "write", "*")}
    only_first = "permission-v1" in found.capabilities and "permission-v2" not in found.capabilities
    return only_first or bool(ours and ours == first)


def missing(granted: str, needed: Iterable[tuple[str, str]]) -> list[str]:
    """What of the needed is not granted, such as `Device.c`; nothing where the endpoint did not say.

    A scope with a query (`system/Observation.rs?category=...`) grants a part alone: not granted.
    """
    if not granted.strip():
        return []
    have: dict[str, set[str]] = {}
    for scope in granted.split():
        kind, _, verb = scope.removeprefix("system/").partition(".")
        if not scope.startswith("system/") or "?" in verb:
            continue
        letters = {"read": "rs", "write": "cud", "*": "cruds"}.get(verb, verb)
        have.setdefault(kind, set()).update(letters)
    lacking = []
    for kind, letters in needed:
        got = have.get(kind, set()) | have.get("*", set())
        rest = "".join(letter for letter in letters if letter not in got)
        if rest:
            lacking.append(f"{kind}.{rest}")
    return lacking


def check(found: SmartConfiguration, key: "SigningKey") -> None:
    """Whether the server can take what this client shows.

    Raises:
        LoginError: it says that it cannot.
    """
    if found.methods and "private_key_jwt" not in found.methods:
        raise LoginError("the server takes no private_key_jwt, by its SMART configuration")
    if found.algorithms and key.algorithm not in found.algorithms:
        offered = ", ".join(sorted(a for a in found.algorithms if a in ("RS384", "ES384"))) or "neither"
        raise LoginError(
            f"the server takes no {key.algorithm}, by its SMART configuration; of RS384 and ES384: {offered}"
        )
