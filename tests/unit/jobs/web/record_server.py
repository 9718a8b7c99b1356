"""A record's authorization server of our own before a FHIR server; it can be made to answer wrongly."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.unit.jobs.web.web_parts import listening

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLIENT = "notes-app"
_LEFT_OUT = {"content-length", "content-encoding", "transfer-encoding", "connection"}


@dataclass
class Record:
    """One record's server.

    Attributes:
        upstream: base URL of the FHIR server behind it.
        launches: what names an open record, and whose it is.
        user: `fhirUser`.
        answer: changes what the token endpoint answers.
        claims: changes what the id_token claims; None takes a claim out.
        key, algorithm: what id_tokens are signed with.
        back: changes the parameters that go back to the app.
        configuration: changes what is said about signing in; None takes a part out.
        seconds: that a token lives.
        app_key: the app's public key; with one, its name alone is not enough at the token endpoint.
        slow: seconds that the token endpoint takes.
        asked: each address to sign in at, as its parameters.
        forms: what came to the token endpoint.
        tokens: those that let in now.
        given: every access and refresh token that was ever given.
        used: (token, path) of each request of FHIR.
    """

    upstream: str
    launches: dict[str, str] = field(default_factory=lambda: {"open-1": "one"})
    user: str = "Practitioner/ward"
    answer: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = KEY
    algorithm: str = "RS256"
    back: dict[str, str | None] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    seconds: int = 300
    refreshes: bool = True
    app_key: Any = None
    slow: float = 0.0
    statements: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    origin: str = ""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        """The `iss` that launches the app."""
        return f"{self.origin}/fhir"

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        if path == "/fhir/.well-known/smart-configuration":
            return JSONResponse(_without_none(self._configuration() | self.configuration))
        if path == "/.well-known/openid-configuration":
            return JSONResponse({"issuer": self.origin, "jwks_uri": f"{self.origin}/keys"})
        if path == "/keys":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
            return JSONResponse({"keys": [{**public, "kid": "one", "use": "sig"}]})
        if path == "/authorize":
            return self._authorize(dict(request.query_params))
        form = dict(parse_qsl((await request.body()).decode()))
        if path == "/token":
            self.forms.append(form)
            await asyncio.sleep(self.slow)
            return self._token(form) if self._is_app(form) else JSONResponse({"error": "invalid_client"}, 401)
        if path == "/revoke":
            if not self._is_app(form):
                return JSONResponse({"error": "invalid_client"}, 401)
            self._refresh.discard(form["token"])
            self.tokens.clear()
            return Response()
        return await self._forwarded(request)

    def _is_app(self, form: dict[str, str]) -> bool:
        """Whether a request shows the app's signed statement, meant for this server and not seen before."""
        if self.app_key is None:
            return True
        try:
            told = jwt.decode(
                form.get("client_assertion", ""),
                self.app_key,
                algorithms=["ES384"],
                audience=f"{self.origin}/token",
                issuer=CLIENT,
                subject=CLIENT,
                options={"require": ["exp", "jti"]},
            )
        except jwt.InvalidTokenError:
            return False
        seen = told["jti"] in self.statements
        self.statements.add(told["jti"])
        return not seen

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "revocation_endpoint": f"{self.origin}/revoke",
            "capabilities": ["launch-ehr", "launch-standalone", "permission-v2", "permission-online"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _authorize(self, asked: dict[str, str]) -> Response:
        self.asked.append(asked)
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked
        back = _without_none({"code": code, "state": asked["state"], "iss": self.origin} | self.back)
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

    def _token(self, form: dict[str, str]) -> Response:
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self._refresh or not self.refreshes:
                return JSONResponse({"error": "invalid_grant"}, 400)
            self._refresh.discard(form["refresh_token"])  # good for one use
            return JSONResponse(self._given({}))
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if self.app_key is None and form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_grant"}, 400)
        patient = self.launches.get(asked.get("launch", ""), "one")
        claims = {
            "iss": self.origin,
            "aud": CLIENT,
            "sub": "u-7",
            "nonce": asked["nonce"],
            "fhirUser": f"{self.base_url}/{self.user}",
            "exp": time.time() + 300,
            "iat": time.time(),
        }
        stated = _without_none(claims | self.claims)
        headers = {"kid": "one"}
        key = None if self.algorithm == "none" else self.key
        id_token = jwt.encode(stated, key, algorithm=self.algorithm, headers=headers)
        return JSONResponse(_without_none(self._given({"patient": patient, "id_token": id_token})))

    def _given(self, more: dict[str, Any]) -> dict[str, Any]:
        token, refresh = f"user-{secrets.token_urlsafe(8)}", f"again-{secrets.token_urlsafe(8)}"
        self.tokens.add(token)
        self.given += [token, refresh]
        self._refresh.add(refresh)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": self.seconds}
        body |= {"refresh_token": refresh, "scope": "patient/*.rs", **more}
        return body | self.answer

    async def _forwarded(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return Response(status_code=401)
        self.used.append((token, request.url.path))
        if request.method != "GET":
            return Response(status_code=403)  # these tokens are to read
        where = self.upstream + request.url.path.removeprefix("/fhir")
        query = request.url.query
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            got = await http.get(
                f"{where}?{query}" if query else where, headers={"accept": "application/json"}
            )
        body = got.content.replace(self.upstream.encode(), self.base_url.encode())
        kept = {name: value for name, value in got.headers.items() if name not in _LEFT_OUT}
        return Response(body, got.status_code, kept)


def _without_none(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def recording(upstream: str) -> Iterator[Record]:
    """The record's server on a free port of this machine."""
    record = Record(upstream)
    methods = ["GET", "POST", "PUT"]
    app = Starlette(routes=[Route("/{path:path}", record.serve, methods=methods)])
    with listening(app) as record.origin:
        yield record
