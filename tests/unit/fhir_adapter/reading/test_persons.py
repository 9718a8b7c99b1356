"""Who a patient is, read out of what servers hold."""

from typing import Any

import pytest

from fhir_adapter.reading.persons import read_person
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.timeline.pieces import number_before


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([{"family": "Ainsley", "given": ["Walter", "B."]}], "Walter B. Ainsley"),
        ([{"use": "old", "family": "Was"}, {"use": "official", "family": "Is", "suffix": ["Jr."]}], "Is Jr."),
        ([{"use": "official"}, {"use": "usual", "text": "Ines  Calloway"}], "Ines Calloway"),
        ([{"use": "private", "family": "Unsaid"}], ""),
        ("no list", ""),
        ([{"family": 7, "given": "x"}, None], "x"),
    ],
)
def test_a_name_is_the_one_in_use(names: Any, said: str) -> None:
    assert read_person({"resourceType": "Patient", "id": "1", "name": names}).name == said


@pytest.mark.parametrize(
    ("identifiers", "said"),
    [
        ([{"value": "9"}, {"value": "7", "type": {"coding": [{"code": "MR"}]}}], "7"),
        ([{"value": "9", "use": "old"}, {"system": "x"}, {"value": "8"}], "8"),
        ([{"value": 9}], ""),
        (None, ""),
    ],
)
def test_the_number_is_that_of_the_record(identifiers: Any, said: str) -> None:
    assert read_person({"resourceType": "Patient", "id": "1", "identifier": identifiers}).number == said


def test_the_author_of_a_note_is_whom_it_displays() -> None:
    note = {"resourceType": "DocumentReference", "id": "1", "author": [{"display": "Dr.  Okafor"}, {}, 7]}
    assert read_source(note).authors == ("Dr. Okafor",)
    performers = {"performer": [{"display": "Ward"}], "resultsInterpreter": [{"display": "Dr. Lund"}]}
    report = {"resourceType": "DiagnosticReport", "id": "1"}
    assert read_source(report | performers).authors == ("Dr. Lund",)
    assert read_source(report).authors == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2. ", "2."),
        ("  (b) ", "(b)"),
        ("#3 ", "#3"),
        ("iv) ", "iv)"),
        ("- ", ""),
        ("Grade 2. ", ""),
        ("", ""),
        ("12345. ", ""),
    ],
)
def test_what_counts_a_sentence_stands_alone_before_it(line: str, said: str) -> None:
    text = f"PLAN:\n{line}Aspirin."
    assert number_before(text, text.index("Aspirin")) == said
