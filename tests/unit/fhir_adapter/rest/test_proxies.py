"""Which proxy leads where, and that none reads credentials unless somebody meant it to."""

import pytest

from fhir_adapter.errors import LoginError
from fhir_adapter.rest.auth import BearerAuth, Credentials, auth_from
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.proxies import Proxies
from fhir_adapter.rest.token_endpoint import Web
from tests.unit.fhir_adapter.rest.scripted_server import Naps, ScriptedServer, fhir

PLAIN, SECURE = "http://fhir.example/fhir", "https://fhir.example:8443/fhir"
PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)


@pytest.mark.parametrize(
    ("environment", "named", "url", "proxy"),
    [
        ({}, "", PLAIN, None),
        ({}, "", SECURE, None),
        ({"HTTP_PROXY": "http://p.example:3128"}, "", PLAIN, "http://p.example:3128"),
        ({"http_proxy": "p.example:3128"}, "", PLAIN, "http://p.example:3128"),
        ({"HTTP_PROXY": "http://p.example:3128"}, "", SECURE, None),
        ({"HTTPS_PROXY": "http://p.example:3128"}, "", SECURE, "http://p.example:3128"),
        ({"ALL_PROXY": "http://p.example:3128"}, "", SECURE, "http://p.example:3128"),
        ({"HTTPS_PROXY": "http://p.example:3128", "NO_PROXY": "fhir.example"}, "", SECURE, None),
        ({"HTTPS_PROXY": "http://p.example:3128", "NO_PROXY": ".example:8443"}, "", SECURE, None),
        ({"HTTPS_PROXY": "http://p.example:3128"}, "none", SECURE, None),
        ({"HTTPS_PROXY": "http://p.example:3128"}, "http://q.example:1", SECURE, "http://q.example:1"),
        ({"ALL_PROXY": "http://p.example:3128"}, "", "http://127.0.0.1:8080/fhir", None),
        ({}, "http://q.example:1", "http://localhost:8080/fhir", None),
    ],
)
def test_the_proxy_of_an_address(
    environment: dict[str, str], named: str, url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Proxies(named).to(url, secret=False)
    assert (found and str(found.url).rstrip("/")) == proxy
    said = Proxies(named).words(url)
    assert said.startswith(proxy or "none")
    assert ("PROXY" in said) == (proxy is not None and not named)


def test_neither_user_nor_password_of_a_proxy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://canary-user:canary-word@p.example:3128")
    said = Proxies().words(SECURE) + Proxies("http://canary-user:canary-word@p.example").words(SECURE)
    assert "canary" not in said
    monkeypatch.setenv("HTTP_PROXY", "http://canary-user:canary-word@p.example:3128")
    with pytest.raises(ValueError, match="CLINSUM_PROXY") as refused:
        Proxies().to(PLAIN, secret=True)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_credentials_over_http_need_a_proxy_that_is_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://p.example:3128")
    with pytest.raises(ValueError, match=name):
        FhirClient(PLAIN, auth=BearerAuth("secret"))
    FhirClient(PLAIN)
    FhirClient(SECURE, auth=BearerAuth("secret"))  # a tunnel: the proxy reads nothing
    FhirClient(PLAIN, auth=BearerAuth("secret"), proxies=Proxies("http://p.example:3128"))
    FhirClient(PLAIN, auth=BearerAuth("secret"), proxies=Proxies("none"))


async def test_a_login_over_http_needs_a_proxy_that_is_set_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://p.example:3128")
    given = Credentials("client-secret", client_id="c", client_secret="s", token_url="http://id.example/t")
    auth = auth_from(given, SECURE, Web(sleep=Naps()))
    async with FhirClient(SECURE, auth=auth, sleep=Naps()) as client:
        with pytest.raises(LoginError, match="HTTP_PROXY"):
            await client.read("Patient/1")


async def test_what_is_said_is_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer([fhir(PATIENT)]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        assert Proxies().words(PLAIN) == f"{proxy.origin}, of the environment (HTTP_PROXY)"
        async with FhirClient(PLAIN, sleep=Naps()) as client:
            assert await client.read("Patient/1") == PATIENT
        assert proxy.requests[0].target == f"{PLAIN}/Patient/1"
        async with FhirClient(PLAIN, sleep=Naps(), proxies=Proxies("none"), retries=0, timeout=1) as client:
            with pytest.raises(Exception, match=r"fhir\.example"):
                await client.read("Patient/1")
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("named", ["socks5://p.example", "ftp://p.example", "http://", "http://p\n"])
def test_a_proxy_that_is_none(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="must have an http"):
        Proxies(named)
    monkeypatch.setenv("HTTPS_PROXY", named)
    with pytest.raises(ValueError, match="HTTPS_PROXY"):
        Proxies().to(SECURE, secret=False)
