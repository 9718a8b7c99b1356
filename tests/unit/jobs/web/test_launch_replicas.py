"""Launched sessions at several replicas, with a key in the place of a secret, and in a frame."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fhir_adapter.rest.keys import new_key
from jobs.ledger.schema import launch
from jobs.settings import SettingsError
from jobs.web.app import create_app
from jobs.web.guard.shelf import LedgerShelf, OwnShelf, Shelf
from jobs.web.views.pages import SESSION_COOKIE
from tests.unit.jobs.web.record_server import CLIENT, Record
from tests.unit.jobs.web.summarised import Summarised
from tests.unit.jobs.web.test_launch import app_of, launched, there_and_back
from tests.unit.jobs.web.test_launch import record as record
from tests.unit.jobs.web.web_parts import MakeSettings, until

SECRET = "of-all-replicas-" + "x" * 32


@asynccontextmanager
async def replicas(
    make_settings: MakeSettings, there: Summarised, record: Record, secret: str = SECRET
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Two services over one ledger, and one browser: both have the same cookies."""
    async with (
        app_of(make_settings, there, record, session_secret=SECRET) as one,
        app_of(make_settings, there, record, session_secret=secret) as other,
    ):
        other.cookies.jar = one.cookies.jar
        yield one, other


async def test_a_sign_in_and_its_session_go_on_at_any_replica(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with replicas(make_settings, there, record) as (one, other):
        begun = await one.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
        landed = await other.get(await there_and_back(begun))
        pages = [await client.get("/patient/one") for client in (one, other, one)]
        foreign = await one.get("/patient/two")
    assert landed.headers.get("location") == "/patient/one", landed.text
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert foreign.status_code == 403
    assert len(record.forms) == 1  # one exchange, one token


async def test_who_signs_out_of_one_replica_is_out_of_all_and_at_the_record(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with replicas(make_settings, there, record) as (one, other):
        await launched(one, record)
        cookie = one.cookies[SESSION_COOKIE]
        before = await one.get("/patient/one")
        await other.post("/logout")  # which has not seen that session before
        one.cookies.set(SESSION_COOKIE, cookie)
        after = await one.get("/patient/one")
    assert before.status_code == 200
    assert after.headers["location"] == "/login?to=/patient/one"
    assert record.tokens == set()


async def test_replicas_spend_a_refresh_token_once(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with replicas(make_settings, there, record) as (one, other):
        await launched(one, record)
        assert (await other.get("/patient/one")).status_code == 200
        record.tokens.clear()  # the server lets none of them in any more
        record.slow = 0.5
        pages = await asyncio.gather(one.get("/patient/one"), other.get("/patient/one"))
        record.tokens.clear()
        later = [
            await other.get("/patient/one"),
            await one.get("/patient/one"),
        ]  # which takes what that one got
        record.tokens.clear()
        record.refreshes = False
        ended = await one.get("/patient/one")
        after = await other.get("/patient/one")
    assert [page.status_code for page in (*pages, *later)] == [200] * 4
    assert [form["grant_type"] for form in record.forms] == ["authorization_code"] + ["refresh_token"] * 3
    assert [page.headers.get("location") for page in (ended, after)] == ["/login?to=/patient/one"] * 2


async def test_who_leaves_while_a_token_is_renewed_loses_nothing(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record) as client:
        await launched(client, record)
        record.tokens.clear()
        record.slow = 1.0
        asked = asyncio.create_task(client.get("/patient/one"))
        await until(lambda: len(record.forms) == 2)  # the server has the refresh token, and has not answered
        asked.cancel()
        await asyncio.wait([asked])
        page = await client.get("/patient/one")
    assert asked.cancelled()
    assert page.status_code == 200
    assert len(record.forms) == 2


async def test_a_session_outlives_the_replica_that_it_began_at(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record, session_secret=SECRET) as one:
        await launched(one, record)
        cookies = one.cookies
    async with app_of(make_settings, there, record, session_secret=SECRET) as other:
        other.cookies = cookies
        page = await other.get("/patient/one")
    assert page.status_code == 200
    assert len(record.forms) == 1


async def test_the_ledger_holds_nothing_that_it_could_be_used_with(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    settings = make_settings()
    async with replicas(make_settings, there, record, "of-nobody-else-" + "y" * 32) as (one, other):
        begun = await one.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
        begun_cookies = list(one.cookies.values())
        landed = await one.get(await there_and_back(begun))
        own, foreign = await one.get("/patient/one"), await other.get("/patient/one")
        engine = sa.create_engine(settings.database_url)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(launch)).all()
        engine.dispose()
    kept = b"".join(bytes(row.sealed) + f"{row.name_sha256}{row.kind}".encode() for row in rows)
    assert landed.status_code == 303
    assert (own.status_code, foreign.status_code) == (200, 303)  # another secret opens nothing
    assert [row.kind for row in rows] == ["session"]  # what was begun is gone
    for told in (*record.given, *one.cookies.values(), *begun_cookies, CLIENT, "Patient/one", "ward"):
        assert told.encode() not in kept


@pytest.mark.parametrize("shared", [False, True])
async def test_a_state_is_changed_by_one_at_a_time(make_settings: MakeSettings, shared: bool) -> None:
    from jobs.runtime import open_ledger

    with open_ledger(make_settings()) as ledger:

        async def opened() -> object:
            return ledger

        shelf: Shelf = LedgerShelf(b"x" * 32, opened) if shared else OwnShelf()  # type: ignore[arg-type]
        await shelf.put("session", "a", {"n": 1}, 60)
        await shelf.put("begun", "a", {"n": 2}, -1)
        kept = await shelf.read("session", "a")
        assert (kept.state, kept.serial) == ({"n": 1}, 1) if kept else False
        assert await shelf.take("begun", "a") is None  # over
        assert await shelf.reserve("session", "a", 1, 60)
        assert not await shelf.reserve("session", "a", 1, 60)
        await shelf.release("session", "a", 1)
        assert await shelf.reserve("session", "a", 1, -1)  # runs out
        assert await shelf.reserve("session", "a", 1, 60)
        assert await shelf.change("session", "a", {"n": 3}, 1)
        assert not await shelf.change("session", "a", {"n": 4}, 1)
        assert await shelf.serial("session", "a") == 2
        assert await shelf.reserve("session", "a", 2, 60)
        assert await shelf.take("session", "a") == {"n": 3}
        assert await shelf.take("session", "a") is None
        await shelf.drop("session", "a")
        assert await shelf.serial("session", "a") is None


async def test_the_app_shows_a_signed_statement_in_the_place_of_a_secret(
    make_settings: MakeSettings, there: Summarised, record: Record, tmp_path: Path
) -> None:
    file = tmp_path / "app.pem"
    file.write_text(new_key("ES384"), "utf-8")
    record.app_key = load_pem_private_key(file.read_bytes(), None).public_key()
    async with app_of(make_settings, there, record, smart_private_key_file=str(file)) as client:
        landed = await launched(client, record)
        record.tokens.clear()
        page = await client.get("/patient/one")
        published = (await client.get("/.well-known/jwks.json")).json()
        await client.post("/logout")
    assert landed.headers.get("location") == "/patient/one", landed.text
    assert page.status_code == 200
    assert len(record.statements) == 3  # exchange, renewal, revocation: each its own
    assert record.tokens == set()
    assert [key["alg"] for key in published["keys"]] == ["ES384"]
    assert all("client_secret" not in form for form in record.forms)


async def test_a_server_that_takes_no_such_statement_is_not_gone_to(
    make_settings: MakeSettings, there: Summarised, record: Record, tmp_path: Path
) -> None:
    file = tmp_path / "app.pem"
    file.write_text(new_key("ES384"), "utf-8")
    record.configuration = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    async with app_of(make_settings, there, record, smart_private_key_file=str(file)) as client:
        answer = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
    assert answer.status_code == 403
    assert "private_key_jwt" in answer.text
    with pytest.raises(SettingsError, match="not both"):
        make_settings(smart_private_key_file=str(file), smart_client_secret="canary")
    (tmp_path / "none.pem").write_text("no key", "utf-8")
    with pytest.raises(SettingsError, match=r"none\.pem"):
        create_app(make_settings(smart_client_id=CLIENT, smart_private_key_file=str(tmp_path / "none.pem")))


RECORDS = "https://record.example.org,https://*.clinic.example.org:8443"


async def test_pages_stand_in_frames_of_those_that_are_named_alone(
    make_settings: MakeSettings, there: Summarised, record: Record
) -> None:
    async with app_of(make_settings, there, record, serve_frame_ancestors=RECORDS) as client:
        client.base_url = httpx.URL("https://localhost")
        begun = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
        landed = await client.get(await there_and_back(begun))
        page = await client.get("/patient/one")
        out = await client.post("/logout")
    assert (
        "frame-ancestors https://record.example.org https://*.clinic.example.org:8443;"
        in (page.headers["content-security-policy"])
    )
    assert "x-frame-options" not in page.headers
    for answer in (begun, landed, out):
        for line in answer.headers.get_list("set-cookie"):
            parts = {part.strip().lower() for part in line.split(";")}
            assert parts >= {"samesite=none", "secure", "partitioned", "httponly"}
    assert page.status_code == 200
    async with app_of(make_settings, there, record) as client:
        client.base_url = httpx.URL("https://localhost")
        begun = await client.get("/smart/launch", params={"iss": record.base_url, "launch": "open-1"})
    assert "frame-ancestors 'none'" in begun.headers["content-security-policy"]
    assert begun.headers["x-frame-options"] == "DENY"
    assert "samesite=lax" in begun.headers["set-cookie"].lower()
    assert "partitioned" not in begun.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "origin", ["*", "http://record.example.org", "https://a/path", "'self'", "https://a;b"]
)
def test_who_may_frame_is_an_origin(make_settings: MakeSettings, origin: str) -> None:
    with pytest.raises(SettingsError, match="CLINSUM_SERVE_FRAME_ANCESTORS"):
        make_settings(serve_frame_ancestors=origin)
