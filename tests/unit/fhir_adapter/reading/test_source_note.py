import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import has_tag, reference_of
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.attachment import candidates
from fhir_adapter.reading.policy import Policy, ineligible
from fhir_adapter.reading.source_note import read_source, replaces
from fhir_adapter.reasons import Reason


def document(**more):
    return {"resourceType": "DocumentReference", "id": "d1", "status": "current", **more}


def report(**more):
    return {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", **more}


def test_a_document_of_r4():
    note = read_source(
        document(
            meta={
                "versionId": "3",
                "lastUpdated": "2024-05-01T12:00:00.123456+02:00",
                "security": [{"code": "R"}],
            },
            docStatus="final",
            masterIdentifier={"system": "urn:x", "value": "1"},
            subject={"reference": "Patient/p"},
            type={"text": "Discharge summary"},
            date="2024-05-01T11:00:00Z",
            custodian={"reference": "Organization/o"},
            description="Summary",
            securityLabel=[{"coding": [{"code": "V"}, {"code": "R"}]}],
            content=[
                {
                    "attachment": {
                        "contentType": "application/pdf",
                        "url": "Binary/1",
                        "size": 12,
                        "hash": "aGFzaA==",
                    }
                },
                {"attachment": {"contentType": "text/plain", "data": "YQ==", "title": "t", "language": "de"}},
            ],
            context={
                "encounter": [{"reference": "Encounter/e"}],
                "period": {"start": "2024-04-01", "end": "2024-04-05"},
            },
        )
    )
    assert note.reference == "DocumentReference/d1"
    assert (note.version_id, note.last_updated) == ("3", "2024-05-01T12:00:00.123456+02:00")
    assert note.subject == {"reference": "Patient/p"}
    assert note.encounter == {"reference": "Encounter/e"}
    assert note.custodian == {"reference": "Organization/o"}
    assert note.date == "2024-04-01"
    assert note.title == "Summary"
    assert note.security == ({"code": "R"}, {"code": "V"})
    assert [a.path for a in note.attachments] == [
        "DocumentReference.content[0].attachment",
        "DocumentReference.content[1].attachment",
    ]
    assert (note.attachments[0].size, note.attachments[0].hash) == (12, "aGFzaA==")
    assert (note.attachments[1].title, note.attachments[1].language) == ("t", "de")


def test_a_report_with_all_its_texts():
    note = read_source(
        report(
            code={"text": "CT"},
            effectivePeriod={"end": "2024-01-02"},
            issued="2024-01-03T00:00:00Z",
            encounter={"reference": "Encounter/e"},
            presentedForm=[{"contentType": "text/html", "data": "YQ=="}],
            conclusion="No fracture.",
            text={"status": "generated", "div": "<div>No fracture.</div>"},
        )
    )
    assert note.type == {"text": "CT"}
    assert note.date == "2024-01-02"
    assert note.encounter == {"reference": "Encounter/e"}
    assert [(a.path, a.content_type, a.text) for a in note.attachments] == [
        ("DiagnosticReport.presentedForm[0]", "text/html", None),
        ("DiagnosticReport.conclusion", "text/plain; charset=utf-8", "No fracture."),
        ("DiagnosticReport.text.div", "application/xhtml+xml", "<div>No fracture.</div>"),
    ]


def test_shapes_of_other_versions():
    old = read_source(
        document(
            docStatus={"coding": [{"code": "preliminary"}]},
            created="2016-01-01",
            indexed="2016-02-02T00:00:00Z",
            context={"encounter": {"reference": "Encounter/old"}},
            content={"attachment": {"data": "YQ=="}},
        )
    )
    assert old.doc_status == "preliminary"
    assert old.date == "2016-01-01"
    assert old.encounter == {"reference": "Encounter/old"}
    assert len(old.attachments) == 1
    new = read_source(
        document(
            context=[{"reference": "CarePlan/c"}, {"reference": "Encounter/new"}],
            period={"start": "2025-01-01"},
            content=[{"attachment": {"url": "Binary/1", "size": "190"}}],
        )
    )
    assert new.encounter == {"reference": "Encounter/new"}
    assert new.date == "2025-01-01"
    assert new.attachments[0].size == 190


def test_data_that_the_server_keeps_outside():
    extension = {
        "url": "http://hapifhir.io/fhir/StructureDefinition/externalized-binary-id",
        "valueString": "x",
    }
    note = read_source(
        document(content=[{"attachment": {"contentType": "text/plain", "_data": {"extension": [extension]}}}])
    )
    (attachment,) = note.attachments
    assert attachment.externalized
    assert attachment.url == (
        "DocumentReference/d1/$binary-access-read?path=DocumentReference.content%5B0%5D.attachment"
    )


def test_masked_data_is_not_outside():
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    note = read_source(document(content=[{"attachment": {"_data": {"extension": [extension]}}}]))
    assert not note.attachments[0].externalized
    assert candidates(note) == ()


def test_a_contained_binary_is_read_in_place():
    note = read_source(
        document(
            contained=[{"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "YQ=="}],
            content=[{"attachment": {"url": "#b"}}, {"attachment": {"url": "#other"}}],
        )
    )
    assert [(a.data, a.content_type) for a in note.attachments] == [("YQ==", "text/plain"), (None, None)]


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"resourceType": "DocumentReference"},
        {"resourceType": "Patient", "id": "1"},
        {"resourceType": ["DocumentReference"], "id": "1"},
        {"resourceType": "DocumentReference", "id": ""},
        {"resourceType": "DocumentReference", "id": "a/b"},
        {"resourceType": "DocumentReference", "id": ".."},
        {"resourceType": "DocumentReference", "id": True},
        {"resourceType": "DocumentReference", "id": ["x"]},
        {"resourceType": "DocumentReference", "id": "a\n"},
    ],
)
def test_without_a_usable_type_or_id_it_is_malformed(resource):
    with pytest.raises(NoteError) as caught:
        read_source(resource)
    assert caught.value.reason is Reason.MALFORMED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "reference",
                    "code",
                    "coding",
                    "attachment",
                    "data",
                    "url",
                    "extension",
                    "div",
                    "start",
                    "size",
                    "target",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = [
    *("meta", "status", "docStatus", "subject", "context", "encounter", "custodian", "content", "date"),
    *("presentedForm", "conclusion", "text", "contained", "type", "code", "description", "language"),
    *("masterIdentifier", "securityLabel", "effectivePeriod", "effectiveDateTime", "relatesTo"),
]


