"""What the tests of a server with a partition for each patient share: patients, and what was written."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.contract.checker import check
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.lives import of_its_own
from tests.contract.passes import Site, reference

Json = dict[str, Any]


def site_on(server: FhirServer, folder: Path) -> Iterator[Site]:
    fhir = Fhir(server)
    with fhir.http:  # a HAPI that has just started is slow to answer the first search of each kind
        yield of_its_own(Site(fhir, folder / "ledger.sqlite", {"TIMEOUT": "300"}))


def a_patient(site: Site) -> Json:
    patient = site.fhir.put({"resourceType": "Patient", "id": new_id("patient")})
    return {"subject": {"reference": reference(patient)}}


def maker(composition: Json) -> Json:
    """The Device that a Composition contains, its only author."""
    (device,) = composition["contained"]
    for holder in (composition, *composition["section"]):
        assert holder["author"] == [{"reference": f"#{device['id']}"}]
    assert isinstance(device, dict)
    return device


def provenances(site: Site, composition: Json) -> list[Json]:
    return site.fhir.matches(site.fhir.get("Provenance", target=reference(composition)))


def written(site: Site) -> Counter[str]:
    """How often each resource of ours was written, over the whole server."""
    kinds = ("Composition", "Provenance", "Device", "DeviceDefinition")
    found = [one for kind in kinds for one in site.fhir.matches(site.fhir.get(kind))]
    return Counter({reference(one): int(one["meta"]["versionId"]) for one in found})


def held(site: Site, composition: Json) -> bool:
    """Whether both audits find nothing: ours, and the script that shares no code with us."""
    address = f"{site.fhir.server.base_url}/{reference(composition)}"
    return site.one_audit(reference(composition)).ok and check(address) == 0
