"""`clinsum withdraw`: it shows, asks, believes no hit that it did not check, and can be undone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

import jobs.commands.asking
import jobs.commands.withdraw
from fhir_adapter import canonical
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.writing.lifecycle import ended_because
from jobs.cli import run
from jobs.runtime import open_ledger
from jobs.settings import Settings
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.lives import extracted, html_document
from tests.contract.passes import Site, reference

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


def withdraw(site: Site, *arguments: str) -> int:
    settings = site.settings
    names = ("FHIR_BASE_URL", "DATABASE_URL", "ENGINE", "BUDGET")
    return run(["withdraw", *arguments, *(f"--set={n}={getattr(settings, n.lower())}" for n in names)])


def summaries(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]


def state(site: Site, note: dict[str, Any]) -> tuple[str, str]:
    (composition,) = site.written(reference(note))
    return composition["status"], ended_because(composition)


def test_nobody_to_ask_means_nothing_is_done(site: Site, capsys: Capture) -> None:
    note = site.document()
    site.poll()

    assert withdraw(site, "--source", reference(note)) == 2

    assert "give --yes" in capsys.readouterr().err
    assert state(site, note) == ("preliminary", "")


@pytest.mark.parametrize(("answer", "code", "after"), [(True, 0, "source-withdrawn"), (False, 2, "")])
def test_what_it_will_end_is_shown_and_asked_for(
    site: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int, after: str
) -> None:
    note, other = site.document(), site.document()
    site.poll()
    monkeypatch.setattr(jobs.commands.withdraw, "check_askable", lambda _: None)
    monkeypatch.setattr(typer, "confirm", lambda question, err: answer and "Withdraw 1 of" in question)

    assert withdraw(site, "--source", reference(note)) == code

    shown = capsys.readouterr().err
    assert reference(note) in shown
    assert reference(other) not in shown
    assert (state(site, note)[1], state(site, other)[1]) == (after, "")


def test_a_recall_is_undone_by_one_command(site: Site, capsys: Capture) -> None:
    notes = [site.document(), site.document()]
    site.poll()
    (composition,) = site.written(reference(notes[0]))
    device = composition["author"][0]["reference"]

    assert withdraw(site, "--pipeline", device, "--reason", "wrong budget", "--yes") == 0
    withdrawn = [state(site, note) for note in notes]
    words = [
        e["valueString"]
        for r in (site.written(reference(notes[0]))[0], site.fhir.get(device))
        for e in r["extension"]
        if e["url"] == canonical.WITHDRAWAL_REASON
    ]
    capsys.readouterr()
    assert withdraw(site, "--pipeline", device, "--undo", "--yes", "--json") == 0

    assert withdrawn == [("entered-in-error", "recalled")] * 2
    assert words == ["wrong budget"] * 2
    assert {line["status"] for line in summaries(capsys)} == {"reinstated"}
    assert [state(site, note) for note in notes] == [("preliminary", "")] * 2
    assert site.fhir.get(device)["status"] == "active"
    assert [result.ok for result in site.audit()] == [True, True]
    with open_ledger(site.settings) as ledger:
        assert {row.status for row in ledger.notes()} == {"unchanged"}
    ended, _ = site.poll()
    assert {outcome.status for outcome in ended.values()} == {"unchanged"}


def test_a_status_that_a_person_gave_comes_back(site: Site, capsys: Capture) -> None:
    note = site.document()
    site.poll()
    (composition,) = site.written(reference(note))
    site.fhir.put({**composition, "status": "final"})

    assert withdraw(site, "--source", reference(note), "--attested", "--yes") == 0
    assert state(site, note)[0] == "entered-in-error"
    assert withdraw(site, "--source", reference(note), "--undo", "--yes") == 0

    assert state(site, note) == ("final", "")


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Has the command use this transport."""

    def use(transport: httpx.AsyncBaseTransport) -> None:
        def make_client(settings: Settings) -> FhirClient:
            return FhirClient(settings.fhir_base_url, transport=transport, retries=0)

        monkeypatch.setattr(jobs.commands.withdraw, "make_client", make_client)

    return use


