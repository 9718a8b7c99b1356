"""Requests to a FHIR server: what is tried again, what is refused, what is read of an answer."""

import asyncio
import json
import logging

import httpx
import pytest

from fhir_adapter.errors import (
    ConflictError,
    GoneError,
    HttpStatusError,
    NotFhirError,
    NotFoundError,
    RefusedError,
    ResponseTooLargeError,
    ServerTimeoutError,
    ServerUnreachableError,
)
from fhir_adapter.rest.client import FhirClient
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    Naps,
    ScriptedServer,
    bundle,
    capability,
    client_for,
    fhir,
    outcome,
)

PATIENT = {"resourceType": "Patient", "id": "1"}
EMPTY_TRANSACTION = {"resourceType": "Bundle", "type": "transaction", "entry": []}
DONE = fhir({"resourceType": "Bundle", "type": "transaction-response"})


@pytest.mark.parametrize(
    "fault", [Answer(429), Answer(502), Answer(503), Answer(504), Answer(500), Answer(drop=True)]
)
async def test_a_passing_fault_is_retried(fault):
    async with ScriptedServer([fault, fhir(PATIENT)]) as server, client_for(server) as client:
        assert await client.read("Patient/1") == PATIENT
        assert len(server.requests) == 2


async def test_a_body_cut_short_is_retried():
    short = Answer(200, fhir(PATIENT).body, cut=True)
    async with ScriptedServer([short, fhir(PATIENT)]) as server, client_for(server) as client:
        assert await client.read("Patient/1") == PATIENT


async def test_waits_grow_and_end_after_the_configured_retries():
    naps = Naps()
    async with ScriptedServer([Answer(503)]) as server, client_for(server, retries=4, sleep=naps) as client:
        with pytest.raises(HttpStatusError) as caught:
            await client.read("Patient/1")
    assert caught.value.status == 503
    assert len(naps.taken) == 4
    bounds = [0.5, 1.0, 2.0, 4.0]
    assert all(bound / 2 <= nap <= bound for nap, bound in zip(naps.taken, bounds, strict=True))


@pytest.mark.parametrize("status", [400, 404, 410, 401, 403, 405, 422])
async def test_other_errors_are_not_retried(status):
    async with ScriptedServer([Answer(status)]) as server, client_for(server) as client:
        with pytest.raises(HttpStatusError):
            await client.read("Patient/1")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, RefusedError), (403, RefusedError), (404, NotFoundError), (410, GoneError), (412, ConflictError)],
)
async def test_an_operation_outcome_gives_codes_and_never_its_text(status, kind):
    answer = outcome(status, "processing", "HAPI-0989: Patient Smith, born 1950-01-01, is not known")
    async with ScriptedServer([answer]) as server, client_for(server) as client:
        with pytest.raises(kind) as caught:
            await client.read("Patient/1")
    assert caught.value.codes == ("processing", "HAPI-0989")
    assert "Smith" not in str(caught.value)
    assert "1950" not in str(caught.value)


async def test_a_transaction_is_retried_after_conflicts_and_lost_answers():
    script = [outcome(409, "conflict", "HAPI-0823: x"), Answer(drop=True), Answer(500), DONE]
    async with ScriptedServer(script) as server, client_for(server) as client:
        assert (await client.transaction(EMPTY_TRANSACTION))["type"] == "transaction-response"
        sent = server.requests
    assert [r.method for r in sent] == ["POST"] * 4
    assert {r.path for r in sent} == {"/fhir"}
    assert sent[0].headers["content-type"] == "application/fhir+json"
    assert json.loads(sent[-1].body) == EMPTY_TRANSACTION


async def test_a_transaction_that_keeps_conflicting_ends():
    async with ScriptedServer([outcome(409, "conflict")]) as server, client_for(server, retries=3) as client:
        with pytest.raises(ConflictError):
            await client.transaction(EMPTY_TRANSACTION)
        assert len(server.requests) == 4


async def test_an_operation_is_not_repeated_when_in_doubt():
    async with ScriptedServer([Answer(drop=True)]) as server, client_for(server) as client:
        with pytest.raises(ServerUnreachableError):
            await client.operation("Composition/$validate", {"resourceType": "Composition"})
        assert len(server.requests) == 1


async def test_a_lone_surrogate_survives_both_ways():
    text = "a\ud800b\x00c"
    body = b'{"resourceType":"Basic","id":"1","x":"a\\ud800b\x00c"}'
    async with ScriptedServer([Answer(200, body)]) as server, client_for(server) as client:
        assert (await client.read("Basic/1"))["x"] == text
        await client.update({"resourceType": "Basic", "id": "1", "x": text})
        assert json.loads(server.requests[-1].body)["x"] == text


async def test_a_read_sends_no_content_type():
    async with ScriptedServer([fhir(PATIENT)]) as server, client_for(server) as client:
        await client.read("Patient/1", version="3")
    (request,) = server.requests
    assert request.path == "/fhir/Patient/1/_history/3"
    assert request.headers["accept"] == "application/fhir+json"
    assert "content-type" not in request.headers


