"""CDS Hooks: a card of verified sentences when a patient is opened, calls that are signed, feedback kept."""

import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from markdown_it import MarkdownIt

from jobs.ledger.cards import outcomes
from jobs.passes.outcome import Outcome
from jobs.runtime import open_ledger
from jobs.web.cds.clients import CdsClients
from jobs.web.routes.cds import SERVICE
from tests.unit.jobs.web.summarised import Summarised, note, summarised
from tests.unit.jobs.web.web_parts import Served

ISSUER = "https://ehr.example.org"
PLACE = f"http://localhost/cds-services/{SERVICE}"
TOKEN = "a-token-of-at-least-24-characters"
TODAY = datetime.now(UTC).date()
FRESH = ("Troponin *peaked* at <2.4> ng/mL.", "Apixaban 5 mg was started.", "No bleeding.", "Home on Friday.")


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def visit(ago: int, name: str = "last", status: str = "finished") -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": status,
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/one"},
        "period": {"start": f"{day(ago)}T09:00:00Z"},
    }


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Summarised]:
    """A patient whose last visit was ten days ago, with a note of two days ago."""
    import asyncio

    from jobs.schedule import one_pass

    with summarised(tmp_path_factory.mktemp("ward")) as there:
        there.put(visit(10))
        there.put(note("fresh", f"{day(2)}T10:00:00Z", FRESH, kind="Clinic note"))
        ended: list[Outcome] = []
        with open_ledger(there.settings) as ledger:
            asyncio.run(one_pass(there.settings, ledger, None, ended.append))
        there.compositions.update(
            {o.source.partition("/")[2]: o.composition for o in ended if o.status == "written"}
        )
        yield there


def given(ward: Summarised, **more: object) -> dict[str, object]:
    return {"fhir_base_url": ward.base_url, "database_url": ward.settings.database_url, **more}


