"""Logging in as the commands do it: keys, a login that is refused in mid-pass, and no secret anywhere."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.requests import Request

from fhir_adapter.rest.keys import new_key
from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.cli import run
from jobs.runtime import open_ledger
from jobs.settings import load_settings
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.gateway import Gateway, Verdict, running
from tests.contract.passes import encoded

SECRET = "canary-secret-7f3e"
TOKEN = "canary-token-91ab"
NOTES = 6


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("CLINSUM_") and name not in ("CLINSUM_REQUIRE_ALL", "CLINSUM_CACHE"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    given = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        "ENGINE": "lead",
        "RETRIES": "1",
        "PAGE_SIZE": "3",
        "CONCURRENCY": "2",
        "CLIENT_ID": "clinsum",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"CLINSUM_{name}", value)


@pytest.fixture
def fhir() -> Iterator[Fhir]:
    """Notes, every third with its text in a Binary."""
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            for number, note in enumerate(generated_notes(NOTES)):
                if number % 3 == 0:
                    attachment = note["content"][0]["attachment"]
                    data = attachment.pop("data", None) or encoded("The potassium is 6.9.")
                    text = {"resourceType": "Binary", "id": f"t{number}", "contentType": "text/plain"}
                    fhir.put({**text, "data": data})
                    note["content"] = [
                        {"attachment": {"contentType": "text/plain", "url": f"Binary/t{number}"}}
                    ]
                fhir.put(note)
            yield fhir


class Desk:
    """A token endpoint whose tokens last a few requests, and that in the end knows the client no more.

    Attributes:
        each: requests that one token is good for.
        left: tokens that are still given.
    """

    def __init__(self, each: int, left: int) -> None:
        self.each, self.left = each, left
        self.given = self.asked = 0
        self.used: dict[str, int] = {}

    def answer(self, request: Request, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked += 1
        if self.given >= self.left:
            said = f"{SECRET} {form.get('client_assertion', '')} is not known"
            return 401, {"error": "invalid_client", "error_description": said}
        self.given += 1
        return 200, {"access_token": f"{TOKEN}-{self.given}", "token_type": "Bearer", "expires_in": 3600}

    def check(self, token: str) -> Verdict:
        used = self.used[token] = self.used.get(token, 0) + 1
        fine = token == f"{TOKEN}-{self.given}" and used <= self.each
        return (200, "") if fine else (401, "invalid_token")


@pytest.fixture
def login(fhir: Fhir, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Desk], Gateway]]:
    """Puts a gateway with this desk in front, for clients with a secret."""
    opened = []

    def use(desk: Desk) -> Gateway:
        context = running(Gateway(fhir.server.base_url, desk.check, endpoint=desk.answer))
        gateway = context.__enter__()
        opened.append(context)
        gateway.configuration = {"token_endpoint": f"{gateway.origin}/token"}
        monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", gateway.base_url)
        monkeypatch.setenv("CLINSUM_AUTH", "client-secret")
        monkeypatch.setenv("CLINSUM_CLIENT_SECRET", SECRET)
        return gateway

    yield use
    for context in opened:
        context.__exit__(None, None, None)


def ledger_counts() -> dict[str, int]:
    with open_ledger(load_settings({})) as ledger:
        return {status: count for (status, _), count in ledger.counts().items()}


@pytest.mark.parametrize("after", [1, 3, 5, 8, 10, 13])
def test_a_login_refused_in_mid_pass_ends_it_and_blames_no_note(
    after: int, login: Callable[[Desk], Gateway], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the pass was doing then: asking what the server is, searching, reading a Binary, writing."""
    desk = Desk(each=after, left=1)
    gateway = login(desk)

    assert run(["poll", "--json"]) == 2

    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == (
        f"clinsum: the token endpoint at {gateway.origin} refuses (HTTP 401 invalid_client); "
        "check the client id, the secret or key, and that the server knows it"
    )
    assert "Traceback" not in captured.err
    done = [json.loads(line) for line in captured.out.splitlines()]
    assert {note["status"] for note in done} <= {"written"}
    assert ledger_counts() in ({}, {"written": len(done)})
    assert desk.asked <= 2 + 2  # its first token, and then once by each request that was under way

    desk.each, desk.left = 10_000, 2
    assert run(["poll", "--json"]) == 0
    assert ledger_counts() == {"written": NOTES}


