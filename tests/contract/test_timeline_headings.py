"""What is altered around the sentences of a timeline is found: the headings they are shown under."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.audit.findings import Finding
from tests.contract.contract_fhir import Fhir
from tests.contract.passes import Site, reference
from tests.contract.timelines import Chart, a_chart, checked, codes, kept_as_stored, part, spans, text_of

Resource = dict[str, Any]
FIRST, SECOND = "2025-03-01", "2025-03-02"


@pytest.fixture
def chart(fhir: Fhir, tmp_path: Path) -> Chart:
    return a_chart(Site(fhir, tmp_path / "ledger.sqlite"))


def headed(chart: Chart) -> Resource:
    """A timeline of two notes that name the same drug, each under another heading."""
    drug = "Warfarin 5 mg daily by mouth."
    chart.add(f"MEDICATIONS TO STOP:\n{drug}", "He has no fever at night.", date=FIRST)
    chart.add(f"MEDICATIONS TO START:\n{drug}", date=SECOND)
    return kept_as_stored(chart)


def heading_altered(resource: Resource) -> None:
    text_of(resource, 0, "TO STOP", "TO START")


def heading_hidden(resource: Resource) -> None:
    text_of(resource, 0, '<i id="s1c1"', '<i style="display:none" id="s1c1"')


def heading_of_another_kind(resource: Resource) -> None:
    part(spans(resource, 0)[0], "extract-context")["valueCode"] = "caption"


def heading_behind(resource: Resource) -> None:
    spans(resource, 0)[0], spans(resource, 0)[1] = spans(resource, 0)[1], spans(resource, 0)[0]


def heading_lost(resource: Resource) -> None:
    del spans(resource, 0)[0]


def heading_lost_without_a_trace(resource: Resource) -> None:
    del spans(resource, 0)[0]
    text_of(resource, 0, '<i id="s1c1" class="context heading">MEDICATIONS TO STOP:</i> ', "")


def headings_swapped(resource: Resource) -> None:
    """Each drug under the heading of the other note, by its words and by its offsets."""
    one, other = (spans(resource, section)[0]["extension"] for section in (0, 1))
    for name in ("reference", "path", "offset", "length"):
        here, there = (next(p for p in parts if p["url"] == name) for parts in (one, other))
        key = next(key for key in here if key.startswith("value"))
        here[key], there[key] = there[key], here[key]
    text_of(resource, 0, "TO STOP", "TO ST#RT")
    text_of(resource, 1, "TO START", "TO STOP")
    text_of(resource, 0, "TO ST#RT", "TO START")


AROUND: list[tuple[Callable[[Resource], None], Finding, bool]] = [
    (heading_altered, Finding.CONTEXT_ALTERED, True),
    (heading_hidden, Finding.NARRATIVE_CHANGED, True),
    (heading_of_another_kind, Finding.CONTEXT_DIFFERS, True),
    (heading_behind, Finding.WRONG_ORDER, True),
    (heading_lost, Finding.CONTEXT_ADDED, True),
    (heading_lost_without_a_trace, Finding.CONTEXT_MISSING, False),
    (headings_swapped, Finding.WRONG_PLACE, True),
]


def test_what_is_altered_around_the_sentences_of_a_timeline_is_found(chart: Chart) -> None:
    resource = headed(chart)
    where = reference(resource)
    assert (chart.site.one_audit(where).findings, checked(chart, where)) == ((), 0)

    for alter, finding, by_checker in AROUND:
        altered = copy.deepcopy(resource)
        alter(altered)
        chart.site.fhir.put(altered)
        assert finding in codes(chart.site.one_audit(where)), alter.__name__
        assert not by_checker or checked(chart, where) == 1, alter.__name__


def test_the_same_words_under_another_heading_are_no_repeat(chart: Chart) -> None:
    headed(chart)
    shown = [
        ([piece.text for piece in sentence.context], sentence.text, len(sentence.places))
        for entry in chart.read().entries
        for sentence in entry.sentences
    ]
    assert shown == [
        (["MEDICATIONS TO STOP:"], "Warfarin 5 mg daily by mouth.", 1),
        (["MEDICATIONS TO STOP:"], "He has no fever at night.", 1),
        (["MEDICATIONS TO START:"], "Warfarin 5 mg daily by mouth.", 1),
    ]
