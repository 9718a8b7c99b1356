"""The one Keycloak of a session, its clients, and the app that records launch."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from fhir_adapter.rest.keys import jwks, new_key, read_key
from tests.contract.contract_fhir import new_id
from tests.contract.keycloak_server import App, Client, Keycloak, running_or_skip

SECRET = "canary-of-keycloak-51c7"
APP = App(
    "notes-app",
    redirect_uri="http://localhost/smart/callback",
    context={"patient": new_id("patient")},
    claims={"fhirUser": f"Practitioner/{new_id('reader')}"},
)
BY_KEY = "notes-app-by-key"
"""The same app where it has a key."""


@dataclass(frozen=True, slots=True)
class Login:
    """The one Keycloak of the session, and the private keys of its clients by algorithm, as PEM."""

    keycloak: Keycloak
    pems: dict[str, str]


@contextmanager
def logging_in() -> Iterator[Login]:
    """Keycloak with all clients."""
    pems = {algorithm: new_key(algorithm) for algorithm in ("ES384", "RS384")}
    public = {algorithm: jwks(read_key(pem)) for algorithm, pem in pems.items()}
    with served(public["RS384"]) as address:
        clients: list[Client | App] = [
            Client("by-es384", algorithm="ES384", keys=public["ES384"]),
            Client("by-rs384", algorithm="RS384", keys=public["RS384"]),
            Client("by-address", algorithm="RS384", keys=address),
            Client("by-secret", secret=SECRET),
            Client("short", secret=SECRET, seconds=3),
            APP,
            replace(APP, id=BY_KEY, algorithm="ES384", keys=public["ES384"]),
        ]
        with running_or_skip(clients) as keycloak:
            yield Login(keycloak, pems)


class served:
    """A JWK Set at an address, as `clinsum serve` has it."""

    def __init__(self, keys: dict[str, Any]) -> None:
        body = json.dumps(keys).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/.well-known/jwks.json"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
