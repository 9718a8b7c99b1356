"""Who may ask what, from where, and how often."""

import hashlib
import time

import httpx
import pytest
from starlette.types import Receive, Send
from starlette.types import Scope as Requested

from jobs.ledger.rows import LedgerError
from jobs.settings import SettingsError
from jobs.web.app import create_app
from jobs.web.guard.proxy import BehindProxy
from jobs.web.guard.rate import RateLimit
from jobs.web.guard.signer import Signer
from jobs.web.service import Options
from tests.unit.jobs.web.web_parts import MakeSettings, Served, started

TOKEN = "correct-horse-battery-staple-42"
SECRET = "a-secret-of-more-than-enough-characters"
BEARER = {"authorization": f"Bearer {TOKEN}"}
NOTE = {"text": "No fever. Cough for two days."}
HTML = {"accept": "text/html"}


# Bearer tokens and sessions.

ASKED = [("POST", "/v1/summaries"), ("POST", "/v1/summaries:batch"), ("GET", "/v1/compositions")]
ASKED += [("GET", "/v1/compositions/a/audit"), ("GET", "/metrics")]


@pytest.mark.parametrize(("method", "path"), ASKED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer"},
        {"cookie": f"clinsum_session={TOKEN}"},
        {"cookie": "clinsum_session=AAAA"},
        {"cookie": "clinsum_session=é".encode().decode("latin-1")},
    ],
)
async def test_without_valid_credentials(
    served: Served, method: str, path: str, headers: dict[str, str]
) -> None:
    async with served(service_token=TOKEN) as client:
        answer = await client.request(
            method, path, headers={k: v.encode("latin-1") for k, v in headers.items()}
        )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorized"


async def test_with_a_token(served: Served) -> None:
    async with served(service_token=TOKEN) as client:
        answer = await client.post("/v1/summaries", json=NOTE, headers=BEARER)
        metrics = await client.get("/metrics", headers=BEARER)
        health = [(await client.get(f"/health/{name}")).status_code for name in ("live", "ready")]
    assert answer.status_code == metrics.status_code == 200
    assert health == [200, 200]


async def test_one_of_several_tokens_given_by_its_hash(served: Served) -> None:
    hashed = f"sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}"
    async with served(service_token=f"{'x' * 30}, {hashed}") as client:
        answer = await client.post("/v1/summaries", json=NOTE, headers=BEARER)
        by_hash = await client.post("/v1/summaries", json=NOTE, headers={"authorization": f"Bearer {hashed}"})
    assert answer.status_code == 200
    assert by_hash.status_code == 401  # who reads the settings cannot log in with them


async def test_a_browser_signs_in(served: Served) -> None:
    async with served(service_token=TOKEN) as client:
        form = await client.get("/login?to=/notes", headers=HTML)
        wrong = await client.post("/login", data={"token": "wrong", "to": "/notes"}, headers=HTML)
        right = await client.post("/login", data={"token": TOKEN, "to": "/notes"}, headers=HTML)
        inside = await client.post("/v1/summaries", json=NOTE)
        out = await client.post("/logout", headers=HTML)
        after = await client.post("/v1/summaries", json=NOTE)
    assert 'value="/notes"' in form.text
    assert wrong.status_code == 401
    assert "not valid" in wrong.text
    assert (right.status_code, right.headers["location"]) == (303, "/notes")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert inside.status_code == 200
    assert out.status_code == 303
    assert after.status_code == 401


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "notes", "/\n/x"],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(served: Served, to: str) -> None:
    async with served(service_token=TOKEN) as client:
        answer = await client.post("/login", data={"token": TOKEN, "to": to})
    assert answer.headers["location"] == "/"


async def test_the_cookie_is_for_tls_alone_where_there_is_tls(make_settings: MakeSettings) -> None:
    app = create_app(make_settings(service_token=TOKEN))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://clinsum.example") as client:
            answer = await client.post("/login", data={"token": TOKEN})
    assert "secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["strict-transport-security"]


