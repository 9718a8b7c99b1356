import httpx
import pytest

from fhir_adapter.errors import NotFhirError
from fhir_adapter.rest.capability import parse_capability
from fhir_adapter.rest.client import FhirClient


def test_what_a_server_declares():
    found = parse_capability(
        {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "software": {"name": "HAPI FHIR Server", "version": "8.8.0"},
            "rest": [
                {"mode": "client"},
                {
                    "mode": "server",
                    "interaction": [{"code": "transaction"}, {"code": "history-system"}],
                    "searchParam": [{"name": "_id"}],
                    "resource": [
                        {
                            "type": "Composition",
                            "updateCreate": True,
                            "conditionalUpdate": True,
                            "searchParam": [{"name": "_lastUpdated"}, {"name": "date"}],
                        }
                    ],
                },
            ],
        }
    )
    assert (found.fhir_version, found.software, found.software_version) == (
        "4.0.1",
        "HAPI FHIR Server",
        "8.8.0",
    )
    assert found.transaction
    assert found.update_create("Composition")
    assert found.conditional_update("Composition")
    assert found.search_params("Composition") == {"_id", "_lastUpdated", "date"}
    assert found.supports("Composition")
    assert not found.supports("Patient")
    assert not found.update_create("Patient")
    assert found.search_params("Patient") == frozenset()


@pytest.mark.parametrize(
    "rest",
    [
        None,
        {},
        [],
        "odd",
        [None],
        [{"resource": "odd"}],
        [{"resource": [3, {"type": 4}, {"updateCreate": True}]}],
        [
            {
                "mode": "server",
                "interaction": 3,
                "searchParam": {"name": "x"},
                "resource": [{"type": "A", "searchParam": [1]}],
            }
        ],
    ],
)
def test_odd_statements_declare_nothing(rest):
    found = parse_capability({"resourceType": "CapabilityStatement", "software": "odd", "rest": rest})
    assert not found.transaction
    assert not found.update_create("A")
    assert found.search_params("A") == frozenset()


@pytest.mark.parametrize(
    "statement",
    [
        {"resourceType": "Patient"},
        {"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"},
        {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"},
        {"resourceType": "Conformance", "fhirVersion": "1.0.2"},
    ],
)
def test_another_thing_or_version_is_refused(statement):
    with pytest.raises(NotFhirError):
        parse_capability(statement)


async def test_a_statement_that_is_xml_unless_the_address_says_json_is_had():
    """smart-on-fhir/client-js#167: `Accept` counts for nothing there."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("_format") == "json":
            return httpx.Response(200, json={"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        return httpx.Response(200, content=b"<CapabilityStatement/>", headers={"Content-Type": "text/xml"})

    async with FhirClient("http://h/fhir", transport=httpx.MockTransport(answer), retries=0) as client:
        assert (await client.capability()).fhir_version == "4.0.1"
