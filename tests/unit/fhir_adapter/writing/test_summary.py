import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter import canonical
from fhir_adapter.audit.claims import read_claims
from fhir_adapter.errors import NoteError
from fhir_adapter.narrative import displayed
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.bundles import (
    conditional_transaction,
    registration,
    summary_resources,
    transaction,
)
from fhir_adapter.writing.lifecycle import Existing, read_existing
from fhir_adapter.writing.provenance import provenance
from fhir_adapter.writing.summary import SummaryDraft, composition, extracted_text
from fhir_adapter.writing.validity import validate
from tests.unit.fhir_adapter.builders import BASE_URL, TEXT, a_draft, a_pipeline, a_reading, a_summary


def an_existing() -> Existing:
    resource = {**written_new(a_draft())["entry"][0]["resource"], "id": "given"}
    return read_existing({**resource, "meta": {**resource["meta"], "versionId": "7"}})


def written_new(written: SummaryDraft) -> dict[str, Any]:
    return transaction(summary_resources(written))


def written_conditionally(written: SummaryDraft, existing: Existing | None = None) -> dict[str, Any]:
    return conditional_transaction(written.pipeline, summary_resources(written, existing), existing)


def entries(bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["resource"]["resourceType"]: entry for entry in bundle["entry"]}


def test_each_sentence_carries_its_offsets_and_stands_in_the_narrative() -> None:
    claims = read_claims(composition(a_draft()))

    assert [(s.offset, s.length) for s in claims.spans] == [(0, 22), (23, 21)]
    assert [text for _, text in claims.items] == [TEXT[0:22], TEXT[23:44]]
    assert [span.link for span in claims.spans] == [anchor for anchor, _ in claims.items]
    assert {span.reference for span in claims.spans} == {"DocumentReference/123"}
    assert {span.path for span in claims.spans} == {"DocumentReference.content[0].attachment.data"}


def test_the_text_is_named_by_version_recipe_hash_and_length() -> None:
    claims = read_claims(composition(a_draft()))

    assert claims.source == "DocumentReference/123"
    assert claims.version == "3"
    assert claims.unit == "unicode-code-point"
    assert claims.normalization == "recipe/text/plain|1"
    assert claims.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert claims.length == len(TEXT)


def test_everything_written_is_valid_r4b() -> None:
    for bundle in (
        written_new(a_draft()),
        written_new(a_draft(verbatim=False)),
        written_conditionally(a_draft(verbatim=False), an_existing()),
        registration(a_pipeline()),
    ):
        for entry in bundle["entry"]:
            validate(entry["resource"])


def test_validation_names_the_element_and_never_its_value() -> None:
    resource = composition(a_draft())
    resource["date"] = "secret words of a patient"

    with pytest.raises(NoteError) as error:
        validate(resource)

    assert error.value.reason is Reason.MALFORMED
    assert str(error.value) == "malformed: Composition: date"


def test_the_same_note_gives_the_same_resources() -> None:
    assert written_new(a_draft()) == written_new(a_draft())


def test_ids_depend_on_source_and_pipeline_and_not_on_the_version() -> None:
    one = a_draft()

    assert a_draft(version_id="4").composition_id == one.composition_id
    assert a_draft(id="124").composition_id != one.composition_id
    assert a_draft(resource_type="DiagnosticReport").composition_id != one.composition_id
    assert one.composition_id != one.provenance_id


@pytest.mark.parametrize(
    "changed", [{"software_version": "2"}, {"settings": (("budget", "3"),)}, {"name": "other"}]
)
def test_another_software_setting_or_name_is_another_pipeline_version(changed: dict[str, Any]) -> None:
    assert a_pipeline(**changed).version != a_pipeline().version


@pytest.mark.parametrize("sentence", [(0, 22, "Hx of T2DM since 2015."), (1, 22, TEXT[0:22]), (0, 0, "")])
def test_a_sentence_that_does_not_stand_in_the_text_is_never_written(
    sentence: tuple[int, int, str],
) -> None:
    start, end, text = sentence
    summary = a_summary(TEXT, [(0, 22)])
    chosen = type(summary.summary[0])(start, end, text, 0.5)
    altered = type(summary)(summary.model, "", len(TEXT), (chosen,), ())

    with pytest.raises(NoteError, match="not-verbatim"):
        SummaryDraft(a_reading(), altered, a_pipeline(), BASE_URL)


