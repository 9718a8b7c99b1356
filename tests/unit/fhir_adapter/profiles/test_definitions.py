"""The definitions, the package built of them, and that what we write claims what is defined."""

import dataclasses
import io
import json
import re
import tarfile
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_adapter import canonical
from fhir_adapter.audit.claims import read_claims
from fhir_adapter.profiles import VERSION, definitions, structure
from fhir_adapter.profiles.describe import rows
from fhir_adapter.profiles.examples import examples
from fhir_adapter.profiles.package import build, manifest
from fhir_adapter.profiles.upload import upload_bundle
from fhir_adapter.writing.authorship import author
from fhir_adapter.writing.provenance import provenance
from fhir_adapter.writing.summary import composition, extracted_text
from fhir_adapter.writing.validity import validate
from tests.unit.fhir_adapter.builders import MODEL, a_draft, a_pipeline

STRUCTURES = [d for d in definitions() if d["resourceType"] == "StructureDefinition"]
OTHER_BASE = 'https://fhir.hospital.example.org/x"y'


def by_id(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}-{resource['id']}"


@pytest.mark.parametrize("resource", definitions(), ids=by_id)
def test_each_is_a_definition_with_a_url_of_its_own(resource: dict[str, Any]) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert resource["url"] == f"{canonical.CANONICAL_BASE}/{resource['resourceType']}/{resource['id']}"
    assert resource["version"] == VERSION
    assert len({d["url"] for d in definitions()}) == len(definitions())


def test_the_base_is_a_setting() -> None:
    text = json.dumps(definitions(OTHER_BASE))
    assert json.dumps(OTHER_BASE)[1:-1] in text
    assert not any(left in text for left in ("{base}", "{version}", canonical.CANONICAL_BASE))
    assert manifest(OTHER_BASE)["canonical"] == OTHER_BASE
    assert build(OTHER_BASE) != build()


def model_at(path: str) -> Any:
    """R4B's model of the element at a path such as `Composition.section`."""
    model = get_fhir_model_class(path.split(".")[0])
    for name in path.split(".")[1:]:
        (kind,) = re.findall(r"(\w+)Type\b", str(model.model_fields[name].annotation))
        model = get_fhir_model_class(kind)
    return model


@pytest.mark.parametrize("resource", STRUCTURES, ids=by_id)
def test_elements_stand_in_the_order_of_the_base(resource: dict[str, Any]) -> None:
    """A snapshot generator leaves out in silence what comes after its place."""
    below: dict[str, list[str]] = {}
    for element in resource["differential"]["element"]:
        parent, _, name = element["id"].rpartition(".")
        if parent and name.partition(":")[0] not in below.setdefault(parent, []):
            below[parent].append(name.partition(":")[0])
    for parent, names in below.items():
        path = ".".join(step.partition(":")[0] for step in parent.split("."))
        known = (
            re.sub(r"^(value|occurred|manufacturer)[A-Z].*", r"\1[x]", n)
            for n in model_at(path).elements_sequence()
        )
        assert [name for name in dict.fromkeys(known) if name in names] == names, parent


@pytest.mark.parametrize("resource", STRUCTURES, ids=by_id)
def test_each_slice_says_how_it_is_told_apart(resource: dict[str, Any]) -> None:
    elements = {element["id"]: element for element in resource["differential"]["element"]}
    for name, element in elements.items():
        if "sliceName" in element:
            assert elements[name.rpartition(":")[0]]["slicing"]["discriminator"], name
            told = [key for key in element if key.startswith("pattern")]
            told += [n for n in (f"{name}.url", f"{name}.system") if "fixedUri" in elements.get(n, {})]
            told += [kind["profile"] for kind in element.get("type", ()) if "profile" in kind]
            assert told, name


def written_resources() -> list[dict[str, Any]]:
    written = a_draft(verbatim=False)
    authors = [*author(a_pipeline()), *author(a_pipeline(), contained=True)]
    return [*authors, composition(written), extracted_text(written), provenance(written)]


@pytest.mark.parametrize("resource", written_resources(), ids=by_id)
def test_what_is_written_claims_a_profile_of_its_type(resource: dict[str, Any]) -> None:
    (claimed,) = resource["meta"]["profile"]
    (profile,) = [d for d in STRUCTURES if d["url"] == claimed]
    assert profile["type"] == resource["resourceType"]
    assert resource["text"]["status"] == "generated"
    validate(resource)


def test_every_definition_that_is_named_in_the_code_is_there() -> None:
    ours = ("StructureDefinition", "CodeSystem", "ValueSet")
    named = {
        value
        for value in vars(canonical).values()
        if isinstance(value, str)
        and value.startswith(tuple(f"{canonical.CANONICAL_BASE}/{x}/" for x in ours))
    }
    assert named
    assert named <= {d["url"] for d in definitions()}


