"""Searches for Compositions and Provenances as searches for the documents that hold them."""

import pytest

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.filing.terms import exact, ways_to

COUNT = ("_count", "10")


@pytest.mark.parametrize(
    ("kind", "asked", "identifiers"),
    [
        ("Composition", ("_id", "a,b"), f"{canonical.FILED}|Composition/a,{canonical.FILED}|Composition/b"),
        ("Composition", ("entry", "DocumentReference/1"), f"{canonical.FILED_SOURCES}|DocumentReference/1"),
        ("Composition", ("author", "Device/x"), f"{canonical.FILED}|Device/x"),
        ("Composition", ("_tag", "|".join(canonical.SUMMARY_TAG)), f"{canonical.SUMMARIES}|"),
        ("Composition", ("_tag", f"{canonical.TEXTS}|k"), f"{canonical.TEXTS}|k"),
        ("Provenance", ("target", "Composition/a"), f"{canonical.FILED}|Composition/a"),
        ("Provenance", ("entity", "DocumentReference/1"), f"{canonical.FILED_SOURCES}|DocumentReference/1"),
        ("Provenance", ("_tag", f"{canonical.PROVENANCE_KEY}|p"), f"{canonical.FILED}|Provenance/p"),
        ("Provenance", ("_tag", f"{canonical.PROVENANCE_KEY}|"), f"{canonical.FILED}|"),
    ],
)
def test_each_search_names_identifiers_of_documents(
    kind: str, asked: tuple[str, str], identifiers: str
) -> None:
    first, *others = ways_to(kind, [asked, COUNT])

    assert first == [("identifier", identifiers), COUNT]
    assert [] in others, "where the server takes none, all documents are looked at"


def test_a_patients_are_asked_for_by_patient() -> None:
    assert ways_to("Composition", [("subject", "Patient/1"), COUNT])[0] == [
        ("patient", "Patient/1"),
        ("identifier", f"{canonical.FILED}|"),
        COUNT,
    ]


def test_what_no_document_is_found_by_is_refused_as_servers_do() -> None:
    with pytest.raises(HttpStatusError) as error:
        ways_to("Composition", [("related-ref", "Composition/1")])

    assert error.value.unsupported


def test_ids_alone_are_looked_up_without_a_search_of_more() -> None:
    assert exact("Composition", [("_id", "a,b"), COUNT]) == ["Composition/a", "Composition/b"]
    assert exact("Composition", [("_id", "a"), ("subject", "Patient/1")]) == []
    assert exact("Composition", [COUNT]) == []