class Ignoring(httpx.AsyncBaseTransport):
    """A real connection to a server that ignores the parameters it does not know, as R4 allows."""

    def __init__(self, *parameters: str) -> None:
        self._real, self._ignored = httpx.AsyncHTTPTransport(), parameters

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for name in self._ignored:
            request.url = request.url.copy_remove_param(name)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


def test_a_server_that_ignores_the_search_loses_no_other_summary(
    site: Site, capsys: Capture, through: Callable[[Any], None]
) -> None:
    note, *others = site.document(), site.document(), site.document()
    site.poll()
    through(Ignoring("entity", "entry", "agent", "author"))

    assert withdraw(site, "--source", reference(note), "--yes", "--json") == 0

    assert [line["source"] for line in summaries(capsys)] == [reference(note)]
    assert state(site, note)[1] == "source-withdrawn"
    assert {state(site, other) for other in others} == {("preliminary", "")}


class Pretending(httpx.AsyncBaseTransport):
    """A real connection to a server that answers 200 to a transaction and does nothing."""

    def __init__(self, response: dict[str, Any] | None) -> None:
        self._real, self._response = httpx.AsyncHTTPTransport(), response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            asked = json.loads(await request.aread())["entry"]
            entries = [{"response": self._response} for _ in asked if self._response]
            answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
            return httpx.Response(200, json=answer, request=request)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


@pytest.mark.parametrize("response", [None, {"status": "200 OK"}])
def test_only_what_a_read_confirms_is_called_withdrawn(
    site: Site, capsys: Capture, through: Callable[[Any], None], response: dict[str, Any] | None
) -> None:
    note = site.document()
    site.poll()
    through(Pretending(response))

    assert withdraw(site, "--source", reference(note), "--yes", "--json") == 1

    assert [line["status"] for line in summaries(capsys)] == ["failed"]
    with open_ledger(site.settings) as ledger:
        assert ledger.known([reference(note)])[reference(note)].status == "written"


@pytest.mark.parametrize("response", [None, {"status": "200 OK"}])
def test_only_what_a_read_confirms_is_called_reinstated(
    site: Site, capsys: Capture, through: Callable[[Any], None], response: dict[str, Any] | None
) -> None:
    note = site.document()
    site.poll()
    assert withdraw(site, "--source", reference(note), "--yes") == 0
    capsys.readouterr()
    through(Pretending(response))

    assert withdraw(site, "--source", reference(note), "--undo", "--yes", "--json") == 1

    assert [line["status"] for line in summaries(capsys)] == ["failed"]
    assert state(site, note) == ("entered-in-error", "source-withdrawn")


def test_a_lost_answer_to_a_withdrawal_that_was_done_is_read(
    site: Site, capsys: Capture, through: Callable[[Any], None]
) -> None:
    note = site.document()
    site.poll()
    through(Silent())

    assert withdraw(site, "--source", reference(note), "--yes", "--json") == 0
    assert [line["status"] for line in summaries(capsys)] == ["withdrawn"]
    assert withdraw(site, "--source", reference(note), "--undo", "--yes", "--json") == 0
    assert [line["status"] for line in summaries(capsys)] == ["reinstated"]
    assert state(site, note) == ("preliminary", "")


class Silent(httpx.AsyncBaseTransport):
    """A real connection to a server that does a transaction and answers 204."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._real.handle_async_request(request)
        if request.method != "POST":
            return answer
        await answer.aread()
        return httpx.Response(204, request=request)

    async def aclose(self) -> None:
        await self._real.aclose()


def test_a_text_that_an_earlier_withdrawal_left_is_ended_by_the_next(site: Site, capsys: Capture) -> None:
    note = html_document(site)
    site.poll()
    assert withdraw(site, "--source", reference(note), "--yes") == 0
    (summary,) = site.written(reference(note))
    text = extracted(site, summary)
    assert text["status"] == "entered-in-error"
    site.fhir.put({**text, "status": "current"})
    capsys.readouterr()

    assert withdraw(site, "--source", reference(note), "--yes", "--dry-run") == 0
    assert extracted(site, summary)["status"] == "current"
    assert withdraw(site, "--source", reference(note), "--yes", "--json") == 0

    assert extracted(site, summary)["status"] == "entered-in-error"
