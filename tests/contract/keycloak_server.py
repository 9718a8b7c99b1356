"""A real Keycloak, fetched from Maven Central and built once into the cache folder, with clients of ours."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from fhir_adapter.rest.smart import NEEDED
from fhir_adapter.sandbox.hapi_build import ToolMissingError, Tools, cache_dir, find_tools, locked
from tests.contract.gateway import Verdict

VERSION = "26.4.5"
REALM = "hospital"
LAUNCH_SCOPES = ("launch", "launch/patient", "fhirUser", "patient/*.rs")
USER, PASSWORD = "ward", "canary-of-the-ward-77d1"
SCOPES = tuple(f"system/{kind}.{letters}" for kind, letters in NEEDED.items())
_UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
_OPENED = ("java.util", "java.util.concurrent", "java.security")
_START_SECONDS = 300.0  # a quiet machine takes a tenth of it


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential client with a service account.

    Attributes:
        secret: its password; "" where it shows signed statements.
        algorithm: of these.
        keys: its public keys as a JWK Set, or the address at which Keycloak fetches them.
        seconds: that its tokens live.
    """

    id: str
    secret: str = ""
    algorithm: str = ""
    keys: dict[str, Any] | str = ""
    seconds: int = 60

    def to_json(self) -> dict[str, Any]:
        """As an import of a realm has it."""
        attributes = {"access.token.lifespan": str(self.seconds)}
        if self.algorithm:
            by_address = isinstance(self.keys, str)
            attributes["token.endpoint.auth.signing.alg"] = self.algorithm
            attributes["use.jwks.url" if by_address else "use.jwks.string"] = "true"
            attributes["jwks.url" if by_address else "jwks.string"] = (
                str(self.keys) if by_address else json.dumps(self.keys)
            )
        return {
            "clientId": self.id,
            "protocol": "openid-connect",
            "publicClient": False,
            "standardFlowEnabled": False,
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": "client-jwt" if self.algorithm else "client-secret",
            "secret": self.secret,
            "attributes": attributes,
            "optionalClientScopes": SCOPES,
        }


