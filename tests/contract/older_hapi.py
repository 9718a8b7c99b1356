"""A pass against a HAPI of an earlier version that validates what it is sent (docs/servers.md).

    .venv/bin/python -m tests.contract.older_hapi http://127.0.0.1:8080/fhir

The server has to be a new one that was asked for nothing yet. Every run of the tests asks 7.2 and 6.4.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from fhir_adapter.profiles import definitions
from fhir_adapter.profiles.upload import load
from fhir_adapter.timeline.writer import WriteStatus
from jobs.runtime import make_client
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.lives import html_document, only
from tests.contract.passes import Site, reference
from tests.contract.timelines import a_chart

LABEL = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue|DEVAST"  # AIAST is newer than it


async def loaded(site: Site) -> int:
    """How many definitions the server has taken that it did not have."""
    async with make_client(site.settings) as client:
        return (await load(client)).created


def main(base_url: str, version: str = "") -> None:
    """Loads the definitions, writes two summaries and a timeline, and proves all three.

    Args:
        base_url: of the server.
        version: of HAPI, which it has to state; "" for any.

    Raises:
        AssertionError: something is otherwise than it should be.
    """
    fhir = Fhir(FhirServer("hapi", base_url))
    with fhir.http, tempfile.TemporaryDirectory() as folder:
        assert fhir.get("metadata")["software"]["version"].startswith(version)
        without_a_code = {"resourceType": "Observation", "id": "no-code", "status": "final"}
        assert fhir.send("PUT", "Observation/no-code", without_a_code).status_code == 422, "it validates"
        site = Site(fhir, Path(folder) / "ledger.sqlite", {"TIMEOUT": "300", "AI_LABEL": LABEL})
        assert asyncio.run(loaded(site)) == len(definitions())
        chart = a_chart(site)
        subject = {"reference": chart.patient}
        notes = [site.document(subject=subject), html_document(site, subject=subject)]
        sources = [reference(note) for note in notes]
        assert {one.status for one in site.poll(sources)[0].values()} == {"written"}
        for note in notes:
            assert site.one_audit(reference(only(site, note))).ok
        assert {one.status for one in site.poll(sources)[0].values()} == {"unchanged"}
        kept = chart.keep()[1]
        assert kept.status is WriteStatus.WRITTEN
        assert site.one_audit(kept.composition).ok


if __name__ == "__main__":
    main(sys.argv[1])
