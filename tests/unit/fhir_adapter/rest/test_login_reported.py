"""Logging in to endpoints that do not keep to the letter, as engineers report them."""

import json
from typing import Any

import httpx
import jwt
import pytest

from fhir_adapter.errors import LoginError
from fhir_adapter.rest.keys import new_key, read_key
from fhir_adapter.rest.smart import NEEDED, Assertion, discover, missing
from fhir_adapter.rest.token_endpoint import Secret, Web, client_credentials
from fhir_adapter.rest.tokens import Token, Tokens

ENDPOINT = "https://login.example/token"
BASE = "https://fhir.example/r4"
WELL_KNOWN = f"{BASE}/.well-known/smart-configuration"
BOM = b"\xef\xbb\xbf"


async def no_pause(_: float) -> None:
    pass


def web(answer: Any) -> Web:
    return Web(transport=httpx.MockTransport(answer), sleep=no_pause)


async def token(body: bytes, **headers: str) -> Token:
    answering = web(lambda _: httpx.Response(200, content=body, headers=headers))
    return await client_credentials(ENDPOINT, Secret("c", "s"), "", answering)


def said(**parts: object) -> bytes:
    return json.dumps({"access_token": "t", **parts}).encode()


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ({}, None),
        ({"expires_in": "3600"}, 3600.0),
        ({"expires_in": "3600.0"}, 3600.0),
        ({"expires_in": 3599.5}, 3599.5),
        ({"expires_in": 0}, None),
        ({"expires_in": -5}, None),
        ({"expires_in": "in an hour"}, None),
        ({"expires_in": None}, None),
        ({"expires_in": True}, None),
        ({"expires_in": [300]}, None),
        ({"expires_in": 1e999}, None),
    ],
)
async def test_a_life_is_read_however_it_is_written(stated: dict[str, Any], seconds: float | None) -> None:
    assert (await token(said(token_type="Bearer", **stated))).seconds == seconds


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer ", "BearerToken", "jwt-bearer", None])
async def test_a_bearer_token_is_one_by_any_of_its_names(kind: str | None) -> None:
    """Apigee's and Azure DevOps's: DuendeArchive/Support#1413, MicrosoftDocs/azure-devops-docs#810."""
    assert (await token(said(**({"token_type": kind} if kind else {})))).value == "t"


@pytest.mark.parametrize("kind", ["mac", "DPoP", "", 5])
async def test_a_token_that_is_to_be_shown_otherwise_is_none(kind: object) -> None:
    with pytest.raises(LoginError, match="no bearer token"):
        await token(said(token_type=kind))


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (BOM + said(token_type="Bearer"), "application/json"),
        (said(token_type="Bearer"), "text/html; charset=utf-8"),
        (b"\n" + said(token_type="Bearer") + b"\n", "application/jwt"),
    ],
)
async def test_an_answer_counts_for_what_it_holds(body: bytes, label: str) -> None:
    assert (await token(body, **{"Content-Type": label})).value == "t"


class Moved:
    """A configuration behind redirects."""

    def __init__(self, *steps: str) -> None:
        self.steps = dict(zip([WELL_KNOWN, *steps], steps, strict=False))
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        following = self.steps.get(str(request.url))
        if following:
            return httpx.Response(302, headers={"Location": following})
        return httpx.Response(200, json={"token_endpoint": ENDPOINT, "capabilities": None})


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (f"{BASE}/.well-known/smart-configuration/index.php?practice=7",),
        (f"{BASE}/a", f"{BASE}/b"),
        ("https://FHIR.example:443/elsewhere",),
    ],
)
async def test_a_configuration_that_has_moved_on_the_server_is_found(steps: tuple[str, ...]) -> None:
    """onc-healthit/onc-certification-g10-test-kit#180."""
    moved = Moved(*steps)
    assert (await discover(BASE, web(moved))).token_endpoint == ENDPOINT
    assert len(moved.asked) == len(steps) + 1


@pytest.mark.parametrize(
    "steps", [("https://elsewhere.example/c",), (f"{BASE}/a", WELL_KNOWN), ("http://[",)]
)
async def test_a_configuration_elsewhere_or_in_a_circle_is_none(steps: tuple[str, ...]) -> None:
    moved = Moved(*steps)
    with pytest.raises(LoginError, match="CLINSUM_TOKEN_URL"):
        await discover(BASE, web(moved))
    assert len(moved.asked) < 6
    assert not any("elsewhere" in one for one in moved.asked)


async def test_a_refusal_in_mid_pass_ends_it_with_advice() -> None:
    answers = [
        httpx.Response(200, content=said(token_type="Bearer")),
        httpx.Response(400, json={"error": "invalid_client", "error_description": "key was rotated"}),
    ]
    asking = web(lambda _: answers.pop(0))
    tokens = Tokens(lambda: client_credentials(ENDPOINT, Secret("c", "s"), "", asking))
    assert await tokens.current() == "t"

    with pytest.raises(LoginError, match=r"HTTP 400 invalid_client\); check the client id"):
        await tokens.current(refused="t")


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ("", 0),  # nothing is said, so nothing is known to lack
        ("system/*.cruds", 0),
        ("system/*.*", 0),
        ("system/Composition.rs system/DocumentReference.rs", 8),
        ("launch openid fhirUser", 8),
    ],
)
def test_a_scope_that_is_narrower_than_asked_is_known_part_by_part(granted: str, lacking: int) -> None:
    assert len(missing(granted, NEEDED.items())) == lacking


@pytest.mark.parametrize("audience", ["", "https://login.example/realms/ward"])
def test_a_statement_is_meant_for_the_endpoint_or_for_what_is_set(audience: str) -> None:
    key = read_key(new_key("ES384"))
    stated = Assertion("clinsum", key, audience).form(ENDPOINT)["client_assertion"]

    claims = jwt.decode(stated, options={"verify_signature": False})

    assert claims["aud"] == (audience or ENDPOINT)
    assert 0 < claims["exp"] - claims["iat"] <= 300