@dataclass(frozen=True, slots=True)
class App:
    """A client at which a person signs in, with PKCE: a public one, or one that shows signed statements.

    Keycloak knows no open record: what a record would say of it is the same for each sign-in here.

    Attributes:
        redirect_uri: the one address that codes go to.
        context: what stands beside the token, such as `patient`.
        claims: of the id_token, such as `fhirUser`.
        algorithm, keys: of its statements, as of `Client`; without them it is public.
    """

    id: str
    redirect_uri: str
    context: dict[str, str]
    claims: dict[str, str]
    algorithm: str = ""
    keys: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As an import of a realm has it."""
        beside = [
            _hardcoded(name, value, "access.tokenResponse.claim") for name, value in self.context.items()
        ]
        within = [_hardcoded(name, value, "id.token.claim") for name, value in self.claims.items()]
        subject = {
            "name": "sub",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-sub-mapper",
            "config": {"access.token.claim": "true"},
        }
        by_key = {
            "token.endpoint.auth.signing.alg": self.algorithm,
            "use.jwks.string": "true",
            "jwks.string": json.dumps(self.keys),
        }
        by_key = by_key if self.algorithm else {}
        return {
            "clientId": self.id,
            "protocol": "openid-connect",
            "publicClient": not self.algorithm,
            **({"clientAuthenticatorType": "client-jwt"} if self.algorithm else {}),
            "standardFlowEnabled": True,
            "redirectUris": [self.redirect_uri],
            "attributes": {"pkce.code.challenge.method": "S256", "access.token.lifespan": "60", **by_key},
            "optionalClientScopes": LAUNCH_SCOPES,
            "protocolMappers": [subject, *beside, *within],
        }


def _hardcoded(name: str, value: str, where: str) -> dict[str, Any]:
    stated = {"claim.name": name, "claim.value": value, "jsonType.label": "String", where: "true"}
    mapper = "oidc-hardcoded-claim-mapper"
    return {"name": name, "protocol": "openid-connect", "protocolMapper": mapper, "config": stated}


@dataclass(frozen=True, slots=True)
class Keycloak:
    """One that runs; `realm_url` is the issuer of its tokens."""

    realm_url: str

    @property
    def token_url(self) -> str:
        return f"{self.realm_url}/protocol/openid-connect/token"

    def verdict(self, token: str) -> Verdict:
        """What a token is worth to a FHIR server: signed by Keycloak, and not yet at its end."""
        keys = jwt.PyJWKClient(f"{self.realm_url}/protocol/openid-connect/certs")
        try:
            key = keys.get_signing_key_from_jwt(token).key
            claims = jwt.decode(
                token, key, algorithms=["RS256"], issuer=self.realm_url, options={"verify_aud": False}
            )
        except jwt.PyJWTError:
            return 401, "invalid_token"
        return 200, str(claims["scope"])


@contextmanager
def running_or_skip(clients: Sequence[Client | App]) -> Iterator[Keycloak]:
    """Keycloak, where Java and Maven are there; else a skip, or a failure where all is required."""
    try:
        tools = find_tools()
    except ToolMissingError as missing:
        if os.environ.get("CLINSUM_REQUIRE_ALL") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    built = _built(tools)
    with tempfile.TemporaryDirectory() as folder:
        # A home of its own beside the built one, so that two sessions do not share realm and database.
        home = Path(folder)
        for part in ("bin", "conf", "lib", "providers", "themes", "version.txt"):
            (home / part).symlink_to(built / part)
        realm = home / "data" / "import" / "realm.json"
        realm.parent.mkdir(parents=True)
        realm.write_text(json.dumps(_realm(clients)))
        port = _free_port()
        arguments = ["start", "--optimized", "--import-realm", "--http-enabled=true", "--http-host=127.0.0.1"]
        arguments += [f"--http-port={port}", "--hostname-strict=false", "--cache=local"]
        log = cache_dir() / "keycloak.log"
        with log.open("wb") as output:
            process = subprocess.Popen(_java(tools, home, *arguments), stdout=output, stderr=output, cwd=home)
        try:
            found = Keycloak(f"http://127.0.0.1:{port}/realms/{REALM}")
            _wait(found, process, log)
            yield found
        finally:
            process.kill()
            process.wait()


def _built(tools: Tools) -> Path:
    """The folder of a Keycloak that is unpacked and built for a database in memory."""
    built = cache_dir() / f"keycloak-{VERSION}"
    built.parent.mkdir(parents=True, exist_ok=True)
    with locked(built.with_suffix(".lock")):
        if not built.exists():
            with tempfile.TemporaryDirectory(dir=built.parent, prefix="keycloak-") as folder:
                artifact = f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
                unpack = [str(tools.maven), "--batch-mode", "--no-transfer-progress", _UNPACK, artifact]
                environment = {**os.environ, "JAVA_HOME": str(tools.home)}
                _done([*unpack, f"-DoutputDirectory={folder}"], environment)
                home = Path(folder, f"keycloak-{VERSION}")
                _done(_java(tools, home, "build", "--db=dev-mem"), environment)
                shutil.move(home, built)
    return built


def _done(command: list[str], environment: dict[str, str]) -> None:
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]


def _java(tools: Tools, home: Path, *arguments: str) -> list[str]:
    """What `kc.sh` runs, without the processes that it starts before."""
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    properties = {
        "kc.home.dir": home,
        "jboss.server.config.dir": home / "conf",
        "java.util.logging.manager": "org.jboss.logmanager.LogManager",
        "java.util.concurrent.ForkJoinPool.common.threadFactory": (
            "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"
        ),
        "picocli.disable.closures": "true",
        "quarkus-log-max-startup-records": "10000",
    }
    small = ["-Xms64m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    stated = [f"-D{name}={value}" for name, value in properties.items()]
    run = ["-cp", str(home / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"]
    return [str(tools.java), *small, *opened, *stated, *run, *arguments]


def _realm(clients: Sequence[Client | App]) -> dict[str, Any]:
    shown = {"include.in.token.scope": "true"}
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "clientScopes": [
            {"name": scope, "protocol": "openid-connect", "attributes": shown}
            for scope in (*SCOPES, *LAUNCH_SCOPES)
        ],
        "users": [
            {
                "username": USER,
                "enabled": True,
                "email": "ward@example.org",
                "firstName": "Imre",
                "lastName": "Ward",
                "credentials": [{"type": "password", "value": PASSWORD}],
            }
        ],
        "clients": [client.to_json() for client in clients],
    }


def _wait(keycloak: Keycloak, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"Keycloak ended before it was ready: {log.read_text()[-2000:]}"
        try:
            if httpx.get(keycloak.realm_url, timeout=10, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    pytest.fail(f"Keycloak was not ready after {_START_SECONDS:.0f} seconds; its log is {log}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
