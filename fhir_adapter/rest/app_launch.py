"""SMART App Launch 2.2: a person signs in at the record's server, which tells us whose record is open.

hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html: an authorization code (RFC 6749, section 4.1) with PKCE
S256 (RFC 7636). Nothing here holds a secret in a message.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from fhir_adapter.errors import LoginError
from fhir_adapter.rest.smart import SmartConfiguration, discover, first_form
from fhir_adapter.rest.token_endpoint import Web, asked, token_of
from fhir_adapter.rest.tokens import Token

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_RANDOM = 32  # bytes of a verifier, a state and a nonce: 43 characters


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is made anew for each sign-in: what only we know, and what must come back.

    Attributes:
        verifier: of PKCE; leaves this process in the exchange alone.
        state: comes back with the code.
        nonce: comes back in the id_token.
    """

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM), repr=False)
    state: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM), repr=False)

    @property
    def challenge(self) -> str:
        """SHA-256 of the verifier, in base64url without padding (RFC 7636, section 4.2)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gave.

    Attributes:
        token: for the FHIR server.
        refresh: gets the next one; "" where the sign-in ends with the token.
        id_token: who signed in, not checked yet.
        patient: id of the patient whose record is open.
    """

    token: Token
    refresh: str = field(repr=False)
    id_token: str = field(repr=False)
    patient: str


async def launch_configuration(server: str, web: Web) -> SmartConfiguration:
    """What a server says about the sign-in of people.

    Raises:
        LoginError: it offers none that can be used: no endpoint, no issuer, or no PKCE with S256.
        ServerUnreachableError: no answer.
    """
    found = await discover(server, web)
    if not found.authorization_endpoint:
        raise LoginError("the server's SMART configuration names no authorization endpoint to trust")
    if not found.issuer:
        raise LoginError("the server's SMART configuration names no issuer, so nobody can be told by name")
    if found.challenges and "S256" not in found.challenges:
        raise LoginError("the server offers no PKCE with S256, by its SMART configuration")
    return found


def wanted_scopes(found: SmartConfiguration, *, launched: bool) -> str:
    """What to ask for: the open record's patient, who reads, and to read of that patient.

    Args:
        found: what the server says of itself; it decides between the forms of SMART 2 and 1.
        launched: out of a record that is open; else the server lets the person choose.
    """
    read = "patient/*.read" if first_form(found, "patient/") else "patient/*.rs"
    lasting = ["online_access"] if _stays(found) else []
    return " ".join(["launch" if launched else "launch/patient", "openid", "fhirUser", read, *lasting])


def _stays(found: SmartConfiguration) -> bool:
    """Whether the token can be renewed for as long as the person is signed in."""
    return "permission-online" in found.capabilities or "online_access" in found.scopes


def sign_in_address(
    found: SmartConfiguration,
    server: str,
    client_id: str,
    redirect_uri: str,
    proofs: Proofs,
    launch: str = "",
) -> str:
    """Where the browser goes to sign in.

    Args:
        found: what the server says of itself.
        server: as it named itself, for `aud`: the token must be for it alone.
        client_id: the app's name there.
        redirect_uri: where the answer is to come.
        proofs: of this sign-in.
        launch: as the record gave it; "" where none is open.
    """
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": wanted_scopes(found, launched=bool(launch)),
        "state": proofs.state,
        "nonce": proofs.nonce,
        "aud": server,
        "code_challenge": proofs.challenge,
        "code_challenge_method": "S256",
        **({"launch": launch} if launch else {}),
    }
    address = httpx.URL(found.authorization_endpoint)
    before = address.query.decode()
    return str(address.copy_with(query=f"{before}&{urlencode(query)}".lstrip("&").encode()))


async def exchanged(
    found: SmartConfiguration, who: Any, code: str, redirect_uri: str, proofs: Proofs, web: Web
) -> Grant:
    """The grant for a code.

    Raises:
        LoginError: refused, or without what a launch must give: id_token and patient.
        ServerUnreachableError: no answer.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": proofs.verifier,
    }
    body = await asked(found.token_endpoint, form, who, web)
    id_token, patient = body.get("id_token"), body.get("patient")
    if not isinstance(id_token, str) or not id_token:
        raise LoginError("the server gave no id_token, so nobody knows who signed in")
    if not isinstance(patient, str) or not _ID.fullmatch(patient):
        raise LoginError("the server did not say which patient's record is open")
    return Grant(token_of(body, found.token_endpoint), _refresh_token(body), id_token, patient)


async def renewed(found: SmartConfiguration, who: Any, refresh: str, web: Web) -> tuple[Token, str]:
    """The next token, and what gets the one after it; raises as `exchanged`.

    A server may give a new refresh token each time, or let the old one go on (RFC 6749, section 6).
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    body = await asked(found.token_endpoint, form, who, web)
    return token_of(body, found.token_endpoint), _refresh_token(body) or refresh


async def revoked(found: SmartConfiguration, who: Any, token: str, web: Web) -> None:
    """Ends a token at the server (RFC 7009), where it takes that; raises ServerUnreachableError."""
    if found.revocation_endpoint:
        await web.send(
            "POST",
            found.revocation_endpoint,
            "the revocation endpoint",
            data={"token": token, **who.form(found.revocation_endpoint)},
            auth=who.auth(),
        )


def _refresh_token(body: dict[str, Any]) -> str:
    found = body.get("refresh_token")
    return found if isinstance(found, str) else ""