def test_sentences_out_of_order_are_never_written() -> None:
    with pytest.raises(NoteError, match="not-verbatim"):
        a_draft(spans=[(23, 44), (0, 22)])


def test_a_note_without_a_sentence_has_no_composition() -> None:
    with pytest.raises(NoteError, match="empty-text"):
        a_draft(spans=[])


def test_a_source_that_is_not_plain_text_brings_its_text_along() -> None:
    written = a_draft(verbatim=False)
    text = extracted_text(written)
    claims = read_claims(composition(written))
    attachment = text["content"][0]["attachment"]

    assert base64.b64decode(attachment["data"]).decode() == TEXT
    assert text["relatesTo"] == [
        {
            "code": "transforms",
            "target": {"reference": "DocumentReference/123", "type": "DocumentReference"},
        }
    ]
    assert text["meta"]["tag"][0]["code"] == canonical.EXTRACTED_TEXT_TAG[1]
    assert all(span.reference != "DocumentReference/123" for span in claims.spans)
    assert claims.source == "DocumentReference/123"


def test_the_text_of_a_report_is_related_and_not_transformed() -> None:
    text = extracted_text(a_draft(verbatim=False, resource_type="DiagnosticReport"))

    assert "relatesTo" not in text
    assert text["context"]["related"][0]["reference"] == "DiagnosticReport/123"


def test_security_labels_are_kept_and_the_strictest_confidentiality_stated() -> None:
    labels = (
        {"system": canonical.CONFIDENTIALITY, "code": "N"},
        {"system": canonical.CONFIDENTIALITY, "code": "R"},
        {"system": "http://example.org", "code": "HIV", "display": "sensitive"},
        {"code": 7},
        "junk",
    )
    resource = composition(a_draft(security=labels))

    assert [label.get("code") for label in resource["meta"]["security"]] == [
        "AIAST",
        "N",
        "R",
        "HIV",
        "7",
        None,
    ]
    assert resource["meta"]["security"][-1] == {"display": "junk"}
    assert resource["confidentiality"] == "R"


@pytest.mark.parametrize(
    ("odd", "carried"),
    [
        ({"system": "http://example.org", "code": " PSY "}, {"system": "http://example.org", "code": "PSY"}),
        ({"display": "staff only"}, {"display": "staff only"}),
        ({"system": "not a uri", "code": "PSY"}, {"system": "not a uri", "code": "PSY"}),
        (
            {"code": {"odd": 1}},
            {"system": canonical.CONFIDENTIALITY, "code": "R", "display": "restricted"},
        ),
        (
            {"system": "http://example.org", "code": "AIAST"},
            {"system": "http://example.org", "code": "AIAST"},
        ),
    ],
)
def test_no_label_is_ever_dropped(odd: Any, carried: Any) -> None:
    for resource in (composition(a_draft(security=(odd,))), extracted_text(a_draft(security=(odd,)))):
        assert carried in resource["meta"]["security"]
        validate(resource)


