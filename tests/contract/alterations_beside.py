"""Alterations of everything in a Composition but its narrative: offsets, hash, version, labels, elements."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from fhir_adapter.audit.findings import Finding
from fhir_adapter.canonical import AI_CONFIDENCE, DERIVATION_REFERENCE
from tests.contract.alterations import Change, Resource, add, alteration, drop, fact, part, section, spans

AI_LABEL = "AIAST"


def on_span(number: int, name: str, change: Callable[[Any], Any]) -> Change:
    """Changes the value of one part of one span."""

    def changed(resource: Resource) -> None:
        found = part(spans(resource)[number], name)
        key = next(key for key in found if key.startswith("value"))
        found[key] = change(found[key])

    return changed


def on_fact(name: str, change: Callable[[Any], Any]) -> Change:
    """Changes the value of one part of the description of the source's text."""

    def changed(resource: Resource) -> None:
        found = fact(resource, name)
        key = next(key for key in found if key.startswith("value"))
        found[key] = change(found[key])

    return changed


for index in range(3):
    where = f"in span {index + 1}"
    add(f"offset one more {where}", on_span(index, "offset", lambda n: n + 1), Finding.SENTENCE_ALTERED)
    less = Finding.SENTENCE_ALTERED if index else Finding.OFFSET_OUTSIDE  # the first begins at 0
    add(f"offset one less {where}", on_span(index, "offset", lambda n: n - 1), less)
    add(f"length one more {where}", on_span(index, "length", lambda n: n + 1), Finding.SENTENCE_ALTERED)
    add(f"length one less {where}", on_span(index, "length", lambda n: n - 1), Finding.SENTENCE_ALTERED)
    add(f"offset past the end {where}", on_span(index, "offset", lambda _: 99_999), Finding.OFFSET_OUTSIDE)
    add(f"length past the end {where}", on_span(index, "length", lambda _: 99_999), Finding.OFFSET_OUTSIDE)
    add(f"offset negative {where}", on_span(index, "offset", lambda n: -n - 5), Finding.OFFSET_OUTSIDE)
    add(f"length nought {where}", on_span(index, "length", lambda _: 0), Finding.OFFSET_OUTSIDE)
    add(f"length negative {where}", on_span(index, "length", lambda n: -n), Finding.OFFSET_OUTSIDE)
    add(f"path of another element {where}", on_span(index, "path", lambda p: f"{p}x"), Finding.WRONG_PLACE)
    add(f"link lost {where}", on_span(index, "narrativeLink", lambda _: "#s8"), Finding.SPAN_WITHOUT_SENTENCE)
for name in ("offset", "length", "path", "reference", "narrativeLink"):
    add(
        f"{name} of a span missing",
        lambda resource, name=name: drop(spans(resource)[1], name),  # type: ignore[misc]
        Finding.SPAN_MALFORMED,
    )


@alteration(Finding.CONFIDENCE_UNFOUNDED, by_checker=False)
def a_score_called_a_confidence(resource: Resource) -> None:
    for span in spans(resource):
        score = part(span, "extract-score")["valueDecimal"]
        span["extension"].append({"url": AI_CONFIDENCE, "valueDecimal": score})


@alteration(Finding.SPAN_MALFORMED)
def offset_stated_twice(resource: Resource) -> None:
    spans(resource)[0]["extension"].insert(0, {"url": "offset", "valueInteger": 7})


@alteration(Finding.DUPLICATE_ID)
def two_spans_for_one_sentence(resource: Resource) -> None:
    on_span(1, "narrativeLink", lambda _: "#s1")(resource)


@alteration(Finding.DUPLICATE_ID)
def a_span_twice(resource: Resource) -> None:
    spans(resource).append({**deepcopy(spans(resource)[2]), "id": "p9"})


@alteration(Finding.SPAN_WITHOUT_SENTENCE)
def a_span_added(resource: Resource) -> None:
    added = deepcopy(spans(resource)[2])
    part(added, "narrativeLink")["valueUrl"] = "#s4"
    spans(resource).append({**added, "id": "p9"})


@alteration(Finding.SENTENCE_ALTERED)
def offsets_of_two_spans_swapped(resource: Resource) -> None:
    for name in ("offset", "length"):
        one, other = (part(span, name) for span in spans(resource)[:2])
        one["valueInteger"], other["valueInteger"] = other["valueInteger"], one["valueInteger"]


@alteration(Finding.WRONG_PLACE)
def spans_point_at_the_subject(resource: Resource) -> None:
    for span in spans(resource):
        part(span, "reference")["valueReference"] = {"reference": resource["subject"]["reference"]}


@alteration(Finding.WRONG_PLACE)
def one_span_points_at_another_server(resource: Resource) -> None:
    part(spans(resource)[0], "reference")["valueReference"] = {"reference": "https://x.example.org/Binary/1"}


