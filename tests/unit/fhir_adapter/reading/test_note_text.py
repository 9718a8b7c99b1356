"""Which attachment of a note is read, and what is said of the others."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Reading
from fhir_adapter.reading.attachment import FetchLimits
from fhir_adapter.reading.note_text import read_note
from fhir_adapter.reading.policy import Policy, ineligible
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Extractor, Limits
from fhir_adapter.writing.summary import content_path
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for

LONG = "The biopsy of the left breast shows an invasive carcinoma of grade two. Call the patient."
OTHER = "The patient walks without pain. The wound is dry and the stitches may come out on Friday."


def rtf(text: str) -> str:
    return "{\\rtf1\\ansi " + text + "}"


def attachment(text: str, content_type: str = "text/plain", **more: Any) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode()
    return {"contentType": content_type, "data": data, **more}


def document(*attachments: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"attachment": one} for one in attachments]
    return {"resourceType": "DocumentReference", "id": "1", "status": "current", "content": content, **more}


async def read(resource: dict[str, Any], answer: Answer | None = None) -> Reading:
    async with (
        ScriptedServer(lambda _: answer or Answer(404)) as server,
        client_for(server, retries=0) as client,
        Extractor(Limits(), workers=1) as extractor,
    ):
        return await read_note(read_source(resource), client, extractor, FetchLimits())


@pytest.mark.parametrize("status", [400, 404, 406, 410])
async def test_a_format_that_is_gone_gives_way_to_the_next(status: int) -> None:
    gone = {"contentType": "text/html", "url": "Binary/gone"}
    reading = await read(document(gone, attachment(rtf(LONG), "text/rtf")), Answer(status))
    assert LONG in reading.text.text


@pytest.mark.parametrize("status", [401, 403, 429, 500, 202])
async def test_a_format_that_may_come_back_is_waited_for(status: int) -> None:
    later = {"contentType": "text/html", "url": "Binary/later"}
    with pytest.raises(NoteError) as error:
        await read(document(later, attachment(rtf(LONG), "text/rtf")), Answer(status))
    assert error.value.reason.transient


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html><script src=app.js></script><div id=root></div></html>", Reason.WRONG_ANSWER),
        (b"<html><body>\n</body></html>", Reason.WRONG_ANSWER),
        (b"<html><body><img src=scan.png></body></html>", Reason.EMPTY_TEXT),
    ],
)
async def test_a_page_without_a_word_is_waited_for_unless_it_shows_a_picture(
    page: bytes, reason: Reason
) -> None:
    by_address = {"contentType": "text/html", "url": "Binary/page"}
    with pytest.raises(NoteError) as error:
        await read(document(by_address), Answer(200, page, {"Content-Type": "text/html"}))
    assert error.value.reason is reason
    with pytest.raises(NoteError) as error:
        await read(document(attachment(page.decode(), "text/html")))
    assert error.value.reason is Reason.EMPTY_TEXT


async def test_a_name_is_no_address_and_gives_way_to_the_next() -> None:
    named = {"contentType": "text/html", "url": "urn:uuid:0c1b"}
    assert LONG in (await read(document(named, attachment(rtf(LONG), "text/rtf")))).text.text


async def test_a_document_without_attachment_is_read_by_its_narrative() -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{LONG}</p></div>'
    reading = await read(document(text={"status": "additional", "div": div}))
    assert (reading.attachment.path, reading.text.text.strip()) == ("DocumentReference.text.div", LONG)


@pytest.mark.parametrize(
    "others", [(attachment(OTHER),), (attachment(rtf(OTHER), "text/rtf", title="Addendum"),)]
)
async def test_other_documents_of_a_resource_are_read_after_the_first(
    others: tuple[dict[str, Any], ...],
) -> None:
    reading = await read(document(attachment(LONG), *others))
    text = reading.text.text
    assert text.index("[Document 1 of 2]") < text.index(LONG) < text.index("[Document 2 of 2")
    assert text.index("[Document 2 of 2") < text.index(OTHER)
    assert [text[h.start : h.end].startswith("[Document") for h in reading.text.headings] == [True, True]
    assert content_path(reading) == (
        "DocumentReference.content[0].attachment.data | DocumentReference.content[1].attachment.data"
    )
    assert (reading.text.notice, reading.text.verbatim) == ("", False)


async def test_documents_keep_the_order_of_the_resource_and_their_titles() -> None:
    first = attachment(rtf(LONG), "text/rtf", title="Letter [scan]\nof May")
    text = (await read(document(first, attachment(OTHER)))).text
    assert text.text.startswith(f"[Document 1 of 2: Letter scan of May]\n{LONG}")
    assert text.normalization.partition("|")[2].startswith("1+plain-")
    assert "rtf-" in text.normalization


async def test_headings_and_rows_of_a_later_document_move_with_it() -> None:
    page = f"<html><body><h2>Plan</h2><p>{OTHER}</p><table><tr><td>Na</td><td>140</td></tr></table></body>"
    text = (await read(document(attachment(LONG), attachment(page, "text/html")))).text
    assert [text.text[h.start : h.end] for h in text.headings][-1] == "Plan"
    assert {text.text[m.start : m.end] for m in text.marks} >= {"Na | 140"}


async def test_another_format_of_the_same_is_no_other_document() -> None:
    for other in (attachment(rtf(LONG), "text/rtf"), attachment(LONG), attachment(f"  {LONG}\n")):
        reading = await read(document(attachment(LONG), other))
        assert (reading.text.text, reading.text.notice, reading.further) == (LONG, "", ())


async def test_a_later_version_that_repeats_all_and_goes_on_is_read_alone() -> None:
    reading = await read(document(attachment(LONG), attachment(f"{LONG}\nAddendum: {OTHER}")))
    assert reading.text.text == f"{LONG}\nAddendum: {OTHER}"


async def test_an_addendum_is_read_however_much_of_its_note_it_repeats() -> None:
    long = "\n".join(
        f"On day {day} the wound was clean and the patient walked {day}0 metres." for day in range(9)
    )
    addendum = long.replace("On day 1 the wound was clean", "On day 1 the wound was infected and drained")
    reading = await read(document(attachment(long), attachment(addendum)))
    assert "infected and drained" in reading.text.text
    assert "On day 1 the wound was clean" in reading.text.text


@pytest.mark.parametrize("status", [403, 500])
async def test_a_second_document_that_may_come_back_is_waited_for(status: int) -> None:
    later = {"contentType": "text/plain", "url": "Binary/later"}
    with pytest.raises(NoteError) as error:
        await read(document(attachment(LONG), later), Answer(status))
    assert error.value.reason.transient


@pytest.mark.parametrize(
    ("gone", "notice"),
    [
        ({"contentType": "text/plain", "url": "Binary/gone"}, "1 of 2 documents read"),
        ({"contentType": "text/html", "url": "Binary/gone"}, ""),
        ({"contentType": "image/png", "url": "Binary/gone"}, ""),
    ],
)
async def test_a_second_document_that_is_gone_is_named(gone: dict[str, Any], notice: str) -> None:
    reading = await read(document(attachment(LONG), gone), Answer(404))
    assert (reading.text.text, reading.text.notice) == (LONG, notice)


@pytest.mark.parametrize(
    ("conclusion", "is_read"),
    [
        (LONG, False),
        ("Call the patient", False),
        (OTHER, True),
        ("Lymphoma.", True),
        (f"{LONG} An MRI is recommended in three months.", True),
    ],
)
async def test_a_conclusion_that_the_form_does_not_hold_is_read_too(conclusion: str, is_read: bool) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "1",
        "status": "final",
        "presentedForm": [attachment(f"Dear colleague, here is what we saw. {LONG}")],
        "conclusion": conclusion,
    }
    reading = await read(report)
    assert (f"[Document 2 of 2: Conclusion]\n{conclusion}" in reading.text.text) is is_read


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"docStatus": "Final"}, None),
        ({"docStatus": "FINAL", "status": "Current"}, None),
        ({"docStatus": "Preliminary"}, Reason.NOT_FINAL),
        ({"modifierExtension": [{"url": "urn:x:negated", "valueBoolean": True}]}, Reason.UNKNOWN_MODIFIER),
        ({"status": "entered-in-error", "modifierExtension": [{"url": "urn:x"}]}, Reason.ENTERED_IN_ERROR),
        ({"implicitRules": "urn:x:rules"}, Reason.UNKNOWN_MODIFIER),
        ({"context": {"modifierExtension": [{"url": "urn:x"}]}}, Reason.UNKNOWN_MODIFIER),
        (
            {"relatesTo": [{"code": "appends", "modifierExtension": [{"url": "urn:x"}]}]},
            Reason.UNKNOWN_MODIFIER,
        ),
        ({"contained": [{"resourceType": "Practitioner", "modifierExtension": [{"url": "urn:x"}]}]}, None),
    ],
)
def test_whether_a_document_is_read(parts: dict[str, Any], reason: Reason | None) -> None:
    assert ineligible(read_source(document(attachment(LONG), **parts)), Policy()) is reason


@pytest.mark.parametrize(
    "encounters",
    [
        [{"reference": "EpisodeOfCare/e"}, {"reference": "Encounter/1"}],
        [{"type": "EpisodeOfCare", "identifier": {"value": "e"}}, {"reference": "Encounter/1/_history/2"}],
        [{}, {"reference": "http://h/fhir/EpisodeOfCare/e/"}, {"reference": "Encounter/1"}],
        [{"display": "The stay of May"}, {"reference": "Encounter/1/"}],
        [{"identifier": {"value": "9"}}, {"reference": "#episode"}, {"reference": "Encounter/1"}],
    ],
)
def test_the_encounter_is_found_beside_an_episode_of_care(encounters: list[dict[str, Any]]) -> None:
    note = read_source(document(attachment(LONG), context={"encounter": encounters}))
    assert note.encounter is not None
    assert note.encounter["reference"].startswith("Encounter/1")
    assert replace(note, encounter=None).encounter is None
