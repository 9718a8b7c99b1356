import base64

import httpx
import pytest

from fhir_adapter.rest.auth import Credentials, ScopedAuth, auth_from
from fhir_adapter.rest.scope import Scope
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for, fhir

PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({"kind": "none"}, None),
        (
            {"kind": "Basic", "username": "u", "password": "p:w"},
            "Basic " + base64.b64encode(b"u:p:w").decode(),
        ),
        ({"kind": "bearer", "token": " abc.def \n"}, "Bearer abc.def"),
    ],
)
async def test_each_kind_sends_its_header(given, header):
    async with (
        ScriptedServer([fhir(PATIENT)]) as server,
        client_for(server, auth=auth_from(Credentials(**given))) as client,
    ):
        await client.read("Patient/1")
        assert server.requests[0].headers.get("authorization") == header


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "kerberos"},
        {"kind": "basic", "username": "hush"},
        {"kind": "basic", "username": "hu:sh", "password": "x"},
        {"kind": "bearer"},
        {"kind": "bearer", "token": "  "},
        {"kind": "bearer", "token": "hush\nX-Evil: 1"},
        {"kind": "bearer", "token": "hush\u00e9"},
    ],
)
def test_what_is_missing_is_said_without_the_secret(given):
    with pytest.raises(ValueError, match=r"authentication|token|username") as caught:
        auth_from(Credentials(**given))
    assert not any(word in str(caught.value) for word in ("hush", "hu:sh"))


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://h/fhir", True),
        ("https://H:443/fhir/Patient/1?x=y", True),
        ("https://h/fhirx", False),
        ("https://h/", False),
        ("http://h/fhir", False),
        ("https://h:8443/fhir", False),
        ("https://h.example/fhir", False),
        ("https://h/fhir/%2e%2e/x", False),
        ("https://other@h/fhir", False),
    ],
)
async def test_credentials_stay_inside_the_base_address(url, sent):
    seen = []

    def handle(request):
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200)

    auth = ScopedAuth(auth_from(Credentials("bearer", token="t")), Scope("https://h/fhir/"))
    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        await http.get(url, auth=auth)
    assert (seen[0] == "Bearer t") is sent


class RefreshingAuth(httpx.Auth):
    """A kind with a conversation: asks for a new token after a 401."""

    def auth_flow(self, request):
        request.headers["Authorization"] = "Bearer old"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = "Bearer new"
            yield request


async def test_a_kind_may_converse_with_the_server():
    def handle(request):
        return fhir(PATIENT) if request.headers["authorization"] == "Bearer new" else Answer(401)

    async with ScriptedServer(handle) as server, client_for(server, auth=RefreshingAuth()) as client:
        assert await client.read("Patient/1") == PATIENT
        assert len(server.requests) == 2
