"""SMART App Launch: out of a record to its patient's page, also where the record's server answers wrongly."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from jobs.logs import configure_logging
from jobs.web.app import create_app
from jobs.web.guard.access import check_exposure
from jobs.web.views.pages import SESSION_COOKIE
from tests.unit.jobs.web.record_server import CLIENT, OTHER_KEY, Record, recording
from tests.unit.jobs.web.summarised import Summarised
from tests.unit.jobs.web.test_review import said, told
from tests.unit.jobs.web.web_parts import MakeSettings, started

NAME = "Imre Zanzibarowitz"
PAGE = {"accept": "text/html"}


@pytest.fixture
def record(there: Summarised) -> Iterator[Record]:
    there.put({"resourceType": "Practitioner", "id": "ward", "name": [{"text": NAME}]})
    with recording(there.base_url) as found:
        yield found


@asynccontextmanager
async def app_of(
    make_settings: MakeSettings, there: Summarised, record: Record, **given: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a service that this record may launch."""
    settings = {"smart_client_id": CLIENT, "smart_servers": record.base_url, **given}
    async with started(create_app(make_settings(fhir_base_url=there.base_url, **settings))) as client:
        client.headers.update(PAGE)
        yield client


async def there_and_back(begun: httpx.Response) -> str:
    """The address to which the record sends the browser, which has signed in there."""
    async with httpx.AsyncClient(trust_env=False, timeout=600) as outside:
        answer = await outside.get(begun.headers["location"])
    return answer.headers["location"]


async def launched(client: httpx.AsyncClient, record: Record, launch: str = "open-1") -> httpx.Response:
    begun = await client.get("/smart/launch", params={"iss": record.base_url, "launch": launch})
    assert begun.status_code == 303, begun.text
    return await client.get(await there_and_back(begun))


