"""Summaries filed as documents on a real HAPI, as strict as a hospital's."""

from pathlib import Path

import pytest

from jobs.cli import run
from tests.contract.contract_fhir import Fhir, new_id
from tests.contract.filed import FILED, current, documents, settings_of, text_of
from tests.contract.passes import Site, encoded, reference


@pytest.mark.hapi
def test_a_summary_is_filed_replaced_withdrawn_and_reinstated(
    hapi: Fhir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(hapi, tmp_path / "ledger.sqlite", {**FILED, "PIPELINE": new_id("filed")})
    patient = reference(hapi.put({"resourceType": "Patient", "id": new_id("patient")}))
    resource = site.document("No fever today. Stable on ceftriaxone.", subject={"reference": patient})
    note = reference(resource)

    def polled() -> str:
        return site.poll([note])[0][note].status

    assert [polled(), polled()] == ["written", "unchanged"]
    (document,) = documents(site, note)
    composition = next(i["value"] for i in document["identifier"] if i["value"].startswith("Composition/"))
    assert site.one_audit(composition).findings == ()

    words = [
        {"attachment": {"contentType": "text/plain", "data": encoded("Fever since noon. Cultures drawn.")}}
    ]
    hapi.put({**resource, "content": words})
    assert polled() == "written"
    (after,) = current(site, note)
    assert "Cultures drawn." in text_of(after)
    assert hapi.get(reference(document))["status"] == "superseded"
    assert site.one_audit(composition).findings == ()

    settings_of(site, monkeypatch)
    assert run(["withdraw", "--source", note, "--yes"]) == 0
    assert "DO NOT USE" in text_of(hapi.get(reference(after)))
    assert run(["withdraw", "--source", note, "--undo", "--yes"]) == 0
    assert polled() == "unchanged"

    hapi.put({**hapi.get(note), "status": "entered-in-error"})
    assert polled() == "skipped"
    assert hapi.get(reference(after))["status"] == "entered-in-error"
    assert site.one_audit(composition).findings == ()