def call(patient: str = "one", **more: Any) -> dict[str, Any]:
    context = {"userId": "Practitioner/p", "patientId": patient}
    return {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": context} | more


async def card_from(client: httpx.AsyncClient, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await client.post(f"/cds-services/{SERVICE}", json=body, **more)
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    found: dict[str, Any] = card
    return found


def sentences(card: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = card["extension"]["org.clinsum.sentences"]
    return found


async def test_the_card_has_at_most_three_verified_sentences_since_the_last_visit(
    served: Served, ward: Summarised
) -> None:
    async with served(**given(ward)) as client:
        (service,) = (await client.get("/cds-services")).json()["services"]
        card = await card_from(client, call())
        page = await client.get(card["links"][0]["url"])
    assert (service["hook"], service["id"]) == ("patient-view", SERVICE)
    assert card["indicator"] == "info"
    assert card["summary"] == f"3 sentences of the notes since the visit of {day(10)}"
    text = "\n".join(FRESH)
    for one in sentences(card):
        assert text[one["start"] : one["end"]] == one["text"]
        assert one["source"] == "DocumentReference/fresh"
    assert [link["url"] for link in card["links"]] == [f"http://localhost/note/{ward.compositions['fresh']}"]
    assert page.status_code == 200
    shown = re.sub("<[^>]+>", "", MarkdownIt().render(card["detail"]))
    for one in sentences(card):
        escaped = one["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert escaped in shown  # word for word, signs of Markdown and HTML too


async def test_without_a_visit_the_last_thirty_days_count_and_without_news_there_is_no_card(
    served: Served, ward: Summarised
) -> None:
    none = {"prefetch": {"visits": {"resourceType": "Bundle", "entry": []}}}
    old = {"prefetch": {"visits": {"resourceType": "Bundle", "entry": [{"resource": visit(1)}]}}}
    failed = {"prefetch": {"visits": {"resourceType": "OperationOutcome"}}}
    async with served(**given(ward)) as client:
        card = await card_from(client, call(**none))
        assert card["summary"] == f"3 sentences of the notes since {day(30)} (no visit is known)"
        since_then = await client.post(f"/cds-services/{SERVICE}", json=call(**old))
        assert since_then.json() == {"cards": []}
        assert "visit of" in (await card_from(client, call(**failed)))["summary"]
        for nobody in ("two", "nobody-at-all"):
            answer = await client.post(f"/cds-services/{SERVICE}", json=call(nobody))
            assert answer.json() == {"cards": []}


async def test_what_does_not_hold_is_not_shown(served: Served, ward: Summarised) -> None:
    reference = f"Composition/{ward.compositions['fresh']}"
    async with served(**given(ward)) as client:
        before = [one["text"] for one in sentences(await card_from(client, call()))]
        with ward.altered(reference) as changed:
            narrative = changed["section"][0]["text"]
            narrative["div"] = narrative["div"].replace("Apixaban 5 mg", "Apixaban 50 mg")
            ward.put(changed)
            answer = await client.post(f"/cds-services/{SERVICE}", json=call())
    assert FRESH[1] in before
    assert answer.status_code == 200
    assert "50 mg" not in answer.text
    assert all(one["text"] in FRESH for card in answer.json()["cards"] for one in sentences(card))


async def test_the_ehrs_own_token_is_used_and_only_for_our_server(served: Served, ward: Summarised) -> None:
    token = {
        "access_token": "some-opaque-token",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "cds-service",
    }
    async with served(**given(ward)) as client:
        with_token = call(fhirServer=f"{ward.base_url}/", fhirAuthorization=token)
        assert sentences(await card_from(client, with_token))
        other = call(fhirServer="https://other.example.org/r4", fhirAuthorization=token)
        refused = await client.post(f"/cds-services/{SERVICE}", json=other)
        wrong = call(fhirServer=ward.base_url, fhirAuthorization=token | {"patient": "two"})
        another = await client.post(f"/cds-services/{SERVICE}", json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed")
    assert another.status_code == 403
    assert "some-opaque-token" not in refused.text + another.text


async def test_a_token_that_the_server_refuses_shows_nothing(served: Served, ward: Summarised) -> None:
    """The call goes with the EHR's token, not with ours: here to a server that takes none at all."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    seen: list[str] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(403)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}/fhir"
    token = {"access_token": "users-token", "token_type": "Bearer", "expires_in": 300}
    try:
        async with served(**given(ward, fhir_base_url=base, auth="bearer", token="our-own-token")) as client:
            body = call(fhirServer=base, fhirAuthorization=token | {"scope": "user/*.read", "subject": "s"})
            answer = await client.post(f"/cds-services/{SERVICE}", json=body)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert answer.status_code == 502
    assert seen
    assert set(seen) == {"Bearer users-token"}


async def test_feedback_is_kept_without_a_word_of_anybody(
    served: Served, ward: Summarised, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'cards.sqlite'}"
    when = datetime.now(UTC).isoformat()
    async with served(**given(ward, database_url=database)) as client:
        first, second = [await card_from(client, call()) for _ in range(2)]
        comment = {"reason": {"code": "misleading"}, "userComment": "Smith, John: wrong side"}
        told = [
            {
                "card": first["uuid"],
                "outcome": "overridden",
                "overrideReason": comment,
                "outcomeTimestamp": when,
            },
            {"card": second["uuid"], "outcome": "accepted", "outcomeTimestamp": when},
            {"card": str(uuid.uuid4()), "outcome": "accepted", "outcomeTimestamp": when},
        ]
        answer = await client.post(f"/cds-services/{SERVICE}/feedback", json={"feedback": told})
        bad = await client.post(f"/cds-services/{SERVICE}/feedback", json={"feedback": [{"card": "x"}]})
        ledger = await client.app.state.service.ledger()  # type: ignore[attr-defined]
        assert outcomes(ledger) == {("overridden", "misleading"): 1, ("accepted", ""): 1}
    assert first["uuid"] != second["uuid"]
    assert answer.status_code == 200
    assert bad.status_code == 422
    assert b"Smith" not in (tmp_path / "cards.sqlite").read_bytes()


class Ehr:
    """An EHR with a key of its own and the JWK Set of it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP384R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        self.keys = {"keys": [public | {"kid": "one", "alg": "ES384", "use": "sig"}]}

    def statement(self, **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": PLACE, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        claims |= changed
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key, "ES384", headers={"kid": "one", "jku": "https://evil.example.org"})

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{ISSUER}/jwks.json"
        return httpx.Response(200, json=self.keys)


@asynccontextmanager
async def signed(served: Served, ward: Summarised, ehr: Ehr) -> AsyncIterator[httpx.AsyncClient]:
    named = f"{ISSUER}|{ISSUER}/jwks.json"
    async with served(**given(ward, cds_clients=named, service_token=TOKEN)) as client:
        service = client.app.state.service  # type: ignore[attr-defined]
        service.cds_clients = CdsClients([named], httpx.MockTransport(ehr.answer))
        yield client


async def test_where_ehrs_are_named_each_call_is_signed_by_one_and_counts_once(
    served: Served, ward: Summarised
) -> None:
    ehr, other = Ehr(), Ehr()
    async with signed(served, ward, ehr) as client:

        async def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post(f"/cds-services/{SERVICE}", json=call(), headers=headers)
            return answer.status_code

        good = ehr.statement()
        assert await status(good) == 200
        assert await status(good) == 401  # a second time
        now = int(time.time())
        wrong: list[dict[str, Any]] = [
            {"iss": "https://other.example.org"},
            {"aud": "https://elsewhere.example.org"},
            {"iat": now - 900, "exp": now - 600},
            {"exp": now + 86_400},
            {"jti": None},
        ]
        assert [await status(ehr.statement(**changed)) for changed in wrong] == [401] * len(wrong)
        assert await status(other.statement()) == 401
        assert await status(TOKEN) == 401  # a token of the service is no statement of an EHR
        assert (await client.post(f"/cds-services/{SERVICE}", json=call())).status_code == 401
        assert (await client.get("/cds-services")).status_code == 200
        headers = {"Authorization": f"Bearer {ehr.statement()}"}
        outcome = {
            "card": str(uuid.uuid4()),
            "outcome": "accepted",
            "outcomeTimestamp": "2026-01-31T08:00:00Z",
        }
        told = await client.post(
            f"/cds-services/{SERVICE}/feedback", json={"feedback": [outcome]}, headers=headers
        )
        assert told.status_code == 200


async def test_without_named_ehrs_a_caller_needs_what_any_reader_needs(
    served: Served, ward: Summarised
) -> None:
    async with served(**given(ward, service_token=TOKEN)) as client:
        assert (await client.post(f"/cds-services/{SERVICE}", json=call())).status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert (await card_from(client, call(), headers=headers))["uuid"]
        other = await client.post("/cds-services/none", json=call(), headers=headers)
        odd = await client.post(
            f"/cds-services/{SERVICE}", json=call() | {"hook": "order-sign"}, headers=headers
        )
    assert other.status_code == 404
    assert odd.json()["errors"][0]["allowed"] == "'patient-view'"


@pytest.mark.parametrize(
    "entry", ["https://ehr.example.org", "a|http://ehr.example.org/keys", "|https://x.org"]
)
def test_an_ehr_that_is_none_is_refused(entry: str) -> None:
    from jobs.settings import SettingsError

    with pytest.raises(SettingsError, match="CDS_CLIENTS"):
        CdsClients([entry])


def test_the_day_from_which_notes_count() -> None:
    from jobs.web.cds.cards import begin_of

    assert begin_of("2026-01-02", date(2026, 5, 1)) == "2026-01-02"
    assert begin_of("", date(2026, 5, 1)) == "2026-04-01"
