"""What the tests of copies share: notes of one text, and which summary names which of them."""

from typing import Any

from fhir_adapter import canonical
from tests.contract.contract_fhir import new_id
from tests.contract.lives import ended
from tests.contract.passes import Site, encoded, reference

Json = dict[str, Any]

WORDS = "The wound is dry. Sutures come out on Friday. No fever since the operation.\n"
OTHER = "The wound is red. Antibiotics are begun today. Review on Monday.\n"


def plain(text: str) -> Json:
    return {"contentType": "text/plain; charset=utf-8", "data": encoded(text)}


def report(site: Site, text: str = WORDS, **changed: Any) -> Json:
    """A DiagnosticReport that holds a text as its form."""
    body = {"resourceType": "DiagnosticReport", "id": new_id("report"), "status": "final"}
    return site.fhir.put({**body, "code": {"text": "Wound"}, "presentedForm": [plain(text)], **changed})


def owners(site: Site, *notes: Json) -> list[str]:
    """The notes that have a current summary made from them."""
    found = []
    for note in notes:
        for one in site.written(reference(note)):
            made_from = one["section"][0]["entry"][0]["reference"]  # a server may ignore a parameter
            if made_from == reference(note) and one["status"] != "entered-in-error" and not ended(one):
                found.append(reference(note))
    return found


def named(site: Site, composition: Json) -> set[str]:
    """The sources that a summary names, by its Provenances."""
    found = site.fhir.matches(site.fhir.get("Provenance", target=reference(composition)))
    return {
        entity["what"]["reference"].split("/_history")[0]
        for one in found
        if reference(composition) in [target["reference"] for target in one["target"]]
        and not any(e["url"] == canonical.ENDED_BECAUSE for e in one.get("extension", ()))
        for entity in one["entity"]
    }


def whole(site: Site, *notes: Json) -> str:
    """Asserts that just one of the notes has a summary, and that it names all; which one it is."""
    (owner,) = owners(site, *notes)
    (composition,) = [
        c for c in site.written(owner) if not ended(c) and c["section"][0]["entry"][0]["reference"] == owner
    ]
    assert named(site, composition) == {reference(note) for note in notes}
    assert site.one_audit(composition["id"]).ok
    return owner


def versions(site: Site, *notes: Json) -> dict[str, str]:
    """Every Composition and Provenance of the notes, with its version."""
    found = {}
    for note in notes:
        kinds = (("Composition", "entry"), ("Provenance", "entity"))
        for kind, parameter in kinds:
            for one in site.fhir.matches(site.fhir.get(kind, **{parameter: reference(note)})):
                found[reference(one)] = one["meta"]["versionId"]
    return found
