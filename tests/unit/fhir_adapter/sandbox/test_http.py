"""Binary, formats, metadata and errors."""

import httpx
import pytest

from tests.unit.fhir_adapter.sandbox.builders import Serve, diagnostics, patient, put

FHIR_JSON = "application/fhir+json"
BYTES = bytes(range(256))


def test_raw_bytes_go_in_and_come_out(server: httpx.Client) -> None:
    created = server.post(
        "Binary", content=BYTES, headers={"Content-Type": "text/plain; charset=windows-1252"}
    )
    assert created.status_code == 201
    assert created.json()["contentType"] == "text/plain; charset=windows-1252"
    raw = server.get(created.headers["location"])
    assert raw.content == BYTES
    assert raw.headers["content-type"] == "text/plain; charset=windows-1252"
    assert raw.headers["content-disposition"] == "attachment"
    assert raw.headers["etag"] == 'W/"1"'


def test_raw_update_and_default_type(server: httpx.Client) -> None:
    assert server.put("Binary/raw", content=BYTES).status_code == 201
    assert server.get("Binary/raw").headers["content-type"] == "application/octet-stream"
    same = server.put("Binary/raw", content=BYTES)
    assert (same.status_code, same.json()["meta"]["versionId"]) == (200, "1")


def test_a_binary_resource_goes_in(server: httpx.Client) -> None:
    resource = {"resourceType": "Binary", "id": "res", "contentType": "text/html", "data": "PGI+\n aGk8L2I+"}
    answer = server.put("Binary/res", json=resource, headers={"Content-Type": FHIR_JSON})
    assert answer.json()["data"] == resource["data"]
    assert server.get("Binary/res").content == b"<b>hi</b>"


@pytest.mark.parametrize(
    ("headers", "query", "raw"),
    [
        ({}, "", True),
        ({"Accept": "*/*"}, "", True),
        ({"Accept": "application/json"}, "", True),
        ({"Accept": "text/plain, application/fhir+json;q=0.5"}, "", True),
        ({"Accept": FHIR_JSON}, "", False),
        ({"Accept": "application/fhir+json;q=0.9, */*;q=0.8"}, "", False),
        ({"Content-Type": FHIR_JSON}, "", False),
        ({}, "?_format=json", False),
        ({}, "?_format=application/fhir%2Bjson", False),
        ({}, "?_format=application/fhir+json", False),
    ],
)
def test_who_gets_the_bytes_and_who_the_resource(
    server: httpx.Client, headers: dict[str, str], query: str, raw: bool
) -> None:
    server.put("Binary/neg", content=b"a", headers={"Content-Type": "text/plain"})
    answer = server.get(f"Binary/neg{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/plain" if raw else FHIR_JSON)
    assert (answer.content == b"a") is raw


def test_a_binary_without_usable_data_or_type(server: httpx.Client) -> None:
    header = {"Content-Type": FHIR_JSON}
    for id_, more in (("b64", {"data": "no base64!"}), ("num", {"data": 7})):
        server.put(f"Binary/{id_}", json={"resourceType": "Binary", "id": id_, **more}, headers=header)
        assert server.get(f"Binary/{id_}").json()["data"] == more["data"]
    odd = {"resourceType": "Binary", "id": "odd-type", "contentType": "text/x\r\nEvil: 1", "data": "YQ=="}
    server.put("Binary/odd-type", json=odd, headers=header)
    answer = server.get("Binary/odd-type")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "evil" not in answer.headers
    server.put("Binary/empty", json={"resourceType": "Binary", "id": "empty"}, headers=header)
    assert server.get("Binary/empty").content == b""


def test_metadata_says_what_is_there(server: httpx.Client) -> None:
    statement = server.get("metadata").json()
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["software"]["name"]
    assert statement["software"]["version"]
    (rest,) = statement["rest"]
    assert {"transaction", "batch"} <= {one["code"] for one in rest["interaction"]}
    of_type = {one["type"]: one for one in rest["resource"]}
    document = of_type["DocumentReference"]
    assert document["updateCreate"] is True
    assert document["conditionalUpdate"] is True
    assert {"_id", "_lastUpdated", "date", "patient"} <= {one["name"] for one in document["searchParam"]}
    for parameter in document["searchParam"]:
        value = "2024" if parameter["type"] == "date" else "x"
        assert server.get(f"DocumentReference?{parameter['name']}={value}").status_code == 200
    some = server.get("metadata?_elements=fhirVersion,software").json()
    assert set(some) == {"resourceType", "fhirVersion", "software"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Bogus", 404),
        ("GET", "Bogus/1", 404),
        ("POST", "Bogus", 404),
        ("PUT", "Bogus/1", 404),
        ("PUT", "Bogus?_id=1", 404),
        ("DELETE", "Bogus/1", 404),
        ("GET", "Bogus/_history", 404),
        ("GET", "Patient/a/b/c/d", 404),
        ("GET", "Patient/$everything-at-all/x", 404),
        ("PATCH", "Patient/a", 405),
        ("DELETE", "Patient", 405),
        ("POST", "Patient/a", 405),
        ("PUT", "metadata", 404),
        ("POST", "", 400),
        ("GET", "", 400),
    ],
)
def test_errors_are_operation_outcomes(server: httpx.Client, method: str, path: str, status: int) -> None:
    answer = server.request(method, path, content="{}" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status_code == status
    assert diagnostics(answer)
    if status == 405:
        assert "GET" in answer.headers["allow"]


def test_outside_the_base(server: httpx.Client) -> None:
    root = str(server.base_url).removesuffix("fhir/")
    assert f"{root}fhir" in server.get(root).text
    assert server.get(f"{root}elsewhere").status_code == 404
    assert server.get(f"{root}fhir/metadata/?_elements=fhirVersion").status_code == 200


def test_formats(server: httpx.Client) -> None:
    put(server, patient("fmt"))
    xml = {"Content-Type": "application/fhir+xml"}
    assert server.put("Patient/fmt", content="<Patient/>", headers=xml).status_code == 415
    for accept in ("application/fhir+xml", "application/xml, text/xml"):
        assert server.get("Patient/fmt", headers={"Accept": accept}).status_code == 406
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert server.get("Patient/fmt", headers={"Accept": browser}).status_code == 200
    assert server.get("Patient/fmt?_format=xml").status_code == 406
    assert server.get("Patient/fmt?_format=application/fhir+json").status_code == 200
    assert server.get("Patient/fmt?_pretty=true").text.startswith('{\n  "resourceType": "Patient"')
    head = server.head("Patient/fmt")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == 'W/"1"'


def test_large_bodies_are_refused(serve: Serve) -> None:
    client = serve(max_body=1000)
    answer = client.put("Patient/big", content=b" " * 1001)
    assert answer.status_code == 413
    assert diagnostics(answer)