@pytest.mark.parametrize(
    "system",
    [canonical.CONFIDENTIALITY, "http://hl7.org/fhir/v3/Confidentiality", "urn:oid:2.16.840.1.113883.5.25"],
)
def test_confidentiality_is_read_under_each_name_of_its_system(system: str) -> None:
    assert composition(a_draft(security=({"system": system, "code": "V"},)))["confidentiality"] == "V"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"reference": "Patient/1"}, {"reference": "Patient/1"}),
        ({"reference": f"{BASE_URL}/Patient/1"}, {"reference": "Patient/1"}),
        ({"reference": "Patient/1/_history/4"}, {"reference": "Patient/1"}),
        ({"reference": "https://other.org/Patient/1"}, {"reference": "https://other.org/Patient/1"}),
        (
            {"reference": "urn:uuid:7d6c"},
            {"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:7d6c"}},
        ),
        ({"identifier": {"system": "s", "value": "v"}}, {"identifier": {"system": "s", "value": "v"}}),
        ({"reference": "/Patient/1"}, {"reference": "Patient/1"}),
        (
            {"reference": "urn:oid:1.2"},
            {"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2"}},
        ),
        (
            {"reference": "https://other.org/api?patient=1"},
            {"identifier": {"system": "urn:ietf:rfc:3986", "value": "https://other.org/api?patient=1"}},
        ),
        ({"reference": " Patient/1/ "}, {"reference": "Patient/1"}),
        ({"reference": BASE_URL.replace("https", "HTTP") + "/Patient/1"}, {"reference": "Patient/1"}),
        (
            {"reference": BASE_URL.upper().replace("/FHIR", "/fhir") + "/Patient/1"},
            {"reference": "Patient/1"},
        ),
        (
            {"reference": BASE_URL.replace(".org", ".org:443") + "/Patient/1/"},
            {"reference": "Patient/1"},
        ),
        ({"reference": "Patient/" + "e_" * 44}, {"reference": "Patient/" + "e_" * 44}),
        ({"display": "A. B."}, {"display": "A. B."}),
        ("Patient/1", None),
        (None, None),
    ],
)
def test_every_form_of_subject_comes_through(found: Any, expected: Any) -> None:
    assert composition(a_draft(subject=found)).get("subject") == expected


@pytest.mark.parametrize(
    "lost",
    [
        {"reference": "#p", "display": "A. B."},
        {"reference": "not a reference", "display": "A. B."},
        {"reference": "Patient?identifier=a|b"},
        {"reference": 5},
        {"identifier": {"period": {}}},
    ],
)
def test_a_note_whose_subject_cannot_be_kept_lands_in_nobodys_chart(lost: Any) -> None:
    with pytest.raises(NoteError) as error:
        a_draft(subject=lost)
    assert error.value.reason is Reason.MALFORMED
    assert "A. B." not in str(error.value)


@pytest.mark.parametrize(
    ("stamp", "written"),
    [
        ("2026-01-01T10:00:00.000+0000", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01T10:00:00", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T12:00:00+02:00", "2026-01-01T12:00:00+02:00"),
    ],
)
def test_a_stamp_that_can_be_read_can_be_written(stamp: str, written: str) -> None:
    resource = composition(a_draft(last_updated=stamp))
    assert resource["date"] == written
    validate(resource)


@pytest.mark.parametrize(
    "odd", [{"reference": "EpisodeOfCare/1"}, {"reference": "#e"}, [], {"reference": ""}]
)
def test_an_encounter_of_another_kind_is_left_out(odd: Any) -> None:
    assert "encounter" not in composition(a_draft(encounter=odd))


@pytest.mark.parametrize("odd", [{"coding": "x"}, {"coding": [{"code": 5}]}, {"text": ""}, 7, None])
def test_an_odd_type_or_period_never_fails_the_summary(odd: Any) -> None:
    validate(composition(a_draft(type=odd, period=odd, custodian=odd, master_identifier=odd)))


def test_the_provenance_names_the_version_twice_since_servers_strip_it() -> None:
    what = provenance(a_draft())["entity"][0]["what"]

    assert what["reference"] == "DocumentReference/123/_history/3"
    assert what["identifier"]["value"] == f"{BASE_URL}/DocumentReference/123/_history/3"


def test_only_a_document_claims_the_document_provenance_policy() -> None:
    assert provenance(a_draft())["policy"] == [canonical.MXDE_POLICY]
    assert "policy" not in provenance(a_draft(resource_type="DiagnosticReport"))


