"""Whether the text read again is the one that a Composition describes."""

import pytest

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.sources import same_text
from fhir_adapter.note import NoteText
from fhir_adapter.text.language import NOTICE
from fhir_adapter.text.recipe import recipe

_OTHER = "no charset stated; read as windows-1252"


def _claims(text: NoteText, notice: str) -> Claims:
    return Claims(
        composition="Composition/1",
        status="preliminary",
        source="DocumentReference/1",
        source_url="DocumentReference/1/_history/1",
        source_texts=1,
        version="1",
        path="DocumentReference.content[0].attachment.data",
        unit="unicode-code-point",
        normalization=text.normalization,
        sha256=text.sha256,
        length=len(text.text),
        pipeline="",
        authors=(),
        section_authors=(),
        sections=1,
        spans=(),
        items=(),
        labels=frozenset(),
        notice=notice,
    )


@pytest.mark.parametrize(
    ("stated", "found", "differs"),
    [
        ("", "", False),
        (_OTHER, _OTHER, False),
        ("", _OTHER, True),
        # What was written before there was this remark does not have it.
        ("", NOTICE, False),
        (_OTHER, f"{_OTHER}; {NOTICE}", False),
        (f"{_OTHER}; {NOTICE}", f"{_OTHER}; {NOTICE}", False),
        # But what says it must be right, and what else is remarkable must be said.
        (NOTICE, "", True),
        (NOTICE, f"{_OTHER}; {NOTICE}", True),
    ],
)
def test_remarks_on_a_reading_are_those_that_are_stated(stated: str, found: str, differs: bool) -> None:
    text = NoteText("Kein Fieber.", recipe("plain", "2"), "text/plain", notice=found)
    result = same_text(_claims(text, stated), text, 2)
    assert result == ([(Finding.NOTICE_DIFFERS, "")] if differs else [])
