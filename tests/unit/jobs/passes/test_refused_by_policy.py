"""A server that refuses the author of every summary ends the pass with its own words."""

import json
from collections.abc import Callable

import httpx
import pytest

import jobs.cli
from fhir_adapter.errors import PolicyError
from tests.contract.passes import Site
from tests.unit.jobs.passes.faulty import Fault, Faulty

WORDS = "Resource of type Device is not allowed in partition WARD-7"
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "business-rule", "diagnostics": WORDS}],
}
Use = Callable[[Fault], list[Faulty]]


def refusing(request: httpx.Request) -> httpx.Response | None:
    """Refuses every transaction that holds a Device."""
    if request.method == "POST" and b'"Device"' in request.content:
        return httpx.Response(422, json=OUTCOME, request=request)
    return None


def stating_nothing(request: httpx.Request) -> httpx.Response | None:
    """The same, and the server does not say that it takes ids from clients."""
    if request.url.path.endswith("/metadata"):
        rest = [{"mode": "server", "resource": [{"type": "DocumentReference"}]}]
        statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest}
        return httpx.Response(200, content=json.dumps(statement), request=request)
    return refusing(request)


def of_nobody(request: httpx.Request) -> httpx.Response | None:
    """Every Device is refused, however it is written: one partition for each patient, as HAPI has it."""
    if b'"Device"' in request.content:
        return httpx.Response(405, json=OUTCOME, request=request)
    return stating_nothing(request) if request.method == "GET" else None


@pytest.mark.parametrize("fault", [refusing, stating_nothing, of_nobody])
def test_the_pass_ends_before_any_note_with_the_servers_words(site: Site, faulty: Use, fault: Fault) -> None:
    site.document()
    made = faulty(fault)

    with pytest.raises(PolicyError, match=WORDS) as told:
        site.poll()

    assert f"HTTP {405 if fault is of_nobody else 422} (business-rule)" in str(told.value)
    assert not any('"Composition"' in written for one in made for written in one.writes)
    assert site.fhir.search("Composition") == []


def test_the_command_says_them_and_ends_with_wrong_use(
    site: Site, faulty: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    site.document()
    faulty(refusing)
    sets = {
        "FHIR_BASE_URL": site.settings.fhir_base_url,
        "DATABASE_URL": site.settings.database_url,
        "ENGINE": "lead",
    }
    options = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]

    code = jobs.cli.run(["poll", "--json", *options])

    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("clinsum: The server refuses the Device and the model card")
    assert WORDS in said
    assert "Traceback" not in said


def test_where_only_the_id_is_refused_the_pass_goes_on(site: Site, faulty: Use) -> None:
    """A server that gives out the ids refuses a PUT to an unknown id, also of a Device that says nothing."""
    note = site.document()

    def own_ids(request: httpx.Request) -> httpx.Response | None:
        puts = b'"method":"PUT"' in request.content.replace(b" ", b"") and b'"Device"' in request.content
        if puts or (request.method == "PUT" and "/Device/" in request.url.path):
            return httpx.Response(405, json=OUTCOME, request=request)
        return stating_nothing(request) if request.method == "GET" else None

    faulty(own_ids)
    ended, _ = site.poll()
    assert ended[f"DocumentReference/{note['id']}"].status == "written"
