"""Logging in at a real Keycloak, in front of a real HAPI."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fhir_adapter.rest.keys import new_key
from jobs.cli import run
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.gateway import Gateway, running
from tests.contract.keycloak_server import REALM, SCOPES
from tests.contract.lives import of_its_own
from tests.contract.logins import SECRET, Login
from tests.contract.passes import Site, reference

pytestmark = pytest.mark.hapi  # so that Keycloak and HAPI start once, in one process
NOTES = 5


@dataclass(frozen=True, slots=True)
class Hospital:
    """HAPI behind a gateway that takes Keycloak's tokens, with notes of this test alone."""

    site: Site
    gateway: Gateway
    sources: frozenset[str]

    def summaries(self) -> int:
        return sum(len(self.site.written(source)) for source in self.sources)


@pytest.fixture
def hospital(
    hapi_server: FhirServer, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hospital]:
    fhir = Fhir(hapi_server)
    gateway = Gateway(hapi_server.base_url, login.keycloak.verdict)
    with fhir.http, running(gateway):
        gateway.configuration = {
            "token_endpoint": login.keycloak.token_url,
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": SCOPES,
        }
        site = of_its_own(Site(fhir, tmp_path / "ledger.sqlite"), PAGE_SIZE="2", CONCURRENCY="1")
        # A type of their own: the server holds notes of other tests, and a pass would read them all.
        code = new_id("type")
        kind = {"coding": [{"system": "urn:example:types", "code": code}]}
        monkeypatch.setenv("CLINSUM_NOTE_TYPES", f"urn:example:types|{code}")
        sources = frozenset(reference(site.document(type=kind)) for _ in range(NOTES))
        monkeypatch.chdir(tmp_path)
        options = {**site.options, "FHIR_BASE_URL": gateway.base_url, "ENGINE": "lead", "RETRIES": "1"}
        options["DATABASE_URL"] = f"sqlite:///{site.database}"
        for name, value in options.items():
            monkeypatch.setenv(f"CLINSUM_{name}", value)
        yield Hospital(site, gateway, sources)


def signed_in(login: Login, monkeypatch: pytest.MonkeyPatch, folder: Path, client: str, pem: str) -> None:
    """Settings of a client that shows signed statements."""
    key = folder / "key.pem"
    key.write_text(pem)
    monkeypatch.setenv("CLINSUM_AUTH", "smart-backend")
    monkeypatch.setenv("CLINSUM_CLIENT_ID", client)
    monkeypatch.setenv("CLINSUM_PRIVATE_KEY_FILE", str(key))


def with_secret(monkeypatch: pytest.MonkeyPatch, client: str, secret: str) -> None:
    """Settings of a client that shows a secret."""
    monkeypatch.setenv("CLINSUM_AUTH", "client-secret")
    monkeypatch.setenv("CLINSUM_CLIENT_ID", client)
    monkeypatch.setenv("CLINSUM_CLIENT_SECRET", secret)
    monkeypatch.setenv("CLINSUM_SCOPE", " ".join(SCOPES))


@pytest.mark.parametrize(
    ("client", "algorithm"), [("by-es384", "ES384"), ("by-rs384", "RS384"), ("by-address", "RS384")]
)
def test_a_signed_statement_logs_in_and_a_pass_writes_and_is_audited(
    hospital: Hospital,
    login: Login,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    client: str,
    algorithm: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    signed_in(login, monkeypatch, tmp_path, client, login.pems[algorithm])

    assert run(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert (checks["login"]["status"], checks["login"]["value"]) == ("ok", "a token with all scopes")
    assert run(["poll"]) == 0
    assert hospital.summaries() == NOTES
    # Of what is asked besides, Consents and profiles, no scope is demanded.
    assert set(hospital.gateway.refused) <= {(403, "insufficient_scope")}
    (summary,) = hospital.site.written(min(hospital.sources))
    assert run(["audit", summary["id"]]) == 0


def test_a_secret_logs_in_and_tokens_that_end_in_mid_pass_are_renewed(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_secret(monkeypatch, "short", SECRET)
    hospital.gateway.pause = 1.0  # before each write, so that a pass outlives a token

    assert run(["poll"]) == 0
    assert hospital.summaries() == NOTES
    assert len(hospital.gateway.tokens) > 1


def test_a_login_that_keycloak_refuses_ends_the_pass_with_one_sentence(
    hospital: Hospital,
    login: Login,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    signed_in(login, monkeypatch, tmp_path, "by-es384", new_key("ES384"))
    assert run(["poll"]) == 2
    assert "invalid_client" in capsys.readouterr().err
    with_secret(monkeypatch, "by-secret", f"{SECRET}-wrong")
    assert run(["poll"]) == 2
    said = capsys.readouterr().err
    assert "unauthorized_client" in said
    assert SECRET not in said
    assert hospital.summaries() == 0

    with_secret(monkeypatch, "by-secret", SECRET)
    assert run(["poll"]) == 0
    assert hospital.summaries() == NOTES


def test_a_token_without_a_scope_is_named_by_doctor_before_a_pass_fails(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_secret(monkeypatch, "by-secret", SECRET)
    narrower = [scope for scope in SCOPES if not scope.startswith("system/Provenance")]
    monkeypatch.setenv("CLINSUM_SCOPE", " ".join(narrower))

    assert run(["doctor", "--json"]) == 1
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert "Provenance.crus" in checks["login"]["value"]
    assert checks["provenances"]["status"] == "failure"


def test_the_realm_may_be_the_audience_of_a_statement(
    hospital: Hospital, login: Login, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert login.keycloak.realm_url.endswith(f"/realms/{REALM}")
    signed_in(login, monkeypatch, tmp_path, "by-es384", login.pems["ES384"])
    monkeypatch.setenv("CLINSUM_TOKEN_AUDIENCE", login.keycloak.realm_url)

    assert run(["poll"]) == 0
    assert hospital.summaries() == NOTES
