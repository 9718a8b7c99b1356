"""Logging in for real: Keycloak gives the tokens, a gateway checks them in front of HAPI."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from fhir_adapter.rest.keys import jwks, new_key, read_key
from fhir_adapter.rest.smart import NEEDED
from jobs.cli import run
from jobs.demo.bundle import demo_bundle
from jobs.runtime import open_ledger
from jobs.settings import load_settings
from jobs.web.app import create_app
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.gateway import Gateway, Verdict, running
from tests.contract.keycloak_server import Keycloak, realm_of, running_keycloak
from tests.contract.passes import Site, reference
from tests.unit.jobs.web.web_parts import listening

pytestmark = pytest.mark.hapi

SECRET = "canary-of-keycloak"
SCOPES = [f"system/{kind}.{letters}" for kind, letters in NEEDED.items()]
FEWEST_TOKENS = 3  # that the long pass needs from its begin to its end


@dataclass
class Clinic:
    """What stands between us and the notes.

    Attributes:
        keys: private key file by client.
    """

    keycloak: Keycloak
    gateway: Gateway
    keys: dict[str, Path]


class Checked:
    """What a token is worth, by the realm's public keys: signature, issuer, and its end to the second."""

    def __init__(self, keycloak: Keycloak) -> None:
        self._issuer = keycloak.issuer
        found = keycloak.http.get(keycloak.configuration()["jwks_uri"]).json()
        self._keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(found).keys}

    def __call__(self, token: str) -> Verdict:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token, key, algorithms=["RS256"], issuer=self._issuer, options={"verify_aud": False}
            )
        except (jwt.PyJWTError, KeyError) as error:
            return 401, f"invalid_token {type(error).__name__}"
        return 200, claims["scope"] or "none"