@alteration(Finding.SPAN_MISSING)
def spans_under_another_url(resource: Resource) -> None:
    for span in spans(resource):
        span["url"] = f"{DERIVATION_REFERENCE}s"


add("hash of another text", on_fact("sha256", lambda _: "0" * 64), Finding.TEXT_DIFFERS)
add(
    "hash with one digit changed",
    on_fact("sha256", lambda h: ("1" if h[0] == "0" else "0") + h[1:]),
    Finding.TEXT_DIFFERS,
)
add("hash cut", on_fact("sha256", lambda h: h[:-1]), Finding.TEXT_DIFFERS)
add("hash missing", lambda resource: drop(resource["extension"][0], "sha256"), Finding.NOT_OURS)
add("length of another text", on_fact("length", lambda n: n + 1), Finding.TEXT_DIFFERS)
add("length missing", lambda resource: drop(resource["extension"][0], "length"), Finding.TEXT_DIFFERS)
add("version before", on_fact("versionId", lambda _: "1"), Finding.SOURCE_CHANGED)
add("version to come", on_fact("versionId", lambda _: "99"), Finding.SOURCE_GONE)
add("version that is none", on_fact("versionId", lambda _: "x/../y"), Finding.SOURCE_GONE)
add("version missing", lambda resource: drop(resource["extension"][0], "versionId"), Finding.SOURCE_CHANGED)
add("address of another version", on_fact("source", lambda u: f"{u}9"), Finding.SOURCE_MISMATCH)
add(
    "address of another source",
    on_fact("source", lambda u: u.replace("/_history", "x/_history")),
    Finding.SOURCE_MISMATCH,
)
add("address missing", lambda resource: drop(resource["extension"][0], "source"), Finding.SOURCE_MISMATCH)
add("unit of UTF-16", on_fact("unit", lambda _: "utf-16-code-unit"), Finding.UNIT_UNKNOWN)
add("unit missing", lambda resource: drop(resource["extension"][0], "unit"), Finding.UNIT_UNKNOWN)
add(
    "recipe of another time",
    on_fact("normalization", lambda u: f"{u}0"),
    Finding.EXTRACTOR_DIFFERS,
)
add("media type", on_fact("mediaType", lambda _: "image/png"), Finding.ELEMENT_DIFFERS, by_checker=False)
add(
    "path of the source's text",
    on_fact("path", lambda p: f"{p}x"),
    Finding.SOURCE_UNREADABLE,
    by_checker=False,
)
add("pipeline of another model", on_fact("pipeline", lambda p: f"{p}0"), Finding.MODEL_UNKNOWN)


@alteration(Finding.NOT_OURS)
def description_of_the_text_deleted(resource: Resource) -> None:
    del resource["extension"]


@alteration(Finding.SOURCE_MISMATCH)
def description_of_the_text_twice(resource: Resource) -> None:
    resource["extension"].append(deepcopy(resource["extension"][0]))


def _without_label(code: str) -> Change:
    def change(resource: Resource) -> None:
        security = resource["meta"]["security"]
        resource["meta"]["security"] = [label for label in security if label["code"] != code]

    return change


def _label(old: str, **new: str) -> Change:
    def change(resource: Resource) -> None:
        next(x for x in resource["meta"]["security"] if x["code"] == old).update(new)

    return change


add("AI label deleted", _without_label(AI_LABEL), Finding.LABEL_REMOVED)
add("AI label of another system", _label(AI_LABEL, system="http://x.example.org"), Finding.LABEL_REMOVED)
add("AI label of another code", _label(AI_LABEL, code="CLINAST"), Finding.LABEL_REMOVED)
add("AI label in small letters", _label(AI_LABEL, code="aiast"), Finding.LABEL_REMOVED)
add("label R deleted", _without_label("R"), Finding.PROTECTION_LOWERED)
add("label R lowered", _label("R", code="N"), Finding.PROTECTION_LOWERED)
add("label PSY deleted", _without_label("PSY"), Finding.PROTECTION_LOWERED)
add("all labels deleted", lambda resource: resource["meta"].pop("security"), Finding.LABEL_REMOVED)
add("tag deleted", lambda r: r["meta"].pop("tag"), Finding.ELEMENT_DIFFERS)


def add_element(name: str, finding: Finding, **elements: Any) -> None:
    """Sets elements of the Composition; None deletes one."""
    add(name, lambda resource: _set(resource, elements), finding)


def add_in_section(name: str, finding: Finding, **elements: Any) -> None:
    add(name, lambda resource: _set(section(resource), elements), finding)


def _set(holder: Resource, elements: dict[str, Any]) -> None:
    for key, value in elements.items():
        if value is None:
            del holder[key]
        else:
            holder[key] = deepcopy(value)