async def test_a_record_opens_the_page_of_its_patient_with_the_users_token(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        landed = await launched(client, record)
        page = await client.get(landed.headers["location"])
        note = await client.get(f"/note/{there.compositions['first']}")
        home, tab = await client.get("/"), await client.get("/patient")
    (asked,) = record.asked
    (form,) = record.forms
    assert landed.headers["location"] == "/patient/one"
    assert (page.status_code, note.status_code) == (200, 200)
    assert "Needs two liters of oxygen" in page.text
    assert 'href="/notes"' not in page.text
    assert (home.headers["location"], tab.headers["location"]) == ("/patient/one", "/patient/one")
    assert asked["aud"] == record.base_url
    assert asked["launch"] == "open-1"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://localhost/smart/callback"
    assert set(asked["scope"].split()) == {"launch", "openid", "fhirUser", "patient/*.rs", "online_access"}
    assert form["grant_type"] == "authorization_code"
    assert {path.split("/")[2] for _, path in record.used} >= {"Composition", "DocumentReference", "Patient"}


async def test_a_person_may_begin_here_and_choose_the_patient_there(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    record.configuration = {"capabilities": ["launch-standalone", "permission-v1"]}
    async with app_of(make_settings, there, record) as client:
        refused = await client.get("/patient/one")
        door = await client.get(refused.headers["location"])
        landed = await client.get(await there_and_back(await client.get("/smart/standalone")))
        page = await client.get(landed.headers["location"])
    assert "/smart/standalone" in door.text
    assert 'name="token"' not in door.text
    assert page.status_code == 200
    assert set(record.asked[0]["scope"].split()) == {"launch/patient", "openid", "fhirUser", "patient/*.read"}
    assert "launch" not in record.asked[0]


async def test_a_session_out_of_a_record_sees_its_patient_and_nobody_else(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        await launched(client, record)
        with there.altered("Encounter/stay") as stay:
            there.put({**stay, "subject": {"reference": "Patient/one"}})
            own = [await client.get(path) for path in ("/patient/one", "/patient/Encounter/stay")]
        others = [
            await client.get(path)
            for path in (
                "/patient/two",
                "/patient/Encounter/stay",  # which now names nobody
                f"/note/{there.compositions['other']}",
                "/notes",
                "/audit",
                "/v1/compositions",
                "/v1/notes",
                "/v1/changes",
                f"/v1/compositions/{there.compositions['first']}",
                f"/v1/compositions/{there.compositions['first']}/audit",
            )
        ]
        searched = await client.post("/patient", data={"who": "two"})
        hook = await client.post("/cds-services/clinsum-patient-view", json={})
        composition = there.compositions["other"]
        feedback = await client.post(
            f"/note/{composition}/review", data={"act": "useful", "version": "1", "who": NAME}
        )
        with there.altered(f"Composition/{composition}") as filed_wrong:
            there.put({**filed_wrong, "subject": {"reference": "Patient/one"}})
            hidden = await client.get(f"/note/{composition}")
    assert [one.status_code for one in own] == [200, 200]
    assert {one.status_code for one in [*others, searched, hook, feedback, hidden]} == {403}
    assert not any("Walks well" in one.text for one in [*own, *others, hidden])
    assert told(there) == []


async def test_who_was_merged_into_the_patient_is_the_patient(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    with there.altered("Patient/two") as two, there.altered("Patient/one") as one:
        there.put({**two, "link": [{"other": {"reference": "Patient/one"}, "type": "replaced-by"}]})
        there.put({**one, "link": [{"other": {"reference": "Patient/two"}, "type": "replaces"}]})
        async with app_of(make_settings, there, record) as client:
            await launched(client, record)
            note = await client.get(f"/note/{there.compositions['other']}")
            page = await client.get("/patient/two")
    assert (note.status_code, page.status_code) == (200, 200)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("another state", {"back": {"state": "not-begun-here"}}),
    ("no state", {"back": {"state": None}}),
    ("the answer of another server", {"back": {"iss": "https://elsewhere.example.org"}}),
    ("a refusal", {"back": {"error": "access_denied"}}),
    ("no code", {"back": {"code": None}}),
    ("a code that was never given", {"back": {"code": "guessed"}}),
    ("no patient", {"answer": {"patient": None}}),
    ("a patient that is no id", {"answer": {"patient": "../Patient?name=x"}}),
    ("no id_token", {"answer": {"id_token": None}}),
    ("a token of another kind", {"answer": {"token_type": "mac"}}),
    ("another nonce", {"claims": {"nonce": "of-another-sign-in"}}),
    ("no nonce", {"claims": {"nonce": None}}),
    ("another audience", {"claims": {"aud": "another-app"}}),
    ("given for another app", {"claims": {"aud": [CLIENT, "another-app"], "azp": "another-app"}}),
    ("another issuer", {"claims": {"iss": "https://elsewhere.example.org"}}),
    ("an id_token of yesterday", {"claims": {"exp": 1}}),
    ("no signature", {"algorithm": "none"}),
    ("a signature with the public key as secret", {"algorithm": "HS256", "key": "x" * 32}),
    ("a signature of somebody else", {"key": OTHER_KEY}),
]


@pytest.mark.parametrize(("what", "wrong"), WRONG, ids=[what for what, _ in WRONG])
async def test_an_answer_that_is_wrong_signs_nobody_in(
    make_settings: MakeSettings, there: Summarised, record: Record, what: str, wrong: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(record, name, value)
    async with app_of(make_settings, there, record) as client:
        answer = await launched(client, record)
        assert SESSION_COOKIE not in client.cookies
        page = await client.get("/patient/one")
    assert answer.status_code == 403, what
    assert page.headers["location"] == "/login?to=/patient/one"
    assert record.used == []


@pytest.mark.parametrize(
    "offered",
    [
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "file:///etc/passwd"},
        {"issuer": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
async def test_a_server_that_cannot_be_trusted_with_a_sign_in_is_not_gone_to(
    make_settings: MakeSettings, there: Summarised, record: Record, offered: dict[str, Any]
) -> None:
    record.configuration = offered
    async with app_of(make_settings, there, record) as client:
        answer = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
    assert answer.status_code == 403
    assert "location" not in answer.headers


async def test_only_servers_that_are_listed_launch(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        other = await client.get("/smart/launch", params={"iss": there.base_url, "launch": "open-1"})
        unnamed = await client.get("/smart/launch", params={"iss": "", "launch": "open-1"})
        standalone = await client.get("/smart/standalone", params={"iss": "https://elsewhere.example.org"})
    async with app_of(make_settings, there, record, smart_servers="") as client:
        default = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
    async with app_of(make_settings, there, record, smart_client_id="") as client:
        off = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
        door = await client.get("/smart/callback?state=a&code=b")
    assert [one.status_code for one in (other, standalone, default)] == [403, 403, 403]
    assert unnamed.status_code == 422
    assert (off.status_code, door.status_code) == (404, 404)
    assert record.asked == []


async def test_an_answer_counts_once_and_for_the_browser_that_began(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        begin = {"iss": record.base_url, "launch": "open-1"}
        back = await there_and_back(await client.get("/smart/launch", params=begin))
        first = await client.get(back)
        again = await client.get(back)
        stolen = await there_and_back(await client.get("/smart/launch", params=begin))
        client.cookies.clear()
        elsewhere = await client.get(stolen)
        one, other = [await client.get("/smart/launch", params=begin) for _ in range(2)]
        both = [await client.get(await there_and_back(begun)) for begun in (other, one)]
    assert (first.status_code, again.status_code, elsewhere.status_code) == (303, 403, 403)
    assert [answer.status_code for answer in both] == [303, 303]


async def test_the_token_is_in_no_cookie_address_page_or_log(
    make_settings: MakeSettings, there: Summarised, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("json", "debug")
    async with app_of(make_settings, there, record) as client:
        landed = await launched(client, record)
        page = await client.get("/patient/one")
        record.claims = {"nonce": "of-another-sign-in"}
        await launched(client, record)
        cookies = str([(one.name, one.value) for one in client.cookies.jar])
    output = capsys.readouterr()
    everywhere = cookies + landed.text + str(landed.headers) + page.text + output.out + output.err
    assert len(record.given) == 4
    for secret in record.given:
        assert secret not in everywhere
    assert "HttpOnly" in landed.headers["set-cookie"]
    assert "SameSite=lax" in landed.headers["set-cookie"]
    for word in (NAME, "Patient/one", "u-7", record.forms[0]["code"], record.asked[0]["state"]):
        assert word not in output.out + output.err


async def test_who_signed_in_is_named_in_what_they_say_and_in_audit_events(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record, audit_events="true") as client:
        await launched(client, record)
        answer = await said(client, there, "first", "useful", who="Somebody else")
    (kept,) = told(there)
    there.delete(f"Communication/{kept['id']}")
    events = [one["resource"] for one in there.get("AuditEvent?_count=500")["entry"]]
    people = {agent.get("name") for event in events for agent in event["agent"]} - {None}
    assert answer.status_code == 303
    assert kept["sender"] == {"display": NAME}
    assert people == {NAME}


async def test_who_is_no_clinician_reads_and_attests_nothing(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    record.user = "Patient/one"
    async with app_of(make_settings, there, record) as client:
        await launched(client, record)
        page = await client.get(f"/note/{there.compositions['first']}")
        data = {"act": "attest", "version": "1", "who": NAME}
        answer = await client.post(f"/note/{there.compositions['first']}/review", data=data)
    assert page.status_code == 200
    assert 'value="attest"' not in page.text
    assert answer.status_code == 403
    assert told(there) == []


async def test_a_token_is_renewed_and_the_session_ends_with_the_last(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        await launched(client, record)
        record.tokens.clear()  # the server lets none of them in any more
        renewed = await client.get("/patient/one")
        used = {token for token, _ in record.used}
        record.tokens.clear()
        record.refreshes = False
        ended = await client.get("/patient/one")
        after = await client.get("/patient/one")
    assert renewed.status_code == 200
    assert len(used) == 2
    assert record.forms[1]["grant_type"] == "refresh_token"
    assert [one.headers.get("location") for one in (ended, after)] == ["/login?to=/patient/one"] * 2
    assert len(record.forms) == 3  # who is signed out asks for nothing more


async def test_signing_out_ends_session_and_tokens(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        await launched(client, record)
        cookie = client.cookies[SESSION_COOKIE]
        await client.post("/logout")
        client.cookies.set(SESSION_COOKIE, cookie)
        copied = await client.get("/patient/one")
    assert record.tokens == set()
    assert copied.headers["location"] == "/login?to=/patient/one"


async def test_a_session_that_is_over_is_nobodys_even_where_all_may_read(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record, smart_client_id="") as client:
        assert (await client.get("/patient/one")).status_code == 200
        client.cookies.set(SESSION_COOKIE, "held.and-over")
        assert (await client.get("/patient/one")).status_code == 401


async def test_a_page_of_another_site_says_nothing_in_their_name(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        await launched(client, record)
        data = {"act": "useful", "version": "1"}
        address = f"/note/{there.compositions['first']}/review"
        answer = await client.post(address, data=data, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert told(there) == []


async def test_a_secret_of_the_app_is_shown_to_the_server_alone(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    secret = "canary-of-the-app-9921"
    async with app_of(make_settings, there, record, smart_client_secret=secret) as client:
        begun = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
    asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    assert asked["client_id"] == CLIENT
    assert secret not in begun.headers["location"]


def test_a_service_that_records_launch_asks_who_comes(make_settings: MakeSettings) -> None:
    from jobs.web.guard.access import access_from

    settings = make_settings(smart_client_id=CLIENT, serve_proxy="10.0.0.1")
    check_exposure("0.0.0.0", settings, access_from(settings))
    assert access_from(settings).default is None
