"""A real Keycloak as the authorisation server of the tests: built once into the cache, ended with them."""

import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from fhir_adapter.sandbox.hapi_build import Tools, cache_dir, find_tools, locked
from tests.places import ROOT

SOURCES = ROOT / "tests" / "contract" / "keycloak"
REALM = "clinic"
_BUILD = ("build", "--db=dev-mem", "--cache=local", "--metrics-enabled=false")
# As HAPI is started: up sooner and smaller, which a sandbox needs more than peak speed.
_JVM = {
    "JAVA_OPTS_GC": "-XX:+UseSerialGC",
    "JAVA_OPTS_KC_HEAP": "-Xmx384m",
    "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
}
_SECONDS = 300
# The shell ends the server when its standard input ends, so that it never outlives the tests.
_UNTIL_STDIN_ENDS = """
exec 3<&0
"$@" </dev/null & server=$!
(cat <&3 >/dev/null; kill $server 2>/dev/null) & watch=$!
wait $server; code=$?
kill $watch 2>/dev/null
exit $code
"""


def built(tools: Tools) -> Path:
    """Keycloak's folder, fetched (about 160 MB) and optimised where that is not done yet."""
    digest = hashlib.sha256((SOURCES / "pom.xml").read_bytes() + " ".join(_BUILD).encode())
    place = cache_dir() / f"keycloak-{digest.hexdigest()[:16]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.with_suffix(".lock")):
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent, prefix="keycloak-build-") as folder:
                shutil.copyfile(SOURCES / "pom.xml", Path(folder, "pom.xml"))
                maven = [
                    str(tools.maven),
                    "--batch-mode",
                    "--no-transfer-progress",
                    "-q",
                    "generate-resources",
                ]
                environment = {**os.environ, "JAVA_HOME": str(tools.home)}
                subprocess.run(maven, cwd=folder, env=environment, check=True, stdin=subprocess.DEVNULL)
                (found,) = Path(folder, "target").glob("keycloak-*")
                command = [str(found / "bin" / "kc.sh"), *_BUILD]
                subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
                found.rename(place)
    return place


class Keycloak:
    """A running one.

    Attributes:
        origin: where it answers.
    """

    def __init__(self, origin: str, password: str) -> None:
        self.origin, self._password = origin, password
        self.issuer = f"{origin}/realms/{REALM}"
        self.http = httpx.Client(timeout=60, trust_env=False)

    def answers(self) -> bool:
        try:
            return self.http.get(f"{self.origin}/realms/master").status_code == 200
        except httpx.TransportError:
            return False

    def take(self, realm: dict[str, Any]) -> None:
        """Imports a realm."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        url = f"{self.origin}/realms/master/protocol/openid-connect/token"
        login = self.http.post(url, data={**form, "password": self._password})
        held = {"Authorization": f"Bearer {login.json()['access_token']}"}
        answer = self.http.post(f"{self.origin}/admin/realms", json=realm, headers=held)
        assert answer.status_code == 201, answer.text

    def configuration(self) -> dict[str, Any]:
        """What the realm says of itself, in the form of OpenID Connect."""
        found: dict[str, Any] = self.http.get(f"{self.issuer}/.well-known/openid-configuration").json()
        return found


def realm_of(secret: str, key_set: dict[str, Any], key_url: str, scopes: list[str]) -> dict[str, Any]:
    """The realm of `clinic-realm.json` with what differs from run to run.

    Args:
        secret: of the client that has one.
        key_set: public keys of the client that is registered with them.
        key_url: where the other one publishes its own.
        scopes: that clients may ask for, and are given where they ask for none.
    """
    realm: dict[str, Any] = json.loads((SOURCES / "clinic-realm.json").read_text("utf-8"))
    shown = {"include.in.token.scope": "true"}
    realm["clientScopes"] = [
        {"name": scope, "protocol": "openid-connect", "attributes": shown} for scope in scopes
    ]
    for client in realm["clients"]:
        client |= {"enabled": True, "publicClient": False, "standardFlowEnabled": False}
        client |= {"serviceAccountsEnabled": True, "optionalClientScopes": scopes, "defaultClientScopes": []}
        attributes = client.get("attributes", {})
        if "use.jwks.string" in attributes:
            attributes["jwks.string"] = json.dumps(key_set)
        elif "use.jwks.url" in attributes:
            attributes["jwks.url"] = key_url
        else:
            client |= {"secret": secret, "optionalClientScopes": [], "defaultClientScopes": scopes}
    return realm


@contextmanager
def running_keycloak() -> Iterator[Keycloak]:
    """Keycloak without a realm of ours yet, in memory.

    Raises:
        ToolMissingError: no JDK or Maven.
    """
    tools = find_tools()
    home = built(tools)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_urlsafe(24)
    environment = {**os.environ, **_JVM, "JAVA_HOME": str(tools.home)}
    environment |= {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": password}
    options = [
        "--http-enabled=true",
        "--http-host=127.0.0.1",
        f"--http-port={port}",
        "--hostname-strict=false",
    ]
    command = [
        "sh",
        "-c",
        _UNTIL_STDIN_ENDS,
        "sh",
        str(home / "bin" / "kc.sh"),
        "start",
        "--optimized",
        *options,
    ]
    logs = cache_dir() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    keycloak = Keycloak(f"http://127.0.0.1:{port}", password)
    with tempfile.NamedTemporaryFile(dir=logs, prefix="keycloak-", suffix=".log") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + _SECONDS
            while not keycloak.answers():
                assert process.poll() is None, Path(log.name).read_text("utf-8", "replace")[-4000:]
                assert time.monotonic() < deadline, "Keycloak does not answer"
                time.sleep(0.2)
            yield keycloak
        finally:
            keycloak.http.close()
            assert process.stdin
            process.stdin.close()
            process.wait(60)