async def test_a_session_ends_with_its_time_and_with_the_token(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(service_token=TOKEN, session_secret=SECRET) as client:
        await client.post("/login", data={"token": TOKEN})
        cookie = {"cookie": f"clinsum_session={client.cookies['clinsum_session']}"}
    async with served(service_token=TOKEN, session_secret=SECRET) as client:  # another process
        same = await client.post("/v1/summaries", json=NOTE, headers=cookie)
        now = time.time()
        monkeypatch.setattr("jobs.web.guard.sessions.time.time", lambda: now + 9 * 3600)
        late = await client.post("/v1/summaries", json=NOTE, headers=cookie)
        monkeypatch.undo()
    async with served(service_token="another-token-of-enough-characters", session_secret=SECRET) as client:
        changed = await client.post("/v1/summaries", json=NOTE, headers=cookie)
    async with served(service_token=TOKEN) as client:  # one with a secret of its own
        other = await client.post("/v1/summaries", json=NOTE, headers=cookie)
    answers = [same, late, changed, other]
    assert [answer.status_code for answer in answers] == [200, 401, 401, 401]


async def test_no_session_can_be_made_from_the_settings(served: Served) -> None:
    digest = hashlib.sha256(TOKEN.encode()).digest()
    forged = Signer("session", digest).sign(f"token-1|{int(time.time()) + 3600}|x")
    async with served(service_token=f"sha256:{digest.hex()}") as client:
        answer = await client.post(
            "/v1/summaries", json=NOTE, headers={"cookie": f"clinsum_session={forged}"}
        )
    assert answer.status_code == 401


async def test_who_signs_out_ends_the_session_of_a_copied_cookie_too(served: Served) -> None:
    async with served(service_token=TOKEN) as client:
        await client.post("/login", data={"token": TOKEN})
        copied = {"cookie": f"clinsum_session={client.cookies['clinsum_session']}"}
        before = await client.post("/v1/summaries", json=NOTE, headers=copied)
        await client.post("/logout", headers=HTML)
        after = await client.post("/v1/summaries", json=NOTE, headers=copied)
        await client.post("/logout", headers={"cookie": "clinsum_session=AAAA"})
        await client.post("/login", data={"token": TOKEN})
        again = await client.post("/v1/summaries", json=NOTE)
    assert [before.status_code, after.status_code, again.status_code] == [200, 401, 200]


async def signed_in(client: httpx.AsyncClient) -> dict[str, str]:
    """The headers of a session that a browser began there."""
    await client.post("/login", data={"token": TOKEN})
    return {"cookie": f"clinsum_session={client.cookies['clinsum_session']}"}


async def test_who_signs_out_of_one_replica_is_out_of_all(served: Served) -> None:
    shared = {"service_token": TOKEN, "session_secret": SECRET}
    async with served(**shared) as one, served(**shared) as other:
        ended, kept = await signed_in(one), await signed_in(other)
        before = await other.post("/v1/summaries", json=NOTE, headers=ended)
        await one.post("/logout", headers=HTML)
        other.cookies.clear()
        after = await other.post("/v1/summaries", json=NOTE, headers=ended)
        beside = await other.post("/v1/summaries", json=NOTE, headers=kept)
    assert [before.status_code, after.status_code, beside.status_code] == [200, 401, 200]


async def test_a_shared_session_is_not_believed_while_the_ledger_cannot_be_asked(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> bool:
        raise LedgerError("The ledger's database cannot be used.")

    async with served(service_token=TOKEN, session_secret=SECRET) as client:
        session = await signed_in(client)
        monkeypatch.setattr("jobs.web.guard.sessions.session_ended", unreachable)
        client.cookies.clear()
        answer = await client.post("/v1/summaries", json=NOTE, headers=session)
        by_token = await client.post("/v1/summaries", json=NOTE, headers=BEARER)
    assert (answer.status_code, answer.json()["code"]) == (502, "database-failed")
    assert by_token.status_code == 200


async def test_a_short_secret_is_refused(make_settings: MakeSettings) -> None:
    with pytest.raises(SettingsError, match="CLINSUM_SESSION_SECRET"):
        create_app(make_settings(service_token=TOKEN, session_secret="short"))


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//[x]", "null", "%"])
async def test_an_origin_that_is_none_is_refused_and_no_fault_of_ours(served: Served, origin: str) -> None:
    async with served() as client:
        answer = await client.post("/v1/summaries", json=NOTE, headers={"origin": origin})
    assert answer.status_code == 403
    assert answer.json()["code"] == "cross-site"


async def test_there_is_no_sign_in_where_none_is_needed(served: Served) -> None:
    async with served() as client:
        assert (await client.get("/login")).status_code == 404
        assert (await client.post("/login", data={"token": ""})).status_code == 404


# From where, and how often.


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""])
async def test_a_foreign_name_for_this_machine_is_no_way_in(served: Served, host: str) -> None:
    options = Options(hosts=frozenset({"localhost", "127.0.0.1", "::1"}))
    async with served(options) as client:
        answer = await client.get("/docs", headers={"host": host})
        own = [await client.get("/docs", headers={"host": h}) for h in ("localhost:8000", "[::1]:8000")]
    assert answer.status_code == 421
    assert [a.status_code for a in own] == [200, 200]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_of_another_site_may_not_post(served: Served, headers: dict[str, str]) -> None:
    async with served() as client:
        answer = await client.post("/v1/summaries", json=NOTE, headers=headers)
        own = await client.post("/v1/summaries", json=NOTE, headers={"origin": "http://localhost"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "cross-site"
    assert own.status_code == 200


async def test_around_the_proxy_there_is_no_way(make_settings: MakeSettings) -> None:
    settings = make_settings(service_token=TOKEN, serve_proxy="10.1.0.0/16,fd00::7")
    for peer, status in [
        ("10.1.2.3", 200),
        ("fd00::7", 200),
        ("127.0.0.1", 200),
        ("10.2.0.1", 403),
        ("192.0.2.1", 403),
    ]:
        async with started(create_app(settings), (peer, 1234)) as client:
            answer = await client.post("/v1/summaries", json=NOTE, headers=BEARER)
            health = await client.get("/health/live")
        assert answer.status_code == status, peer
        assert health.status_code == 200


async def test_the_proxys_word_counts_and_nobody_elses(make_settings: MakeSettings) -> None:
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"}
    proxied = create_app(make_settings(serve_proxy="10.1.0.0/16"))
    async with started(proxied, ("10.1.0.1", 1234)) as client:
        assert "strict-transport-security" in (await client.get("/docs", headers=forwarded)).headers
    async with started(create_app(make_settings()), ("10.1.0.1", 1234)) as client:
        assert "strict-transport-security" not in (await client.get("/docs", headers=forwarded)).headers


def test_a_share_of_requests_by_the_minute() -> None:
    limit = RateLimit(60, clients=2)
    assert [limit.wait("a", now=0.0) for _ in range(60)] == [0] * 60
    assert limit.wait("a", now=0.0) == 1
    assert limit.wait("b", now=0.0) == 0
    assert limit.wait("a", now=1.1) == 0
    assert limit.wait("a", now=1.1) == 1
    slow = RateLimit(2)
    assert [slow.wait("a", now=0.0) for _ in range(3)] == [0, 0, 30]


async def test_who_asks_too_often_is_told_when_to_come_again(served: Served) -> None:
    async with served(serve_rate=3) as client:
        answers = [await client.post("/v1/summaries", json=NOTE) for _ in range(5)]
        health = await client.get("/health/ready")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert answers[-1].json()["code"] == "too-many-requests"
    assert health.status_code == 200


async def test_guessing_tokens_is_limited_too(served: Served) -> None:
    async with served(serve_rate=3, service_token=TOKEN) as client:
        wrong = {"authorization": "Bearer wrong"}
        answers = [await client.post("/v1/summaries", json=NOTE, headers=wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


PROXIES = "10.1.0.0/16,192.0.2.5"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.1.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.1.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first is the client's own word
        ("10.1.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),  # in two lines
        ("10.1.0.1", ["203.0.113.9, 10.1.9.9"], "10.1.9.9"),  # a client in the proxies' network
        ("10.1.0.1", ["203.0.113.9, 198.51.100.7, 192.0.2.5"], "198.51.100.7"),  # through two proxies
        ("10.1.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.1.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("::ffff:10.1.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.1.0.1", ["203.0.113.9, unknown"], "10.1.0.1"),
        ("10.1.0.1", ["203.0.113.9, "], "10.1.0.1"),
        ("10.1.0.1", [], "10.1.0.1"),
        ("10.2.0.1", ["198.51.100.7"], "10.2.0.1"),  # no proxy
        ("127.0.0.1", ["198.51.100.7"], "127.0.0.1"),  # no named one
    ],
)
async def test_of_what_is_forwarded_the_proxys_own_word_counts(
    peer: str, forwarded: list[str], client: str
) -> None:
    seen = []

    async def app(scope: Requested, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])

    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    request = {"type": "http", "path": "/docs", "client": (peer, 1), "headers": headers, "scheme": "http"}
    await BehindProxy(app, proxies=PROXIES.split(","), direct=True)(request, None, None)  # type: ignore[arg-type]
    assert seen == [client]


async def test_who_forwards_many_addresses_has_one_rate(make_settings: MakeSettings) -> None:
    app = create_app(make_settings(service_token=TOKEN, serve_proxy="10.1.0.0/16", serve_rate=3))
    statuses = []
    async with started(app, ("10.1.0.1", 1)) as client:
        for number in range(5):
            forwarded = {"x-forwarded-for": f"10.1.7.{number}, 10.1.5.5"}  # the second is what the proxy saw
            answer = await client.post("/v1/summaries", json=NOTE, headers=BEARER | forwarded)
            statuses.append(answer.status_code)
    assert statuses == [200, 200, 200, 429, 429]