def test_tokens_that_end_in_mid_pass_are_renewed(login: Callable[[Desk], Gateway]) -> None:
    desk = Desk(each=4, left=1000)
    gateway = login(desk)

    assert run(["poll"]) == 0

    assert ledger_counts() == {"written": NOTES}
    assert len(gateway.tokens) > 5
    assert run(["audit", "--all"]) == 0


def everything_on(fhir: Fhir) -> str:
    kinds = ("Composition", "Device", "Provenance", "DocumentReference", "AuditEvent", "Binary")
    return json.dumps([fhir.matches(fhir.get(kind)) for kind in kinds])


@pytest.mark.parametrize("kind", ["client-secret", "smart-backend"])
def test_no_secret_is_in_output_logs_ledger_or_what_is_written(
    kind: str,
    fhir: Fhir,
    login: Callable[[Desk], Gateway],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over every command that logs in, with the login well, refused, answered with an echo, and down."""
    key = tmp_path / "key.pem"
    key.write_text(new_key("ES384"))
    desk = Desk(each=5, left=1000)
    gateway = login(desk)
    monkeypatch.setenv("CLINSUM_AUTH", kind)
    monkeypatch.setenv("CLINSUM_PRIVATE_KEY_FILE", str(key))
    monkeypatch.setenv("CLINSUM_AUDIT_EVENTS", "true")
    monkeypatch.setenv("CLINSUM_LOG_LEVEL", "debug")
    commands = [["doctor", "--json"], ["doctor"], ["poll"], ["audit", "--all"], ["profiles", "--load"]]
    commands += [["reconcile", "--json"], ["retry"], ["notes"], ["keys"], ["keys", "--jwks"]]

    forms = ("json", "text")
    ended = [run([*command, f"--set=LOG_FORMAT={forms[i % 2]}"]) for i, command in enumerate(commands)]
    assert ended == [0] * len(commands)
    desk.left = 0  # refused, and the answer repeats what it was shown
    assert run(["doctor"]) == 1
    assert run(["poll"]) == 2
    assert run(["audit", "--all"]) == 2
    monkeypatch.setenv("CLINSUM_TOKEN_URL", "http://127.0.0.1:9/token")
    assert run(["poll"]) == 3
    assert run(["poll", f"--set=CLIENT_SECRET={SECRET}", "--set=CLIENT_SECRET_FILE=x"]) == 2
    assert run(["poll", f"--set=FHIR_BASE_URL=http://u:{SECRET}@127.0.0.1:9/fhir"]) == 2
    assert run(["poll", f"--set=TOKEN_URL=https://u:{SECRET}@127.0.0.1:9/token"]) == 2
    assert run(["keys", f"--set=PRIVATE_KEY_FILE={tmp_path / 'ledger.sqlite'}"]) == 2

    said = "".join(capfd.readouterr())
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.sqlite*"))
    places = [said, kept.decode("latin-1"), everything_on(fhir)]
    assert gateway.tokens
    assert fhir.get("AuditEvent", _summary="count")["total"]
    secrets = [SECRET, TOKEN, *key.read_text().splitlines(), "eyJ"]
    for place in places:
        assert not [secret for secret in secrets if secret in place]


# Keys.


@pytest.mark.parametrize(("kind", "algorithm"), [("es384", "ES384"), ("rs384", "RS384")])
def test_a_new_key_is_the_owners_alone_and_its_public_half_checks_what_it_signs(
    kind: str, algorithm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key.pem"
    assert run(["keys", "--new", kind, "--out", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    line = capsys.readouterr().out
    assert line.split() == [algorithm, "kid", line.split()[2], str(path)]
    pem = path.read_text()

    assert run(["keys", "--jwks", f"--set=PRIVATE_KEY_FILE={path}"]) == 0
    (public,) = json.loads(capsys.readouterr().out)["keys"]
    assert public["kid"] == line.split()[2]
    signed = jwt.encode({"iss": "c"}, pem, algorithm=algorithm)
    assert jwt.decode(signed, jwt.PyJWK(public).key, algorithms=[algorithm]) == {"iss": "c"}
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(public)

    assert run(["keys", "--new", kind, "--out", str(path)]) == 2
    assert "no key is ever written over" in capsys.readouterr().err
    assert path.read_text() == pem


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["keys"], "clinsum keys --new"),
        (["keys", "--new", "es384"], "--out"),
        (["keys", "--out", "key.pem"], "--new"),
        (["keys", "--new", "es384", "--out", "none/key.pem"], "cannot be written"),
        (["keys", "--set", "PRIVATE_KEY_FILE=none.pem"], "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_key_is_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert says in capsys.readouterr().err
