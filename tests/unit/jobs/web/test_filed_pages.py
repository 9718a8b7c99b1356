"""The pages over a server that takes documents alone: a note, a patient, the list, by the same proofs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from fhir_adapter.sandbox.settings import Quirk
from tests.contract.filed import Ward, alterations, documents, filing_site, inner
from tests.unit.jobs.web.web_parts import Served

WORDS = "No fever today. Stable on ceftriaxone."


@pytest.fixture(params=[(), (Quirk.PATIENT_SEARCHES,)], ids=["documents", "by patient"])
def ward(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ward]:
    """One patient with one note and its filed summary."""
    with filing_site(tmp_path / "site", *request.param) as sites:
        found = Ward(*sites)
        found.ours.options["PATIENTS"] = found.patient if request.param else ""
        found.note(WORDS)
        assert list(found.poll().values()) == ["written"]
        yield found


def options(ward: Ward) -> dict[str, Any]:
    address = ward.ours.fhir.server.base_url
    return {
        "fhir_base_url": address,
        "write_as": "document",
        "patients": ward.ours.options["PATIENTS"],
        "database_url": f"sqlite:///{ward.ours.database}",
    }


def composition(ward: Ward) -> str:
    (document,) = documents(ward.theirs)
    return str(inner(document)["id"])


def words_of(answer: Any, path: str) -> str:
    tree = html.document_fromstring(answer.text)
    return " ".join(" ".join(one.text_content().split()) for one in tree.xpath(path))


async def test_a_note_beside_its_filed_summary_is_proven(served: Served, ward: Ward) -> None:
    ident = composition(ward)
    async with served(**options(ward)) as client:
        page = await client.get(f"/note/{ident}")
        proof = (await client.get(f"/v1/compositions/{ident}/audit")).json()
        whole = (await client.get(f"/v1/compositions/{ident}")).json()
    assert page.status_code == 200
    assert words_of(page, "//section[contains(@class, 'verdict')]//h2") == "This summary holds"
    assert "Stable on ceftriaxone." in words_of(page, "//ol[@class='rows']//p[@class='words']")
    assert proof["ok"], proof
    assert whole


async def test_a_filed_summary_that_somebody_changed_is_said_not_to_hold(served: Served, ward: Ward) -> None:
    ident = composition(ward)
    (document,) = documents(ward.theirs)
    ward.theirs.fhir.put(alterations()["readable part and Composition"](document))
    async with served(**options(ward)) as client:
        page = await client.get(f"/note/{ident}")
    assert page.status_code == 200
    assert "holds" not in words_of(page, "//section[contains(@class, 'verdict')]//h2")


async def test_a_patients_page_shows_it(served: Served, ward: Ward) -> None:
    async with served(**options(ward)) as client:
        page = await client.get(f"/patient/{ward.patient.partition('/')[2]}")
    assert page.status_code == 200
    assert "Stable on ceftriaxone." in words_of(page, "//main")


async def test_the_list_shows_it_by_a_search_or_by_the_ledger(served: Served, ward: Ward) -> None:
    ident = composition(ward)
    async with served(**options(ward)) as client:
        page = await client.get("/audit")
        listed = await client.get("/v1/compositions", params={"patient": ward.patient})
        everything = await client.get("/v1/compositions")
    assert ident in listed.text
    assert [one["composition"] for one in everything.json()["compositions"]] == [f"Composition/{ident}"]
    assert page.status_code == 200
    assert f"/note/{ident}" in page.text
    known = bool(ward.ours.options["PATIENTS"])  # all of them at once are not to be had there
    assert ("does not answer a search over all patients" in words_of(page, "//main")) is known


async def test_the_summaries_of_one_note_are_listed_by_a_search_or_by_the_ledger(
    served: Served, ward: Ward
) -> None:
    (document,) = documents(ward.theirs)
    ident, note = inner(document)["id"], inner(document)["section"][0]["entry"][0]["reference"]
    async with served(**options(ward)) as client:
        found = [
            (await client.get("/v1/compositions", params={"source": source})).json()["compositions"]
            for source in (note, f"{note}9")
        ]
    assert [[one["composition"] for one in some] for some in found] == [[f"Composition/{ident}"], []]