def test_a_server_that_gives_out_ids_gets_conditional_entries_that_refer_by_full_url() -> None:
    new = written_conditionally(a_draft(verbatim=False))
    known = entries(written_conditionally(a_draft(verbatim=False), an_existing()))

    assert all("id" not in entry["resource"] for entry in new["entry"])
    assert {entry["request"]["method"] for entry in new["entry"]} == {"POST"}
    assert known["Composition"]["request"] == {
        "method": "PUT",
        "url": "Composition/given",
        "ifMatch": 'W/"7"',
    }
    assert known["Composition"]["resource"]["id"] == "given"
    target = known["Provenance"]["resource"]["target"][0]["reference"]
    assert target == known["Composition"]["fullUrl"]
    author = known["Composition"]["resource"]["author"][0]["reference"]
    assert author == known["Device"]["fullUrl"]


_WORDS = st.text(min_size=1).map(str.strip).filter(bool)


@given(_WORDS, _WORDS, _WORDS)
def test_offsets_and_narrative_hold_for_any_unicode(first: str, between: str, second: str) -> None:
    text = first + between + second
    spans = [(0, len(first)), (len(first) + len(between), len(text))]
    claims = read_claims(composition(a_draft(text, spans, context=(len(first), len(first + between)))))

    for span, (_, shown) in zip(claims.spans, claims.items, strict=True):
        assert shown == displayed(text[span.offset : span.offset + span.length])
    ((heading,), *_) = (item[:-1] for item in claims.shown if len(item) > 1)
    assert (heading.text, heading.kind, claims.plain_list) == (displayed(between), "heading", True)


@given(st.text())
def test_what_is_displayed_is_the_text_but_for_white_space_and_what_xml_cannot_hold(text: str) -> None:
    shown, meant = displayed(text), " ".join(text.split())

    assert len(shown) == len(meant)
    for one, other in zip(shown, meant, strict=True):
        if one != other:
            assert ord(other) < 0x20 or 0xD800 <= ord(other) < 0xE000 or ord(other) in (0xFFFE, 0xFFFF)


def test_what_is_shown_with_a_sentence_stands_before_it_with_offsets_of_its_own() -> None:
    text = "MEDICATIONS TO STOP:\nWarfarin 5 mg\ndaily."
    resource = composition(a_draft(text, [(21, 41)], context=(0, 20)))
    (section,) = resource["section"]
    heading, sentence = section["extension"]

    assert section["text"]["div"].endswith(
        '<ol><li><i id="s1c1" class="context heading">MEDICATIONS TO STOP:</i> '
        '<span id="s1">Warfarin 5 mg daily.</span></li></ol></div>'
    )
    assert [one["id"] for one in (heading, sentence)] == ["p1c1", "p1"]
    stated = {part["url"]: next(v for k, v in part.items() if k != "url") for part in heading["extension"]}
    assert (stated["offset"], stated["length"]) == (0, 20)
    assert (stated[canonical.NARRATIVE_LINK], stated[canonical.EXTRACT_CONTEXT]) == ("#s1c1", "heading")
    assert canonical.EXTRACT_SCORE not in stated


@pytest.mark.parametrize("context", [(0, 0), (5, 30), (-3, 4), (40, 60)])
def test_context_that_is_none_is_never_written(context: tuple[int, int]) -> None:
    with pytest.raises(NoteError, match="not-verbatim"):
        a_draft("MEDICATIONS TO STOP:\nWarfarin 5 mg\ndaily.", [(21, 41)], context=context)


def test_what_a_server_does_to_white_space_is_no_alteration() -> None:
    resource = composition(a_draft(context=(0, 2), spans=[(3, 22), (23, 44)]))
    untouched = read_claims(resource)
    text = resource["section"][0]["text"]
    text["div"] = text["div"].replace("<li>", "\n  <li>\n").replace(" NSTEMI", "\n    NSTEMI")

    assert read_claims(resource).items == untouched.items
    assert read_claims(resource).plain_list


@pytest.mark.parametrize(
    ("note", "title"),
    [
        ({"written": "2026-01-05T08:00:00Z", "date": "2025-12-30"}, "Progress note 2026-01-05"),
        ({"written": None, "date": "2025-12-30"}, "Progress note"),
    ],
)
def test_the_title_has_the_day_on_which_the_note_was_written(note: dict[str, Any], title: str) -> None:
    assert composition(a_draft(**note))["title"] == f"AI-extracted summary: {title}"