@pytest.fixture(scope="module")
def clinic(hapi_server: FhirServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """One client is registered with its keys, one with the address at which our service publishes them."""
    folder = tmp_path_factory.mktemp("keys")
    keys = {name: folder / f"{name}.pem" for name in ("clinsum-es384", "clinsum-rs384")}
    keys["clinsum-es384"].write_text(new_key("ES384"))
    keys["clinsum-rs384"].write_text(new_key("RS384"))
    published = load_settings(
        {"ENGINE": "lead", "PUBLISHED_KEY_FILES": str(keys["clinsum-rs384"]), "DATABASE_URL": "sqlite://"}
    )
    known = jwks(read_key(keys["clinsum-es384"].read_text()))
    with running_keycloak() as keycloak, listening(create_app(published)) as service:
        keycloak.take(realm_of(SECRET, known, f"{service}/.well-known/jwks.json", SCOPES))
        stated = keycloak.configuration()
        configuration = {
            "token_endpoint": stated["token_endpoint"],
            "token_endpoint_auth_methods_supported": stated["token_endpoint_auth_methods_supported"],
            "token_endpoint_auth_signing_alg_values_supported": stated[
                "token_endpoint_auth_signing_alg_values_supported"
            ],
            "scopes_supported": stated["scopes_supported"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
        gateway = Gateway(hapi_server.base_url, Checked(keycloak), configuration)
        with running(gateway):
            yield Clinic(keycloak, gateway, keys)


@pytest.fixture
def hapi(hapi_server: FhirServer) -> Iterator[Fhir]:
    """The server itself, behind the gateway's back."""
    fhir = Fhir(hapi_server)
    with fhir.http:
        yield fhir


@pytest.fixture
def ready(clinic: Clinic, hapi: Fhir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """Settings of a pass that meets nothing older than this test: other tests leave notes on the server."""
    database = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    given = {"FHIR_BASE_URL": clinic.gateway.base_url, "DATABASE_URL": database, "ENGINE": "lead"}
    given |= {"OVERLAP": "0.001s", "CONCURRENCY": "2", "AUTH": "smart-backend", "PIPELINE": tmp_path.name}
    for name, value in given.items():
        monkeypatch.setenv(f"CLINSUM_{name}", value)
    clinic.gateway.tokens.clear()
    clinic.gateway.refused.clear()
    clinic.gateway.pause = 0.0
    stamp = hapi.put({"resourceType": "Patient", "id": tmp_path.name.replace("_", "-")[-60:]})
    settings = load_settings({"AUTH": "none"})
    with open_ledger(settings) as ledger:
        for kind in settings.resource_types:
            ledger.move_watermark(kind, stamp["meta"]["lastUpdated"])
    return clinic


def as_client(name: str, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSUM_CLIENT_ID", name)
    if name in clinic.keys:
        monkeypatch.setenv("CLINSUM_PRIVATE_KEY_FILE", str(clinic.keys[name]))
    else:
        monkeypatch.setenv("CLINSUM_AUTH", "client-secret")
        monkeypatch.setenv("CLINSUM_CLIENT_SECRET", SECRET)


def ended(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """How each note of the pass ended."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["source"]: line["status"] for line in lines if "source" in line}


def test_a_long_pass_renews_short_tokens_on_its_way(
    ready: Clinic, hapi: Fhir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo's notes, with a server so slow that tokens end several times before the pass does."""
    as_client("clinsum-es384", ready, monkeypatch)
    bundle = demo_bundle(1)
    assert hapi.transaction(*bundle["entry"]).status_code == 200
    ready.gateway.pause = 1.0

    assert run(["poll", "--json"]) in (0, 1)  # among the demo's notes are damaged ones

    notes = ended(capsys)
    kinds = ("DocumentReference", "DiagnosticReport")
    resources = [entry["resource"] for entry in bundle["entry"]]
    sent = {f"{r['resourceType']}/{r['id']}" for r in resources if r["resourceType"] in kinds}
    assert sent <= set(notes)
    written = [source for source in sent if notes[source] == "written"]
    assert len(written) > len(sent) // 2
    assert all(hapi.search("Composition", entry=source) for source in written)
    assert len(ready.gateway.tokens) >= FEWEST_TOKENS
    assert {status for status, _ in ready.gateway.refused} <= {401}  # one that ended on its way, renewed


@pytest.mark.parametrize("client", ["clinsum-rs384", "clinsum-secret"])
def test_each_way_to_log_in_ends_with_a_summary_that_is_proven(
    client: str,
    ready: Clinic,
    hapi: Fhir,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a key that Keycloak fetches from `clinsum serve`, and by a secret."""
    as_client(client, ready, monkeypatch)
    source = reference(Site(hapi, tmp_path / "other.sqlite").document())

    assert run(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["login"]["status"] == "ok"
    assert checks["login"]["value"] == "a token with all scopes"
    assert run(["poll", "--json"]) == 0
    assert ended(capsys)[source] == "written"
    (composition,) = hapi.search("Composition", entry=source)
    assert run(["audit", f"Composition/{composition}"]) == 0
    assert ready.gateway.tokens


@pytest.mark.parametrize("client", ["clinsum-es384", "clinsum-rs384", "clinsum-secret"])
def test_what_keycloak_refuses_is_one_sentence(
    client: str,
    ready: Clinic,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_client(client, ready, monkeypatch)
    other = tmp_path / "other.pem"
    other.write_text(new_key("RS384" if client == "clinsum-rs384" else "ES384"))
    monkeypatch.setenv("CLINSUM_PRIVATE_KEY_FILE", str(other))
    monkeypatch.setenv("CLINSUM_CLIENT_SECRET", "another-secret")

    assert run(["poll"]) == 2

    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"clinsum: the token endpoint at {ready.keycloak.origin} refuses (HTTP 40")
    assert "check the client id, the secret or key" in said[0] or "check the secret or key" in said[0]
    assert "another-secret" not in said[0]
    assert ready.gateway.tokens == []


def test_without_a_token_the_server_is_not_reached(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests above rest on: the gateway does refuse."""
    monkeypatch.setenv("CLINSUM_AUTH", "none")
    assert run(["poll"]) == 3
    assert ready.gateway.refused
    assert ready.gateway.tokens == []
