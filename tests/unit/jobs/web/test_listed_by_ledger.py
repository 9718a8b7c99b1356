"""The list of summaries over a server that wants a patient in every search: what the ledger knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.filed import Ward
from tests.contract.passes import Site, reference
from tests.unit.jobs.web.web_parts import Served

WANTS = "does not answer a search over all patients"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    """One patient with three notes that a pass has summarised, and none of another one."""
    database = tmp_path / "fhir.sqlite"
    odd = SandboxSettings(database=database, quirks=frozenset([Quirk.PATIENT_SEARCHES]))
    with running_embedded(SandboxSettings(database=database)) as plain, running_embedded(odd) as base_url:
        inside, outside = (Fhir(FhirServer("embedded", url)) for url in (plain, base_url))
        with inside.http, outside.http:
            ours, theirs = Site(outside, tmp_path / "site.sqlite"), Site(inside, tmp_path / "none.sqlite")
            found = Ward(ours, theirs)
            ours.options["PATIENTS"] = found.patient
            for number in range(3):
                found.note(f"Mild cough on day {number}. Home with fluids.")
            assert set(found.poll().values()) == {"written"}
            yield found


def options(ward: Ward, **changed: Any) -> dict[str, Any]:
    return {
        "fhir_base_url": ward.ours.fhir.server.base_url,
        "patients": ward.ours.options["PATIENTS"],
        "database_url": f"sqlite:///{ward.ours.database}",
        **changed,
    }


def links(answer: Any) -> list[str]:
    tree: Any = html.document_fromstring(answer.text)
    return [str(a.get("href")) for a in tree.xpath("//table//th/a")]


def written(ward: Ward) -> set[str]:
    compositions = ward.theirs.fhir.matches(ward.theirs.fhir.get("Composition"))
    return {reference(one) for one in compositions}


async def test_the_page_lists_what_the_ledger_knows_and_leads_to_the_patients(
    served: Served, ward: Ward
) -> None:
    async with served(**options(ward)) as client:
        page, timelines = await client.get("/audit"), await client.get("/audit?kind=timelines")
    assert (page.status_code, timelines.status_code) == (200, 200)
    assert {f"Composition/{link.rpartition('/')[2]}" for link in links(page)} == written(ward)
    for answer in (page, timelines):
        assert WANTS in answer.text
        assert '<a href="/patient">' in answer.text
    assert "No timeline has been written" not in timelines.text


async def test_pages_go_on_behind_each_other_and_show_what_stands_on_the_server(
    served: Served, ward: Ward
) -> None:
    gone = min(written(ward))
    ward.theirs.fhir.send("DELETE", gone).raise_for_status()
    found: list[str] = []
    cursor: str | None = ""
    async with served(**options(ward)) as client:
        for _ in range(3):
            asked = {"count": "1", **({"cursor": cursor} if cursor else {})}
            answer = await client.get("/v1/compositions", params=asked)
            assert answer.status_code == 200
            found += [one["composition"] for one in answer.json()["compositions"]]
            cursor = answer.json().get("next")
    assert cursor is None
    assert sorted(found) == sorted(written(ward))
    assert gone not in found


async def test_with_nothing_in_the_ledger_it_says_so(served: Served, ward: Ward, tmp_path: Path) -> None:
    async with served(**options(ward, database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}")) as client:
        page = await client.get("/audit")
    assert page.status_code == 200
    assert WANTS in page.text
    assert "The ledger has no note with a summary." in page.text
