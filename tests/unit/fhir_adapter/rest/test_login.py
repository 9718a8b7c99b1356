"""Logging in by client credentials, against a token server of ours that checks what it is shown."""

import asyncio
import json
import logging
import time
from base64 import b64decode
from urllib.parse import parse_qs

import jwt
import pytest

from fhir_adapter.errors import LoginError, RefusedError, ServerUnreachableError
from fhir_adapter.rest import smart
from fhir_adapter.rest.auth import Credentials, auth_from
from fhir_adapter.rest.keys import SigningKey, jwks, new_key, read_key
from fhir_adapter.rest.token_endpoint import Web
from fhir_adapter.rest.tokens import Token, Tokens
from tests.unit.fhir_adapter.rest.scripted_server import Answer, Request, ScriptedServer, client_for, fhir

CANARY = "canary-7f3e"
PATIENT = {"resourceType": "Patient", "id": "1"}


async def no_pause(_: float) -> None:
    pass


QUICK = Web(sleep=no_pause)


def as_json(body: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Login:
    """A FHIR server with its token endpoint: gives `token-1`, `token-2`, ..., and takes the newest alone."""

    def __init__(self, key: SigningKey | None = None, **configuration: object) -> None:
        self.key, self.configuration = key, configuration
        self.jtis: set[str] = set()
        self.forms: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        self.given = 0
        self.revoked = False
        self.origin = ""

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/.well-known/smart-configuration"):
            return as_json({"token_endpoint": f"{self.origin}/token", **self.configuration})
        if request.path == "/token":
            return self.token(request)
        if request.headers.get("authorization") != f"Bearer token-{self.given}" or self.revoked:
            return Answer(401)
        return fhir(PATIENT)

    def token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.forms.append(form)
        self.heads.append(request.headers)
        assert form["grant_type"] == "client_credentials"
        if self.key is not None:
            self.check(form)
        self.given += 1
        self.revoked = False
        return as_json({"access_token": f"token-{self.given}", "token_type": "Bearer", "expires_in": 300})

    def check(self, form: dict[str, str]) -> None:
        """What SMART asks of a server: signature by the registered key, audience, short life, single use."""
        assert self.key is not None
        assert form["client_assertion_type"] == smart.ASSERTION_TYPE
        (public,) = jwks(self.key)["keys"]
        head = jwt.get_unverified_header(form["client_assertion"])
        assert (head["alg"], head["kid"], head["typ"]) == (self.key.algorithm, public["kid"], "JWT")
        claims = jwt.decode(
            form["client_assertion"],
            jwt.PyJWK(public).key,
            algorithms=[self.key.algorithm],
            audience=f"{self.origin}/token",
        )
        assert claims["iss"] == claims["sub"] == "clinsum"
        assert 0 < claims["exp"] - time.time() <= 300
        assert claims["exp"] - claims["iat"] <= 300
        assert claims["iat"] <= time.time()
        assert claims["jti"] not in self.jtis
        self.jtis.add(claims["jti"])


def smart_credentials(pem: str, **more: str) -> Credentials:
    return Credentials("smart-backend", client_id="clinsum", private_key=pem, **more)


def serving(login: Login) -> ScriptedServer:
    return ScriptedServer(login)


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
async def test_a_signed_statement_gets_a_token(algorithm):
    pem = new_key(algorithm)
    login = Login(read_key(pem))
    async with serving(login) as server:
        login.origin = server.origin
        auth = auth_from(smart_credentials(pem), f"{server.origin}/fhir", QUICK)
        async with client_for(server, auth=auth) as client:
            assert await client.read("Patient/1") == PATIENT
            login.revoked = True
            assert await client.read("Patient/1") == PATIENT
    assert login.given == 2
    assert len(login.jtis) == 2
    assert "system/Composition.crus" in login.forms[0]["scope"].split()


async def test_many_waiters_share_one_token_and_one_renewal():
    pem = new_key("ES384")
    login = Login(read_key(pem))
    async with serving(login) as server:
        login.origin = server.origin
        auth = auth_from(smart_credentials(pem), f"{server.origin}/fhir", QUICK)
        async with client_for(server, auth=auth) as client:
            await asyncio.gather(*(client.read("Patient/1") for _ in range(20)))
            assert login.given == 1
            login.revoked = True
            await asyncio.gather(*(client.read("Patient/1") for _ in range(20)))
    assert login.given == 2


async def test_a_server_that_takes_no_token_is_not_asked_for_ever():
    login = Login()
    login.token = lambda request: as_json({"access_token": f"x{len(server.requests)}", "expires_in": 300})
    async with serving(login) as server:
        given = Credentials(
            "client-secret", client_id="c", client_secret="s", token_url=f"{server.origin}/token"
        )
        async with client_for(server, auth=auth_from(given, f"{server.origin}/fhir", QUICK)) as client:
            for _ in range(10):
                with pytest.raises(RefusedError):
                    await client.read("Patient/1")
        assert sum(request.path == "/token" for request in server.requests) <= 3


@pytest.mark.parametrize("in_body", [False, True])
async def test_a_secret_goes_where_the_endpoint_wants_it(in_body):
    login = Login()
    async with serving(login) as server:
        login.origin = server.origin
        given = Credentials(
            "client-secret", client_id="a b", client_secret="p:%ß", in_body=in_body, resource="r", scope="x y"
        )
        async with client_for(server, auth=auth_from(given, f"{server.origin}/fhir", QUICK)) as client:
            assert await client.read("Patient/1") == PATIENT
    (form,), (head,) = login.forms, login.heads
    assert (form["scope"], form["resource"]) == ("x y", "r")
    if in_body:
        assert (form["client_id"], form["client_secret"]) == ("a b", "p:%ß")
        assert "authorization" not in head
    else:
        assert "client_secret" not in form
        assert b64decode(head["authorization"].partition(" ")[2]) == b"a+b:p%3A%25%C3%9F"


async def test_a_certificate_needs_no_secret():
    login = Login()
    async with serving(login) as server:
        login.origin = server.origin
        given = Credentials("client-secret", client_id="c", certified=True)
        async with client_for(server, auth=auth_from(given, f"{server.origin}/fhir", QUICK)) as client:
            await client.read("Patient/1")
    assert login.forms[0] == {"grant_type": "client_credentials", "client_id": "c"}


# The token in hand, by a clock that the test moves.


class Endpoint:
    def __init__(self, *lives: float) -> None:
        self.lives, self.asked, self.down = lives, 0, False
        self.now = 0.0

    async def __call__(self) -> Token:
        self.asked += 1
        if self.down:
            raise ServerUnreachableError("down")
        return Token(f"t{self.asked}", self.lives[min(self.asked, len(self.lives)) - 1])

    def tokens(self) -> Tokens:
        return Tokens(self, clock=lambda: self.now)


async def test_a_token_is_renewed_before_it_ends():
    endpoint = Endpoint(300)
    tokens = endpoint.tokens()
    got = []
    for endpoint.now in (0, 239, 241, 400, 1000):
        got.append(await tokens.current())
    assert got == ["t1", "t1", "t2", "t2", "t3"]


async def test_a_short_token_is_used_for_most_of_its_life():
    endpoint = Endpoint(10)
    tokens = endpoint.tokens()
    for endpoint.now in (0, 7.9):
        assert await tokens.current() == "t1"
    endpoint.now = 8.1
    assert await tokens.current() == "t2"


async def test_while_the_endpoint_is_down_the_token_in_hand_is_used_to_its_end():
    endpoint = Endpoint(300)
    tokens = endpoint.tokens()
    await tokens.current()
    endpoint.down, endpoint.now = True, 299
    assert await tokens.current() == "t1"
    endpoint.now = 301
    with pytest.raises(ServerUnreachableError):
        await tokens.current()
    with pytest.raises(ServerUnreachableError):
        await tokens.current(refused="t1")


async def test_a_refused_token_is_replaced_once_until_one_is_taken():
    endpoint = Endpoint(3600)
    tokens = endpoint.tokens()
    assert await tokens.current() == "t1"
    assert await tokens.current(refused="t1") == "t2"
    assert await tokens.current(refused="t1") == "t2"  # another waiter with the old one
    assert await tokens.current(refused="t2") == "t3"
    assert await tokens.current(refused="t3") == "t3"  # two new ones were refused: no more for a while
    endpoint.now = 61
    assert await tokens.current(refused="t3") == "t4"
    tokens.accepted()
    assert await tokens.current(refused="t4") == "t5"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            as_json({"error": "invalid_client", "error_description": CANARY}, 401),
            "invalid_client.*secret or key",
        ),
        (as_json({"error": "invalid_scope"}, 400), "CLINSUM_SCOPE"),
        (as_json({"error": CANARY + "\n"}, 400), r"HTTP 400\)"),
        (as_json({"token_type": "Bearer", "x": CANARY}), "without an access token"),
        (as_json({"access_token": f"{CANARY}\r\nX: y"}), "without an access token"),
        (as_json({"access_token": CANARY, "token_type": "mac"}), "no bearer token"),
        (Answer(200, b"<html>" + CANARY.encode()), "without an access token"),
        (Answer(302, b"", {"Location": f"http://127.0.0.1:9/{CANARY}"}), "HTTP 302"),
        (Answer(503, CANARY.encode()), "does not answer"),
        (Answer(drop=True), "does not answer"),
    ],
)
async def test_no_secret_is_in_what_is_said(answer, words, caplog):
    caplog.set_level(logging.DEBUG, "fhir_adapter")
    login = Login()
    login.token = lambda request: answer
    async with serving(login) as server:
        login.origin = server.origin
        given = Credentials("client-secret", client_id="c", client_secret=CANARY)
        auth = auth_from(given, f"{server.origin}/fhir", QUICK)
        async with client_for(server, auth=auth) as client:
            with pytest.raises(ServerUnreachableError, match=words) as caught:
                await client.read("Patient/1")
    everything = [str(caught.value), repr(caught.value), repr(given), repr(auth), caplog.text]
    assert not any(CANARY in text for text in everything)