async def test_a_connection_is_kept_alive():
    async with ScriptedServer([fhir(PATIENT)]) as server, client_for(server) as client:
        for _ in range(3):
            await client.read("Patient/1")
        assert len(server._writers) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"[]",
        b"{}",
        b"",
        b'{"resourceType": 3}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
async def test_an_answer_that_is_not_fhir(body):
    async with ScriptedServer([Answer(200, body)]) as server, client_for(server) as client:
        with pytest.raises(NotFhirError):
            await client.read("Patient/1")


async def test_a_response_over_the_limit_is_not_read():
    big = fhir({"resourceType": "Basic", "x": "a" * 5000})
    async with ScriptedServer([big]) as server, client_for(server, max_response_bytes=1000) as client:
        with pytest.raises(ResponseTooLargeError) as caught:
            await client.read("Basic/1")
    assert caught.value.limit == 1000


async def test_an_unreachable_server_and_a_silent_one():
    async with ScriptedServer([Answer(hang=True)]) as server:
        async with client_for(server, timeout=1, retries=1) as client:
            with pytest.raises(ServerTimeoutError):
                await client.read("Patient/1")
        assert len(server.requests) == 2
        nowhere = server.base_url
    async with FhirClient(nowhere, retries=1, sleep=Naps()) as client:
        with pytest.raises(ServerUnreachableError, match="cannot be connected to"):
            await client.capability()


async def test_an_answer_that_never_ends_has_a_time_for_all_of_it():
    drip = Answer(drip=True, headers={"Content-Type": "application/fhir+json"})
    async with ScriptedServer([drip]) as server, client_for(server, timeout=1, retries=0) as client:
        with pytest.raises(ServerTimeoutError):
            await client.read("Patient/1")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "empty"),
        ("localhost:8080/fhir", "http://"),
        ("ftp://h/fhir", "http://"),
        ("http://", "host"),
        ("http://user:pw@h/fhir", "password"),
        ("http://h/fhir?x=1", "query"),
        ("http://h:99999/fhir", "port"),
        ("http://h/a/%2e%2e/b", "dot"),
        ("http://h\n/fhir", "valid"),
    ],
)
def test_a_bad_base_address_is_refused_in_one_sentence(url, says):
    with pytest.raises(ValueError, match=says) as caught:
        FhirClient(url)
    assert "\n" not in str(caught.value)
    assert "pw" not in str(caught.value)


async def test_next_links_are_followed_as_given():
    def handle(request):
        if ("_getpages", "abc") in request.params:
            return bundle({"resourceType": "Basic", "id": "2"})
        return bundle({"resourceType": "Basic", "id": "1"}, next_url=f"{server.base_url}?_getpages=abc")

    async with ScriptedServer(handle) as server, client_for(server, base_url=server.base_url + "/") as client:
        pages = [page async for page in client.search("Basic", [("code", "a+b c&d"), ("code", "x")])]
    assert [r["id"] for page in pages for r in page.resources] == ["1", "2"]
    assert [page.is_last for page in pages] == [False, True]
    assert server.requests[0].params == [("code", "a+b c&d"), ("code", "x")]
    assert all(r.headers["cache-control"] == "no-cache" for r in server.requests)


async def test_next_links_in_a_circle_end():
    def handle(request):
        return bundle(PATIENT, next_url=f"{server.base_url}?_getpages={1 - len(server.requests) % 2}")

    async with ScriptedServer(handle) as server, client_for(server) as client:
        with pytest.raises(NotFhirError, match=r"again and again|circle"):
            [page async for page in client.search("Patient", [])]


async def test_pages_that_come_again_in_another_order_end():
    def handle(request):
        number = len(server.requests)
        patients = [{**PATIENT, "id": str((number + place) % 7)} for place in range(7)]
        return bundle(*patients, next_url=f"{server.base_url}?token={number}")

    async with ScriptedServer(handle) as server, client_for(server) as client:
        with pytest.raises(NotFhirError, match="again and again"):
            [page async for page in client.search("Patient", [])]


async def test_pages_with_nothing_new_in_them_end():
    def handle(request):
        number = len(server.requests)
        chosen = [0, *(place + 1 for place in range(12) if number >> place & 1)]
        patients = [{**PATIENT, "id": str(place)} for place in chosen]
        return bundle(*patients, next_url=f"{server.base_url}?token={number}")

    async with ScriptedServer(handle) as server, client_for(server) as client:
        with pytest.raises(NotFhirError, match="never end"):
            [page async for page in client.search("Patient", [])]
    assert len(server.requests) < 400


@pytest.mark.parametrize("relation", ["Next", " next "])
async def test_a_next_link_is_known_in_any_spelling(relation):
    def handle(request):
        if "_getpages" in dict(request.params):
            return bundle({**PATIENT, "id": "2"})
        link = {"relation": relation, "url": f"{server.base_url}?_getpages=1"}
        entry = [{"resource": PATIENT}]
        return fhir({"resourceType": "Bundle", "total": "2", "link": [link], "entry": entry})

    async with ScriptedServer(handle) as server, client_for(server) as client:
        pages = [page async for page in client.search("Patient", [])]
    assert [page.total for page in pages] == [2, None]


