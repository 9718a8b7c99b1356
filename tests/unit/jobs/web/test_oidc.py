"""Tokens of an OpenID Connect issuer: valid ones, the many that are not, and the issuer's keys."""

import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from jobs.settings import Settings
from jobs.web.app import create_app
from jobs.web.guard.access import Access
from jobs.web.guard.oidc import Issuer
from jobs.web.service import Options
from tests.unit.jobs.web.web_parts import MakeSettings, started

NOTE = {"text": "No fever. Cough for two days."}
ISSUER, AUDIENCE = "https://id.example.org/realm", "clinsum"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


class Provider:
    """An issuer: its discovery document and keys; counts how often it is asked for them."""

    def __init__(self) -> None:
        self.asked, self.down, self.name = 0, False, ISSUER
        self.keys = [
            _public(KEY, "one"),
            _public(CURVE, "curve"),
            {"kty": "oct", "kid": "s", "k": "c2VjcmV0"},
        ]

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("down")
        if request.url.path.endswith("openid-configuration"):
            found = {"issuer": self.name, "jwks_uri": f"{ISSUER}/keys"}
            return httpx.Response(200, json=found)
        self.asked += 1
        return httpx.Response(200, json={"keys": self.keys})

    def access(self) -> Access:
        return Access(issuer=Issuer(ISSUER, AUDIENCE, httpx.MockTransport(self)))


def _public(key: Any, name: str) -> dict[str, Any]:
    algorithm = (
        jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    )
    found: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": name, "use": "sig"}


def signed(
    key: Any = KEY, kid: str = "one", algorithm: str = "RS256", exp: float | None = 300, **claims: object
) -> str:
    """A token that ends so many seconds from now."""
    base: dict[str, object] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "scope": "summarise"}
    base["exp"] = None if exp is None else time.time() + exp
    given = {k: v for k, v in {**base, **claims}.items() if v is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid})


async def ask(settings: Settings, access: Access, token: str, *paths: str) -> list[int]:
    async with started(create_app(settings, Options(), access)) as client:
        headers = {"authorization": f"Bearer {token}".encode()}
        found = []
        for path in paths or ("/v1/summaries",):
            if path.startswith("/v1/summaries"):
                found.append((await client.post(path, json=NOTE, headers=headers)).status_code)
            else:
                found.append((await client.get(path, headers=headers)).status_code)
        return found


@pytest.mark.parametrize(
    ("key", "kid", "algorithm", "claims"),
    [
        (KEY, "one", "RS256", {}),
        (KEY, "one", "PS384", {"aud": ["other", AUDIENCE]}),
        (CURVE, "curve", "ES256", {}),
        (KEY, "one", "RS256", {"scope": None, "scp": ["summarise", "other"]}),
        (KEY, "one", "RS256", {"scope": None, "scp": "other summarise"}),
        (KEY, "one", "RS256", {"exp": -5}),  # clocks differ a little
    ],
)
async def test_a_valid_jwt(
    key: Any, kid: str, algorithm: str, claims: dict[str, Any], make_settings: MakeSettings
) -> None:
    token = signed(key, kid, algorithm, **claims)
    assert await ask(make_settings(), Provider().access(), token) == [200]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": -3600},
        {"exp": None},
        {"sub": None},
        {"nbf": 4e9},
        {"iss": "https://other.example.org"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"key": OTHER},  # another key under a known name
        {"kid": "unknown"},
        {"key": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "s", "algorithm": "HS256"},
        {"key": None, "algorithm": "none"},
        {"key": CURVE, "algorithm": "ES256"},  # an algorithm for another kind of key
    ],
)
async def test_a_jwt_that_is_not_valid(wrong: dict[str, Any], make_settings: MakeSettings) -> None:
    assert await ask(make_settings(), Provider().access(), signed(**wrong)) == [401]


@pytest.mark.parametrize("token", ["a.b.c", "nonsense", "é", "..", "a" * 10_000])
async def test_what_is_no_jwt(token: str, make_settings: MakeSettings) -> None:
    assert await ask(make_settings(), Provider().access(), token) == [401]


async def test_scopes_say_what_a_client_may(make_settings: MakeSettings) -> None:
    paths = ("/v1/summaries", "/v1/compositions", "/metrics")
    provider = Provider()
    settings = make_settings(timeout=1)
    assert await ask(settings, provider.access(), signed(scope="summarise"), *paths) == [200, 403, 403]
    assert await ask(settings, provider.access(), signed(scope="read openid"), *paths) == [403, 502, 200]
    assert await ask(settings, provider.access(), signed(scope=""), *paths) == [403, 403, 403]
    assert await ask(settings, provider.access(), signed(scope="Summarise all *"), *paths) == [403, 403, 403]


async def test_keys_are_asked_for_once_and_again_when_an_unknown_one_is_named(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    access = provider.access()
    settings = make_settings()
    for _ in range(3):
        assert await ask(settings, access, signed()) == [200]
    assert provider.asked == 1
    assert await ask(settings, access, signed(OTHER, "two")) == [401]  # no storm of askings
    assert provider.asked == 1
    provider.keys.append(_public(OTHER, "two"))
    monkeypatch.setattr("jobs.web.guard.oidc._PAUSE", -1.0)
    assert await ask(settings, access, signed(OTHER, "two")) == [200]
    assert provider.asked == 2
    provider.down = True
    monkeypatch.setattr("jobs.web.guard.oidc._KEEP", -1.0)
    assert await ask(settings, access, signed()) == [200]  # the known keys stay in use


async def test_an_issuer_that_calls_itself_otherwise(make_settings: MakeSettings) -> None:
    provider = Provider()
    provider.name = "https://evil.example"
    assert await ask(make_settings(), provider.access(), signed()) == [401]