async def test_a_clock_that_is_off_is_named():
    login = Login()
    stamp = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT", "Content-Type": "application/json"}
    login.token = lambda request: Answer(400, b'{"error": "invalid_client"}', stamp)
    async with serving(login) as server:
        login.origin = server.origin
        given = Credentials("client-secret", client_id="c", client_secret="s")
        async with client_for(server, auth=auth_from(given, f"{server.origin}/fhir", QUICK)) as client:
            with pytest.raises(LoginError, match=r"clock is .* s ahead"):
                await client.read("Patient/1")


# What the server says of itself.


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"token_endpoint": "ftp://127.0.0.1/token"}, "no token endpoint to trust"),
        ({"token_endpoint": None}, "no token endpoint to trust"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "no private_key_jwt"),
        ({"token_endpoint_auth_signing_alg_values_supported": ["RS384"]}, "no ES384.*RS384"),
    ],
)
async def test_a_server_that_cannot_be_logged_in_to_is_said_to_be_one(configuration, words):
    pem = new_key("ES384")
    login = Login(read_key(pem), **configuration)
    async with serving(login) as server:
        login.origin = server.origin
        base = f"{server.origin}/fhir"
        given = auth_from(smart_credentials(pem), base, QUICK)
        async with client_for(server, auth=given) as client:
            with pytest.raises(LoginError, match=words):
                await client.read("Patient/1")
    assert login.given == 0


