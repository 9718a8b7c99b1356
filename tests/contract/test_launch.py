"""Out of a record to its patient: signed in at a real Keycloak, read from a real HAPI behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from jobs.settings import load_settings
from jobs.web.app import create_app
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.gateway import Gateway, running
from tests.contract.keycloak_server import PASSWORD, USER
from tests.contract.lives import of_its_own
from tests.contract.logins import APP, BY_KEY, Login
from tests.contract.passes import Site, reference

pytestmark = pytest.mark.hapi
PATIENT, READER = APP.context["patient"], APP.claims["fhirUser"].partition("/")[2]
NAME = "Imre Zanzibarowitz"


@dataclass(frozen=True, slots=True)
class Hospital:
    """HAPI with a summary of each of two patients, behind a gateway that takes Keycloak's tokens."""

    site: Site
    gateway: Gateway
    own: str
    other: str

    @property
    def settings(self) -> dict[str, str]:
        app = {"SMART_CLIENT_ID": APP.id, "SMART_SERVERS": self.gateway.base_url}
        return {**self.site.options, **app, "ENGINE": "lead", "AUDIT_EVENTS": "true"}


@pytest.fixture
def hospital(hapi_server: FhirServer, login: Login, tmp_path: Path) -> Iterator[Hospital]:
    fhir = Fhir(hapi_server)
    gateway = Gateway(hapi_server.base_url, login.keycloak.verdict)
    with fhir.http, running(gateway):
        realm = login.keycloak.realm_url
        gateway.configuration = {
            "issuer": realm,
            "authorization_endpoint": f"{realm}/protocol/openid-connect/auth",
            "token_endpoint": login.keycloak.token_url,
            "revocation_endpoint": f"{realm}/protocol/openid-connect/revoke",
            "capabilities": ["launch-ehr", "launch-standalone", "sso-openid-connect", "permission-v2"],
            "code_challenge_methods_supported": ["S256"],
        }
        other = new_id("patient")
        for patient in (PATIENT, other):
            fhir.put({"resourceType": "Patient", "id": patient})
        fhir.put({"resourceType": "Practitioner", "id": READER, "name": [{"text": NAME}]})
        code = new_id("type")
        kind = {"coding": [{"system": "urn:example:types", "code": code}]}
        options = {"NOTE_TYPES": f"urn:example:types|{code}"}
        site = of_its_own(Site(fhir, tmp_path / "ledger.sqlite"), **options)
        sources = [
            reference(site.document(type=kind, subject={"reference": f"Patient/{patient}"}))
            for patient in (PATIENT, other)
        ]
        site.poll()
        own, foreign = (site.written(source)[0]["id"] for source in sources)
        yield Hospital(site, gateway, own, foreign)


async def signed_in_at(address: str) -> str:
    """Signs in on Keycloak's own page; the address that it sends the browser to then."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as browser:
        page = await browser.get(address)
        assert page.status_code == 200, page.headers.get("location", page.text[:500])
        (form,) = html.document_fromstring(page.text).xpath("//form[@id='kc-form-login']")
        # Its cookies are `Secure`, which browsers take of this machine without TLS, and this client does not.
        jar = SimpleCookie()
        for line in page.headers.get_list("set-cookie"):
            jar.load(line)
        cookies = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in jar.items())
        fields = {"username": USER, "password": PASSWORD}
        answer = await browser.post(form.get("action"), data=fields, headers={"cookie": cookies})
        return answer.headers["location"]


@pytest.mark.parametrize(("begins", "by_key"), [("/smart/launch", False), ("/smart/standalone", True)])
async def test_a_person_signs_in_and_reads_the_one_patient_by_their_own_token(
    hospital: Hospital, login: Login, tmp_path: Path, begins: str, by_key: bool
) -> None:
    key = tmp_path / "app.pem"
    key.write_text(login.pems["ES384"], "utf-8")
    who = {"SMART_CLIENT_ID": BY_KEY, "SMART_PRIVATE_KEY_FILE": str(key)} if by_key else {}
    server = hospital.gateway.base_url
    query = {"iss": server} | ({"launch": "as-the-record-has-it"} if begins.endswith("launch") else {})
    app = create_app(load_settings({**_settings(hospital), **who}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            begun = await client.get(begins, params=query)
            landed = await client.get(await signed_in_at(begun.headers["location"]))
            assert landed.headers.get("location") == f"/patient/{PATIENT}", landed.text
            page = await client.get(f"/patient/{PATIENT}")
            note = await client.get(f"/note/{hospital.own}")
            other = await client.get(f"/note/{hospital.other}")
            version = hospital.site.fhir.get(f"Composition/{hospital.own}")["meta"]["versionId"]
            attested = await client.post(
                f"/note/{hospital.own}/review", data={"act": "attest", "version": version}
            )
            signed_out = await client.post("/logout")
            after = await client.get(f"/patient/{PATIENT}")
    assert (page.status_code, note.status_code, other.status_code) == (200, 200, 403)
    assert "Pneumonia of the left lower lobe." in page.text
    assert (attested.status_code, signed_out.status_code, after.status_code) == (303, 303, 401)
    (token,) = hospital.gateway.tokens
    assert hospital.gateway.checks(token)[0] == 200
    assert hospital.gateway.refused == []
    kept = hospital.site.fhir.get(f"Composition/{hospital.own}")
    assert kept["attester"][0]["party"] == {"display": NAME}
    assert NAME in _readers(hospital.site.fhir)


def _settings(hospital: Hospital) -> dict[str, Any]:
    site = {"FHIR_BASE_URL": hospital.site.fhir.server.base_url}
    return site | {"DATABASE_URL": f"sqlite:///{hospital.site.database}"} | hospital.settings


def _readers(fhir: Fhir) -> set[str]:
    """Who read of the patient, by the AuditEvents."""
    events = fhir.matches(fhir.get("AuditEvent", entity=f"Patient/{PATIENT}", _count="200"))
    return {str(agent.get("name")) for event in events for agent in event["agent"]}
