"""What leads away from the server's base address is not followed: next links, redirects, references."""

import pytest

from fhir_adapter.errors import (
    NotFhirError,
    OutsideBaseError,
)
from fhir_adapter.rest.auth import BearerAuth
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    ScriptedServer,
    bundle,
    client_for,
    fhir,
)

# Ways around a base address that only some gateways and servers see.
AROUND = (
    "..;/..;/admin",
    "..;a=b/admin",
    ".;/x",
    "%252e%252e/admin",
    "%25252e%25252e%25252fadmin",
    "%2e%2e;/admin",
    "a%5c..%5cadmin",
    "a%255c..",
)
PATIENT = {"resourceType": "Patient", "id": "1"}
EMPTY_TRANSACTION = {"resourceType": "Bundle", "type": "transaction", "entry": []}


@pytest.mark.parametrize(
    "link",
    [
        "http://elsewhere.example/fhir?_getpages=secret",
        "{origin}/other?_getpages=secret",
        "{origin}/fhirside?_getpages=secret",
        "{origin}/fhir/../admin?x=secret",
        "{origin}/fhir/%2e%2e/admin?x=secret",
        "{origin}/fhir/%252e%252e/admin?x=secret",
        "{origin}/fhir/%25252e%25252e/admin?x=secret",
        "{origin}/fhir/%25252525252525252e/admin?x=secret",
        "{origin}/fhir/..;/admin?x=secret",
        "{origin}/fhir/..;a=b/admin?x=secret",
        "{origin}/fhir/..%3B/admin?x=secret",
        "{origin}/fhir/%2e%2e%253b/admin?x=secret",
        "{origin}/fhir/a%255c..%255cadmin?x=secret",
        "{origin}/fhir/.;/..;/admin?x=secret",
        "http://user:pw@127.0.0.1:{port}/fhir?_getpages=secret",
        "//elsewhere.example/fhir?secret",
        "https://127.0.0.1:1/fhir?secret",
        "file:///etc/passwd?secret",
    ],
)
async def test_next_links_that_lead_away_are_refused(link):
    def handle(request):
        return bundle(PATIENT, next_url=link.format(origin=server.origin, port=server.port))

    async with ScriptedServer(handle) as server, client_for(server) as client:
        with pytest.raises(OutsideBaseError, match="base address") as caught:
            [page async for page in client.search("Patient", [])]
        assert len(server.requests) == 1
    assert "secret" not in str(caught.value)
    assert "pw" not in str(caught.value)


async def test_redirects_stay_inside():
    def handle(request):
        if request.path == "/fhir/Patient/1":
            return Answer(307, headers={"Location": "/fhir/Patient/2"})
        if request.path == "/fhir/Patient/3":
            return Answer(302, headers={"Location": "http://elsewhere.example/fhir/Patient/3?token=secret"})
        if request.path == "/fhir/Patient/4":
            return Answer(302, headers={"Location": "/fhir/Patient/4"})
        if request.method == "POST":
            return Answer(302, headers={"Location": "/fhir/"})
        return fhir(PATIENT)

    async with ScriptedServer(handle) as server, client_for(server) as client:
        assert await client.read("Patient/1") == PATIENT
        with pytest.raises(OutsideBaseError, match=r"http://elsewhere\.example") as caught:
            await client.read("Patient/3")
        assert "secret" not in str(caught.value)
        with pytest.raises(NotFhirError, match="redirects"):
            await client.read("Patient/4")
        with pytest.raises(NotFhirError, match="body"):
            await client.transaction(EMPTY_TRANSACTION)


@pytest.mark.parametrize("path", AROUND)
async def test_a_redirect_around_the_base_is_not_followed(path):
    def handle(request):
        return Answer(307, headers={"Location": f"/fhir/{path}"})

    async with ScriptedServer(handle) as server, client_for(server, auth=BearerAuth("secret")) as client:
        with pytest.raises(OutsideBaseError):
            await client.read("Patient/1")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reference",
    [
        *(f"{base}Binary/{path}" for base in ("", "{base}/") for path in AROUND),
        "Patient/..",
        "../admin",
        "http://elsewhere.example/fhir/Patient/1",
        "Patient//1",
        "",
        "/Patient/1",
    ],
)
async def test_references_that_lead_elsewhere_are_refused(reference):
    auth = BearerAuth("secret")
    async with ScriptedServer([fhir(PATIENT)]) as server, client_for(server, auth=auth) as client:
        with pytest.raises(ValueError, match="reference"):
            await client.read(reference.replace("{base}", server.base_url))
        assert server.requests == []


async def test_an_absolute_reference_on_this_server_is_read():
    async with ScriptedServer([fhir(PATIENT)]) as server, client_for(server) as client:
        await client.read(f"{server.base_url}/Patient/1")
        assert server.requests[0].path == "/fhir/Patient/1"
