"""Whatever JSON a server answers with, the client gives a value or an error of its own tree."""

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.errors import FhirAdapterError, NotFhirError
from fhir_adapter.reading.source import Source
from fhir_adapter.rest.capability import Capability, parse_capability
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.wire import decode_json, encode_json, outcome_codes

KEYS = st.sampled_from(
    [
        *("resourceType", "rest", "resource", "type", "mode", "code", "searchParam", "name", "interaction"),
        *(
            "software",
            "link",
            "relation",
            "url",
            "entry",
            "search",
            "issue",
            "diagnostics",
            "details",
            "text",
        ),
        *("id", "meta", "tag", "versionId", "lastUpdated", "relatesTo", "target", "status"),
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=6)
)
WORDS = st.sampled_from(
    ["next", "match", "include", "Bundle", "DocumentReference", "superseded", "server", "/x", "?a"]
)
JSON = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_capability_statement(elements):
    found = parse_capability({**elements, "resourceType": "CapabilityStatement"})
    assert isinstance(found, Capability)
    assert isinstance(found.search_params("DocumentReference"), frozenset)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_outcome_gives_short_codes(elements):
    codes = outcome_codes({**elements, "resourceType": "OperationOutcome"})
    assert len(codes) <= 8
    assert all(code.isascii() and " " not in code and len(code) <= 31 for code in codes)


@given(st.dictionaries(st.text(st.characters(codec=None), max_size=5), LEAVES, max_size=5))
def test_json_goes_out_and_comes_back(elements):
    resource = {**elements, "resourceType": "Basic"}
    assert json.dumps(decode_json(encode_json(resource), "x")) == json.dumps(resource)


@given(st.binary(max_size=200))
def test_random_bytes_are_an_error(data):
    with pytest.raises(NotFhirError, match=r"^x: "):
        decode_json(data, "x")


def beside_the_matches(entry):
    if not isinstance(entry, dict):
        return False
    search, resource = entry.get("search"), entry.get("resource")
    outcome = isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome"
    return outcome or (isinstance(search, dict) and search.get("mode") in ("include", "outcome"))


@given(st.lists(JSON, max_size=4), JSON)
def test_any_searchset_is_walked(entries, links):
    body = json.dumps({"resourceType": "Bundle", "entry": entries, "link": links}).encode()

    def answer(request):
        if request.url.path.endswith("/metadata"):
            params = [{"name": "_lastUpdated"}, {"name": "relatesto"}]
            rest = [{"resource": [{"type": "DocumentReference", "searchParam": params}]}]
            return httpx.Response(200, json={"resourceType": "CapabilityStatement", "rest": rest})
        return httpx.Response(200, content=body)

    async def walk():
        async with FhirClient("http://h/fhir", transport=httpx.MockTransport(answer), retries=0) as client:
            source = Source(client, derived_tag=("s", "c"))
            return [page async for page in source.changed_since("DocumentReference", None)]

    try:
        pages = asyncio.run(walk())
    except FhirAdapterError:
        return
    assert pages[-1].is_last
    handled = sum(len(page.notes) + page.derived + page.repeated for page in pages)
    assert handled == sum(1 for entry in entries if not beside_the_matches(entry))
