"""How long a server that says when to come back is waited for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from fhir_adapter.errors import HttpStatusError
from tests.unit.fhir_adapter.rest.scripted_server import Answer, Naps, ScriptedServer, client_for, fhir

PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("250", 60, 60),
        pytest.param(
            lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=200)), 60, 60, id="a date"
        ),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.25, 0.5),
        ("soon", 0.25, 0.5),
    ],
)
async def test_retry_after_is_heeded_up_to_a_cap(header, low, high):
    naps = Naps()
    # A date is told when it is asked for: collecting all tests takes longer than it lies ahead.
    told = header() if callable(header) else header
    script = [Answer(429, headers={"Retry-After": told}), fhir(PATIENT)]
    async with ScriptedServer(script) as server, client_for(server, sleep=naps) as client:
        await client.read("Patient/1")
    assert low <= naps.taken[0] <= high


@pytest.mark.parametrize("told", ["301", "86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_what_all_attempts_would_not_outlast_is_not_waited_for(told):
    naps = Naps()
    script = [Answer(503, headers={"Retry-After": told})]
    async with ScriptedServer(script) as server, client_for(server, sleep=naps) as client:
        with pytest.raises(HttpStatusError):
            await client.read("Patient/1")
    assert naps.taken == []


async def test_a_moment_to_come_back_at_is_by_the_servers_clock():
    naps = Naps()
    headers = {"Date": "Mon, 01 Jan 2035 10:00:00 GMT", "Retry-After": "Mon, 01 Jan 2035 10:00:09 GMT"}
    script = [Answer(429, headers=headers), fhir(PATIENT)]
    async with ScriptedServer(script) as server, client_for(server, sleep=naps) as client:
        await client.read("Patient/1")
    assert naps.taken == [9.0]