def test_every_tag_is_a_code_that_is_defined() -> None:
    (tags,) = [d for d in definitions() if d["url"] == canonical.TAGS]
    used = {value for value in vars(canonical).values() if isinstance(value, tuple)}
    assert used
    assert used <= {(canonical.TAGS, concept["code"]) for concept in tags["concept"]}


def unpacked(package: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(package)) as tar:
        members = tar.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname, m.isfile()) for m in members} == {(0, 0, 0, "", True)}
        return {m.name: json.load(tar.extractfile(m) or io.BytesIO()) for m in members}


def test_the_package_has_the_layout_of_npm() -> None:
    files = unpacked(build())
    stated = files.pop("package/package.json")
    index = files.pop("package/.index.json")
    assert stated["fhirVersions"] == ["4.0.1"]
    assert stated["dependencies"]["hl7.fhir.r4.core"] == "4.0.1"
    assert (stated["version"], stated["canonical"]) == (VERSION, canonical.CANONICAL_BASE)
    assert sorted(files.values(), key=by_id) == sorted(definitions(), key=by_id)
    assert {f"package/{entry['filename']}": entry["url"] for entry in index["files"]} == {
        name: resource["url"] for name, resource in files.items()
    }


def test_the_package_has_the_same_bytes_every_time() -> None:
    first = build()
    definitions.cache_clear()
    assert build() == first
    assert first[4:8] == bytes(4), "the time in the header of gzip"


def test_definitions_are_put_by_url_and_without_an_id() -> None:
    entries = upload_bundle()["entry"]
    assert len(entries) == len(definitions())
    for entry in entries:
        resource = entry["resource"]
        assert entry["request"]["url"] == f"{resource['resourceType']}?url={resource['url']}"
        assert "id" not in resource
    kinds = [entry["resource"]["resourceType"] for entry in entries]
    assert kinds == sorted(kinds, key=["CodeSystem", "ValueSet", "StructureDefinition"].index)


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(KeyError):
        structure("none-such")


# Shown by examples of their own: these are extensions with a definition each.
ELSEWHERE = {
    "extension:sourceText",
    "extension:leftOut",
    "section.extension:rule",
    "section.extension:span.extension:text",
}


def test_examples_are_valid_and_show_every_element_that_is_explained() -> None:
    for identifier, found in examples().items():
        for resource in found:
            validate(resource)
        explained = rows(identifier, found)
        whole = {row.element for row in explained if not row.example}
        assert all(
            any(row.element.startswith(f"{name}.") for row in explained) or name in ELSEWHERE
            for name in whole
        ), identifier


def test_a_row_shows_the_value_of_its_own_slice() -> None:
    shown = {row.element: row for row in rows("extractive-summary", examples()["extractive-summary"])}
    span = "section.extension:span.extension"
    assert shown[f"{span}:offset"].example == "0"
    assert shown[f"{span}:score"].example == "0.61"
    assert shown["section.text"].example.startswith("HOSPITAL COURSE: Troponin was raised.")
    assert shown["meta.tag:summary"].example.endswith("tags#extractive-summary")
    assert shown["subject"].cardinality == "0..1"


def test_a_filed_summary_holds_to_its_profile() -> None:
    elements = {e["id"]: e for e in structure("filed-summary")["differential"]["element"]}
    for document in examples()["filed-summary"]:
        stated = [one["system"] for one in document["identifier"]]
        for name in ("version", "filed"):
            assert elements[f"DocumentReference.identifier:{name}.system"]["fixedUri"] in stated
        kinds = [one["attachment"]["contentType"] for one in document["content"]]
        assert kinds == ["text/plain; charset=utf-8", "application/fhir+json"]
        for kind in kinds:
            assert f"'{kind}'" in elements["DocumentReference"]["constraint"][1]["expression"]
        tags = [{"system": t["system"], "code": t["code"]} for t in document["meta"]["tag"]]
        sliced = (f"DocumentReference.meta.tag:{name}" for name in ("derived", "filed"))
        assert tags == [elements[name]["patternCoding"] for name in sliced]


def test_no_score_is_called_a_confidence() -> None:
    calibrated = a_pipeline(model=dataclasses.replace(MODEL, calibrated=True))
    resource = composition(dataclasses.replace(a_draft(), pipeline=calibrated))
    assert canonical.AI_CONFIDENCE not in json.dumps(resource)
    assert canonical.EXTRACT_SCORE in json.dumps(resource)


@pytest.mark.parametrize(("confidence", "well_formed"), [(0.5, True), (0.9, False), (None, False)])
def test_a_confidence_of_versions_before_is_read_where_it_is_the_score(
    confidence: float | None, well_formed: bool
) -> None:
    resource = composition(a_draft())
    span = resource["section"][0]["extension"][0]
    span["extension"].append({"url": canonical.AI_CONFIDENCE, "valueDecimal": confidence})
    assert [span.well_formed for span in read_claims(resource).spans] == [well_formed, True]