OTHER_DEVICE, OTHER_PATIENT, OTHER_NOTE = "Device/tamper", "Patient/tamper", "DocumentReference/tamper"
NOBODY = [{"display": "Dr. Nobody"}]
CODE = {"coding": [{"system": "http://loinc.org", "code": "11503-0"}]}

add_element("confidentiality lowered", Finding.PROTECTION_LOWERED, confidentiality="N")
add_element("confidentiality deleted", Finding.PROTECTION_LOWERED, confidentiality=None)
add_element("status final unsigned", Finding.STATUS_WRONG, status="final")
add_element("status amended unsigned", Finding.STATUS_WRONG, status="amended")
add_element("subject of another patient", Finding.SUBJECT_DIFFERS, subject={"reference": OTHER_PATIENT})
add_element("subject deleted", Finding.SUBJECT_DIFFERS, subject=None)
add_element("subject by name alone", Finding.SUBJECT_DIFFERS, subject={"display": "Somebody"})
add_element("author another Device", Finding.AUTHOR_MISSING, author=[{"reference": OTHER_DEVICE}])
add_element("author a patient", Finding.AUTHOR_MISSING, author=[{"reference": OTHER_PATIENT}])
add_element("author by name alone", Finding.AUTHOR_MISSING, author=NOBODY)
add_in_section(
    "author of the section another Device", Finding.AUTHOR_MISSING, author=[{"reference": OTHER_DEVICE}]
)
add_in_section("author of the section deleted", Finding.AUTHOR_MISSING, author=None)
add_in_section("entry another note", Finding.SOURCE_MISMATCH, entry=[{"reference": OTHER_NOTE}])
add_in_section("entry deleted", Finding.NOT_OURS, entry=None)
add_in_section("title of the section", Finding.ELEMENT_DIFFERS, title="Diagnoses")
add_in_section("mode of the section", Finding.ELEMENT_DIFFERS, mode="working")
add_in_section("order of the section", Finding.ELEMENT_DIFFERS, orderedBy=None)
add_in_section("focus of the section", Finding.ELEMENT_DIFFERS, focus={"reference": OTHER_PATIENT})
add_in_section("code of the section", Finding.ELEMENT_DIFFERS, code=CODE)
add_element("title", Finding.ELEMENT_DIFFERS, title="Discharge summary by Dr. Nobody")
add_element("type", Finding.ELEMENT_DIFFERS, type=CODE)
add_element("category deleted", Finding.ELEMENT_DIFFERS, category=None)
add_element("identifier", Finding.ELEMENT_DIFFERS, identifier={"system": "urn:x", "value": "1"})
add_element("date", Finding.ELEMENT_DIFFERS, date="2001-01-01T00:00:00Z")
add_element("language", Finding.ELEMENT_DIFFERS, language="de")
add_element("event deleted", Finding.SOURCE_MISMATCH, event=None)
add_element("event of another note", Finding.SOURCE_MISMATCH, event=[{"detail": [{"reference": OTHER_NOTE}]}])
add_element("encounter added", Finding.ELEMENT_DIFFERS, encounter={"display": "Another stay"})
add_element("custodian added", Finding.ELEMENT_DIFFERS, custodian={"display": "Another hospital"})


@alteration(Finding.AUTHOR_MISSING)
def a_second_author(resource: Resource) -> None:
    resource["author"].append(NOBODY[0])


@alteration(Finding.MODEL_UNKNOWN)
def both_authors_another_device(resource: Resource) -> None:
    resource["author"] = section(resource)["author"] = [{"reference": OTHER_DEVICE}]


@alteration(Finding.SOURCE_MISMATCH)
def a_second_entry(resource: Resource) -> None:
    section(resource)["entry"].append({"reference": OTHER_NOTE})


@alteration(Finding.SECTION_ADDED)
def a_section_added(resource: Resource) -> None:
    resource["section"].append({"title": "Plan", "text": deepcopy(section(resource)["text"])})


@alteration(Finding.SECTION_ADDED)
def a_section_inside(resource: Resource) -> None:
    section(resource)["section"] = [{"title": "Plan", "text": deepcopy(section(resource)["text"])}]


@alteration(Finding.ELEMENT_DIFFERS)
def caption_says_verified(resource: Resource) -> None:
    resource["text"]["div"] = resource["text"]["div"].replace("unverified", "verified")


@alteration(Finding.ELEMENT_DIFFERS)
def caption_names_another_version(resource: Resource) -> None:
    resource["text"]["div"] = resource["text"]["div"].replace(" version 2", " version 1")


@alteration(Finding.ELEMENT_DIFFERS)
def caption_without_its_warning(resource: Resource) -> None:
    resource["text"]["div"] = resource["text"]["div"].replace(" Not a substitute for the source note.", "")


@alteration(Finding.ELEMENT_DIFFERS)
def caption_deleted(resource: Resource) -> None:
    del resource["text"]