async def test_an_entry_whose_resource_does_not_say_which_it_is_goes_by_its_address():
    def handle(request):
        nameless = [{"status": "current"}, {"resourceType": "Patient"}, {}]
        entry = [
            {"fullUrl": f"{server.base_url}/Patient/{n}/_history/1", "resource": r}
            for n, r in enumerate(nameless)
        ]
        return fhir({"resourceType": "Bundle", "entry": entry})

    async with ScriptedServer(handle) as server, client_for(server) as client:
        (page,) = [page async for page in client.search("Patient", [])]
    assert (page.resources, page.unusable) == ((), ("Patient/0", "Patient/1", "Patient/2"))


async def test_includes_and_outcomes_are_no_matches_and_odd_entries_are_counted():
    entries = [
        {"resource": PATIENT, "search": {"mode": "match"}},
        {"resource": {"resourceType": "Organization", "id": "o"}, "search": {"mode": "include"}},
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"code": "not-supported"}]}},
        {"resource": {"resourceType": "Patient", "id": "2"}, "search": "odd"},
        {"fullUrl": "x"},
        "odd",
        {"resource": [1]},
    ]
    answer = fhir({"resourceType": "Bundle", "entry": entries, "link": {"relation": "next"}})
    async with ScriptedServer([answer]) as server, client_for(server) as client:
        (page,) = [page async for page in client.search("Patient", [])]
    assert [r["id"] for r in page.resources] == ["1", "2"]
    assert page.unusable == ("", "", "")
    assert page.outcome == ("not-supported",)
    assert page.is_last


@pytest.mark.parametrize("search", [None, {}, {"score": 0.5}, {"mode": "match"}])
async def test_only_what_is_of_the_type_asked_for_is_a_match(search):
    other = {"resourceType": "Organization", "id": "o"}
    resources = [PATIENT, other, {"resourceType": "Patient"}, {"resourceType": "Bundle"}, {"id": "5"}]
    entries = [{"resource": r, **({"search": search} if search is not None else {})} for r in resources]

    def handle(request):
        nothing = [{"fullUrl": f"{server.base_url}/{name}"} for name in ("Organization/7", "Patient/8")]
        return fhir({"resourceType": "Bundle", "entry": entries + nothing})

    async with ScriptedServer(handle) as server, client_for(server) as client:
        (page,) = [page async for page in client.search("Patient", [])]
    assert page.resources == (PATIENT, resources[2], resources[4])
    assert (page.unusable, page.beside) == (("Patient/8",), 3)


async def test_capability_is_asked_once_even_by_many():
    async with ScriptedServer([capability("_lastUpdated")]) as server, client_for(server) as client:
        found = await asyncio.gather(*(client.capability() for _ in range(5)))
        assert len(server.requests) == 1
    assert "_lastUpdated" in found[0].search_params("DocumentReference")


async def test_cookies_are_not_kept():
    answer = fhir(PATIENT, Set_Cookie="session=1; Path=/")
    async with ScriptedServer([answer]) as server, client_for(server) as client:
        await client.read("Patient/1")
        await client.read("Patient/1")
        assert "cookie" not in server.requests[1].headers


async def test_log_lines_hold_no_query(caplog):
    caplog.set_level(logging.DEBUG, logger="fhir_adapter")
    async with ScriptedServer([Answer(503), bundle()]) as server, client_for(server) as client:
        [page async for page in client.search("DocumentReference", [("patient", "secret-42")])]
    assert "search of DocumentReference: HTTP 503" in caplog.text
    assert "secret-42" not in "".join(
        r.getMessage() for r in caplog.records if r.name.startswith("fhir_adapter")
    )


async def test_an_untrusted_certificate_is_not_retried():
    import ssl

    naps = Naps()

    def refuse(request):
        try:
            raise ssl.SSLCertVerificationError("certificate verify failed")
        except ssl.SSLError as error:
            raise httpx.ConnectError("tls") from error

    client = FhirClient("https://h/fhir", transport=httpx.MockTransport(refuse), sleep=naps)
    async with client:
        with pytest.raises(ServerUnreachableError, match="certificate"):
            await client.capability()
    assert naps.taken == []


async def test_deletes_and_updates():
    script = [Answer(204), fhir({"resourceType": "Basic", "id": "b"}), Answer(200)]
    async with ScriptedServer(script) as server, client_for(server) as client:
        await client.delete("Basic/a")
        assert (await client.update({"resourceType": "Basic", "id": "b"}, if_match="4"))["id"] == "b"
        assert await client.update({"resourceType": "Basic", "id": "c"}) == {}
    assert [(r.method, r.path) for r in server.requests] == [
        ("DELETE", "/fhir/Basic/a"),
        ("PUT", "/fhir/Basic/b"),
        ("PUT", "/fhir/Basic/c"),
    ]
    assert server.requests[1].headers["if-match"] == 'W/"4"'
