"""What readers say of a summary: kept on the server under their name, and never over what has changed."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from lxml import html

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject
from fhir_adapter.writing.erasure import WrittenResources, find
from jobs.runtime import make_client
from jobs.web.app import create_app
from jobs.web.service import Options
from tests.unit.jobs.web.summarised import NOTES, Summarised
from tests.unit.jobs.web.test_oidc import Provider, signed
from tests.unit.jobs.web.web_parts import MakeSettings, Served, started

NAME = "Dr. Imre Zanzibarowitz"
PAGE = {"accept": "text/html"}


async def said(
    client: httpx.AsyncClient, there: Summarised, of: str, act: str, **more: str
) -> httpx.Response:
    """Sends the form as the page of a summary has it."""
    address = f"/note/{there.compositions[of]}"
    form = html.document_fromstring((await client.get(address)).text).xpath("//section[@id='review']//form")[
        0
    ]
    fields = {one.get("name"): one.get("value") or "" for one in form.xpath(".//input")}
    return await client.post(form.get("action"), data={**fields, "act": act, **more}, headers=PAGE)


async def everything(there: Summarised, source: str) -> WrittenResources:
    """What an erasure finds."""
    async with make_client(there.settings) as client:
        return await find(client, source=source)


def told(there: Summarised) -> list[JsonObject]:
    tag = "|".join(canonical.FEEDBACK_TAG)
    found = there.get(f"Communication?_tag={tag}").get("entry", [])
    return [entry["resource"] for entry in found]


async def test_how_a_summary_served_is_kept_about_the_version_that_was_read(
    served: Served, there: Summarised, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(fhir_base_url=there.base_url) as client:
        first = await said(client, there, "first", "misleading", who=NAME)
        again = await said(client, there, "first", "useful", who=NAME)
        page = await client.get(first.headers["location"])
    composition = there.get(f"Composition/{there.compositions['first']}")
    (kept,) = told(there)
    found = await everything(there, "DocumentReference/first")
    there.delete(f"Communication/{kept['id']}")
    assert found.feedback == {f"Communication/{kept['id']}": (f"Composition/{composition['id']}",)}
    assert (first.status_code, again.status_code) == (303, 303)
    assert "Kept on the FHIR server: misleading." in page.text
    assert kept["category"][0]["coding"][0]["code"] == "useful"  # who thinks again changes what they said
    version = composition["meta"]["versionId"]
    (about,) = kept["about"]
    assert about["reference"] == f"Composition/{composition['id']}"
    assert about["identifier"]["value"] == f"Composition/{composition['id']}/_history/{version}"
    assert kept["sender"] == {"display": NAME}
    assert kept["recipient"] == composition["author"]
    assert kept["subject"] == composition["subject"]
    assert "payload" not in kept
    assert "note" not in kept
    output = capsys.readouterr()
    for word in ("Zanzibarowitz", "Pneumonia", composition["id"]):
        assert word not in output.out + output.err
        assert word not in first.headers["location"].replace(composition["id"], "")


async def test_an_attested_summary_is_the_persons_and_still_holds(served: Served, there: Summarised) -> None:
    reference = f"Composition/{there.compositions['later']}"
    with there.altered(reference) as before:
        async with served(fhir_base_url=there.base_url) as client:
            answer = await said(client, there, "later", "attest", who=NAME)
            page = html.document_fromstring((await client.get(answer.headers["location"])).text)
        after = there.get(reference)
    assert after["status"] == "final"
    assert after["attester"][0]["party"] == {"display": NAME}
    assert after["attester"][0]["mode"] == "professional"
    same = {name: value for name, value in after.items() if name not in ("meta", "status", "attester")}
    assert same == {name: value for name, value in before.items() if name not in ("meta", "status")}
    strip = page.xpath("string(//section[@class='strip holds'])")
    assert f"attested by {NAME}" in strip
    assert "not reviewed" not in strip
    assert "This summary holds" in page.text_content()


async def test_what_changed_meanwhile_and_what_ended_is_not_attested(
    served: Served, there: Summarised
) -> None:
    reference = f"Composition/{there.compositions['undated']}"
    async with served(fhir_base_url=there.base_url) as client:
        stale = await said(client, there, "undated", "attest", who=NAME, version="0")
        gone = await said(client, there, "undated", "useful", who=NAME, version="0")
        nameless = await said(client, there, "undated", "attest", who="  ")
        odd = await said(client, there, "undated", "approve", who=NAME)
        with there.altered(reference) as composition:
            mark = {"url": canonical.ENDED_BECAUSE, "valueCode": "source-withdrawn"}
            extension = [*composition["extension"], mark]
            there.put({**composition, "status": "entered-in-error", "extension": extension})
            page = html.document_fromstring((await client.get(f"/note/{composition['id']}")).text)
            ended = await said(client, there, "undated", "attest", who=NAME)
    assert [one.status_code for one in (stale, gone, nameless, odd, ended)] == [409, 409, 422, 422, 409]
    assert page.xpath("//button[@value='attest']") == []
    assert page.xpath("//button[@value='misleading']")
    assert "attester" not in there.get(reference)
    assert told(there) == []


@asynccontextmanager
async def signed_in(
    make_settings: MakeSettings, there: Summarised, scope: str, **settings: str
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(make_settings(fhir_base_url=there.base_url, **settings), Options(), Provider().access())
    async with started(app) as client:
        client.headers["authorization"] = f"Bearer {signed(scope=scope, name=NAME)}"
        yield client


async def test_who_is_signed_in_is_named_by_their_token(
    make_settings: MakeSettings, there: Summarised
) -> None:
    async with signed_in(make_settings, there, "read review") as client:
        answer = await said(client, there, "first", "useful", who="Somebody else")
    (kept,) = told(there)
    there.delete(f"Communication/{kept['id']}")
    assert answer.status_code == 303
    assert kept["sender"] == {"display": NAME}


async def test_who_may_only_read_says_nothing(make_settings: MakeSettings, there: Summarised) -> None:
    async with signed_in(make_settings, there, "read") as client:
        address = f"/note/{there.compositions['first']}"
        page = html.document_fromstring((await client.get(address)).text)
        answer = await client.post(f"{address}/review", data={"act": "useful", "version": "1", "who": NAME})
    assert page.xpath("//section[@id='review']") == []
    assert answer.status_code == 403
    assert told(there) == []


async def test_audit_events_name_who_read_and_never_whom_they_looked_for(
    make_settings: MakeSettings, there: Summarised
) -> None:
    async with signed_in(make_settings, there, "read", audit_events="true") as client:
        await client.get("/patient/one")
        await client.post("/patient", data={"who": "Quennell"})
    events = [entry["resource"] for entry in there.get("AuditEvent?_count=200")["entry"]]
    read = [event for event in events if event["subtype"][0]["code"] == "read"]
    assert read
    for event in events:
        person = [agent for agent in event["agent"] if agent.get("name") == NAME]
        assert [agent["requestor"] for agent in person] == [True]
        assert sum(agent["requestor"] for agent in event["agent"]) == 1
    queries = [base64.b64decode(q).decode() for e in events for q in _queries(e)]
    assert any(query.startswith("Patient?name=") for query in queries)
    assert all("Quennell" not in query for query in queries)
    assert NOTES["first"][1][0] not in str(events)


def _queries(event: dict[str, Any]) -> list[str]:
    return [entity["query"] for entity in event["entity"] if "query" in entity]