@given(
    st.sampled_from(["DocumentReference", "DiagnosticReport"]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8),
)
def test_any_json_in_any_element_gives_a_note(kind, elements):
    resource = {**elements, "resourceType": kind, "id": "x"}
    note = read_source(resource)
    assert note.reference == f"{kind}/x"
    assert isinstance(note.status, str | None)
    assert isinstance(note.subject, dict | None)
    assert all(isinstance(a.data, str | None) for a in note.attachments)
    assert len(candidates(note)) <= len(note.attachments)
    ineligible(note, Policy())
    replaces(resource)
    has_tag(resource, ("s", "c"))
    assert reference_of(resource) == note.reference


def doc(status, doc_status=None, replaced_by=None):
    return SourceNote("DocumentReference", "1", "1", "", status, doc_status, replaced_by=replaced_by)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (doc("current"), None),
        (doc("current", "final"), None),
        (doc("current", "amended"), None),
        (doc("current", "corrected"), None),
        (doc("current", "appended"), None),
        (doc("current", "preliminary"), Reason.NOT_FINAL),
        (doc("superseded"), None),
        (doc("superseded", replaced_by="DocumentReference/2"), Reason.SUPERSEDED),
        (doc("superseded", "preliminary"), Reason.NOT_FINAL),
        (doc("entered-in-error"), Reason.ENTERED_IN_ERROR),
        (doc("current", "entered-in-error"), Reason.ENTERED_IN_ERROR),
        (doc(None), Reason.NOT_FINAL),
        (doc("bogus"), Reason.NOT_FINAL),
        *(
            (SourceNote("DiagnosticReport", "1", "1", "", s), None)
            for s in ("final", "amended", "corrected", "appended")
        ),
        *(
            (SourceNote("DiagnosticReport", "1", "1", "", s), Reason.NOT_FINAL)
            for s in ("registered", "partial", "preliminary", "unknown", None)
        ),
        (SourceNote("DiagnosticReport", "1", "1", "", "cancelled"), Reason.CANCELLED),
        (doc("current", "cancelled"), Reason.CANCELLED),
        (doc("current", replaced_by="DocumentReference/2"), Reason.SUPERSEDED),
        (SourceNote("DiagnosticReport", "1", "1", "", "entered-in-error"), Reason.ENTERED_IN_ERROR),
    ],
)
def test_which_statuses_count(note, reason):
    assert ineligible(note, Policy()) is reason


def test_the_policy_can_be_narrowed():
    policy = Policy(document_statuses=frozenset({"current"}), report_statuses=frozenset({"preliminary"}))
    assert ineligible(doc("superseded"), policy) is Reason.SUPERSEDED
    assert ineligible(SourceNote("DiagnosticReport", "1", "1", "", "preliminary"), policy) is None


@pytest.mark.parametrize(
    ("contained", "expected"),
    [
        (
            {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:x", "value": "7"}]},
            {"type": "Patient", "identifier": {"system": "urn:x", "value": "7"}},
        ),
        ({"resourceType": "Patient", "id": "#p", "name": [{"family": "Doe"}]}, {"reference": "#p"}),
        ({"resourceType": "Patient", "id": "other"}, {"reference": "#p"}),
        (7, {"reference": "#p"}),
    ],
)
def test_a_contained_subject_is_named_by_its_identifier_or_not_at_all(contained, expected):
    resource = {"resourceType": "DocumentReference", "id": "1", "subject": {"reference": "#p"}}

    assert read_source({**resource, "contained": [contained]}).subject == expected


def test_labels_of_any_form_are_kept():
    odd = {"resourceType": "DocumentReference", "id": "1", "meta": {"security": ["R", {"code": "N"}]}}
    note = read_source({**odd, "securityLabel": [{"text": "staff only"}, {"coding": [{"code": "N"}]}, 7]})

    assert note.security == ("R", {"code": "N"}, {"display": "staff only"}, 7)


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ("Patient/p", {"reference": "Patient/p"}),
        (["", "Patient/p"], {"reference": "Patient/p"}),
        (17, {"reference": "17"}),
        ([{"reference": "Patient/p"}], {"reference": "Patient/p"}),
        ("", None),
        ([], None),
    ],
)
def test_a_subject_that_is_no_object_is_not_taken_for_none(found, kept):
    assert read_source(document(subject=found)).subject == kept


def test_labels_of_what_a_note_contains_are_labels_of_the_note():
    secret = {"system": "s", "code": "V"}
    binary = {"resourceType": "Binary", "id": "b", "meta": {"security": [secret]}, "data": "YQ=="}
    note = read_source(document(contained=[binary], securityLabel=[{"coding": [{"code": "R"}]}]))
    assert note.security == ({"code": "R"}, secret)