@pytest.mark.parametrize(
    ("endpoint", "base", "usable"),
    [
        ("https://login.example/token", "https://fhir.example/r4", True),
        ("http://login.example/token", "https://fhir.example/r4", False),
        ("http://login.example/token", "http://fhir.example/r4", True),
        ("http://127.0.0.1:8080/token", "https://fhir.example/r4", True),
        ("https://user:word@login.example/token", "https://fhir.example/r4", False),
        ("/token", "https://fhir.example/r4", False),
        ("http://[", "https://fhir.example/r4", False),
    ],
)
def test_credentials_go_by_https_or_as_plainly_as_the_server_itself(endpoint, base, usable):
    assert smart.usable_endpoint(endpoint, base) is usable


def found(capabilities: str = "", scopes: str = "") -> smart.SmartConfiguration:
    return smart.SmartConfiguration(
        "https://x/token", frozenset(capabilities.split()), scopes=frozenset(scopes.split())
    )


@pytest.mark.parametrize(
    ("configuration", "asked"),
    [
        (None, "system/Device.crus system/Binary.r"),
        (found("permission-v2"), "system/Device.crus system/Binary.r"),
        (found("permission-v1 permission-v2"), "system/Device.crus system/Binary.r"),
        (found("permission-v1"), "system/Device.read system/Device.write system/Binary.read"),
        (
            found("", "openid system/*.read system/*.write"),
            "system/Device.read system/Device.write system/Binary.read",
        ),
        (found("", "system/*.cruds"), "system/Device.crus system/Binary.r"),
        (found("", "openid"), "system/Device.crus system/Binary.r"),
    ],
)
def test_scopes_have_the_form_that_the_server_knows(configuration, asked):
    assert smart.scopes([("Device", "crus"), ("Binary", "r")], configuration) == asked


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ("", []),
        ("system/*.cruds", []),
        ("system/*.*", []),
        ("system/*.read system/Device.write", []),
        ("system/Device.rs system/Binary.read", ["Device.cu"]),
        ("system/Device.crus", ["Binary.r"]),
        ("system/Device.crus?x=y system/*.r", ["Device.cus"]),
        ("user/*.cruds openid", ["Device.crus", "Binary.r"]),
    ],
)
def test_what_was_not_granted_is_named(granted, lacking):
    assert smart.missing(granted, [("Device", "crus"), ("Binary", "r")]) == lacking
