"""Resources from files, as the loader reads them."""

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.sandbox.load_read import LoadEntry, Reader, Unusable, safe_id


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **elements}


def read(*paths: Path) -> tuple[list[LoadEntry], list[Unusable], Reader]:
    reader = Reader()
    found = list(reader.read(paths))
    entries = [one for one in found if isinstance(one, LoadEntry)]
    return entries, [one for one in found if isinstance(one, Unusable)], reader


def write(path: Path, *documents: Any) -> Path:
    path.write_text("\n".join(json.dumps(one) for one in documents), encoding="utf-8")
    return path


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def bodies(entries: list[LoadEntry]) -> list[dict[str, Any]]:
    return [json.loads(entry.body) for entry in entries]


@pytest.mark.parametrize(("suffix", "opened"), [("", open), (".gz", gzip.open), (".xz", lzma.open)])
def test_lines_plain_or_compressed(tmp_path: Path, suffix: str, opened: Any) -> None:
    path = tmp_path / f"Patient.ndjson{suffix}"
    with opened(path, "wb") as file:
        file.write(
            b'\xef\xbb\xbf{"resourceType":"Patient","id":"a"}\r\n\r\n{"resourceType":"Patient","id":"b"}'
        )
    entries, unusable, _ = read(path)
    assert [(entry.method, entry.url, entry.where) for entry in entries] == [
        ("PUT", "Patient/a", f"{path}:1"),
        ("PUT", "Patient/b", f"{path}:3"),
    ]
    assert unusable == []


def test_folders_by_name_and_what_they_hold_besides(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper" / "b.json", patient(id="b"))
    write(tmp_path / "a.jsonl", patient(id="a"))
    (tmp_path / "index.tsv").write_text("id\n")
    entries, _, reader = read(tmp_path)
    assert [entry.url for entry in entries] == ["Patient/a", "Patient/b"]
    assert reader.ignored == 1


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "document", "searchset"])
def test_references_inside_a_bundle_follow(tmp_path: Path, kind: str) -> None:
    source = bundle(
        {"fullUrl": "urn:uuid:6f1d3c1e-0000-4000-8000-000000000001", "resource": patient()},
        {
            "fullUrl": "https://other.example/fhir/Device/a_b",
            "resource": {"resourceType": "Device", "id": "a_b"},
        },
        {
            "resource": {
                "resourceType": "Provenance",
                "target": [{"reference": "urn:uuid:6f1d3c1e-0000-4000-8000-000000000001"}],
                "agent": [
                    {"who": {"reference": "https://other.example/fhir/Device/a_b"}},
                    {"who": {"reference": "Device/a_b/_history/2"}},
                ],
            }
        },
        kind=kind,
    )
    entries, _, reader = read(write(tmp_path / "bundle.json", source))
    device = f"Device/{safe_id('a_b')}"
    assert [entry.url for entry in entries] == [
        "Patient/6f1d3c1e-0000-4000-8000-000000000001", device, "Provenance",
    ]  # fmt: skip
    assert entries[2].method == "POST"
    origin = bodies(entries)[2]
    assert origin["target"] == [{"reference": "Patient/6f1d3c1e-0000-4000-8000-000000000001"}]
    assert origin["agent"] == [{"who": {"reference": device}}, {"who": {"reference": f"{device}/_history/2"}}]
    assert reader.renamed == 2


def test_of_two_with_one_id_both_stay(tmp_path: Path) -> None:
    first = write(tmp_path / "1.json", patient(id="a", gender="female"))
    other = bundle(
        {"resource": patient(id="a", gender="male")},
        {"resource": {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/a"}}},
    )
    second = write(tmp_path / "2.json", other)
    entries, _, reader = read(first, first, second, second)
    urls = [entry.url for entry in entries]
    assert urls[0] == "Patient/a"
    assert urls[1].startswith("Patient/a-")
    assert bodies(entries)[1] == {"resourceType": "Patient", "id": urls[1][8:], "gender": "male"}
    assert bodies(entries)[2]["subject"] == {"reference": urls[1]}
    assert len(entries) == 3
    assert (reader.identical, reader.renamed) == (3, 1)


def test_references_by_urn_or_bare_id_to_something_elsewhere(tmp_path: Path) -> None:
    """By what was read before, else by the element's name, else as a logical reference."""
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "subject": {"reference": "urn:uuid:11111111-1111-4111-8111-111111111111", "display": "someone"},
        "encounter": {"reference": "22222222-2222-4222-8222-222222222222"},
        "performer": [{"reference": "urn:uuid:33333333-3333-4333-8333-333333333333"}],
        "resultsInterpreter": [{"reference": "urn:uuid:practice-1"}],
        "specimen": [{"reference": "urn:oid:1.2.3"}],
        "result": [{"reference": "#contained"}, {"reference": "https://other.example/fhir/Observation/1"}],
    }
    practice = {"resourceType": "Organization", "id": "practice-1"}
    entries, _, _ = read(write(tmp_path / "lines.ndjson", practice, report))
    found = bodies(entries)[1]
    logical = {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:33333333-3333-4333-8333-333333333333"}
    assert found["subject"] == {
        "reference": "Patient/11111111-1111-4111-8111-111111111111", "display": "someone",
    }  # fmt: skip
    assert found["encounter"] == {"reference": "Encounter/22222222-2222-4222-8222-222222222222"}
    assert found["performer"] == [{"identifier": logical}]
    assert found["resultsInterpreter"] == [{"reference": "Organization/practice-1"}]
    assert found["specimen"] == [{"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}}]
    assert found["result"] == report["result"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"resourceType":"Patient","x":NaN}', "not-json"),
        (b"\xff\xfe", "not-json"),
        (b'{"id":"a"}', "no-resource-type"),
        (b'{"resourceType":"../etc"}', "no-resource-type"),
        (b"3", "no-resource-type"),
        (b'{"resourceType":"Bundle","entry":[{"request":{"method":"GET"}}]}', "no-resource"),
    ],
    ids=[
        "cut off",
        "too deep",
        "NaN",
        "not UTF-8",
        "no type",
        "odd type",
        "a number",
        "entry without resource",
    ],
)
def test_what_is_no_resource_is_named(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    entries, unusable, _ = read(path)
    assert entries == []
    assert [one.code for one in unusable] == [code]
    assert unusable[0].where.startswith(str(path))


@pytest.mark.parametrize("name", ["gone.json", "damaged.ndjson.gz", "damaged.ndjson.xz"])
def test_a_file_that_cannot_be_read_is_named_and_the_next_is_read(tmp_path: Path, name: str) -> None:
    if name.startswith("damaged"):
        (tmp_path / name).write_bytes(b"\x1f\x8b\x08 not what the name says")
    entries, unusable, _ = read(tmp_path / name, write(tmp_path / "good.json", patient(id="a")))
    assert [(one.code, one.where) for one in unusable] == [("unreadable-file", str(tmp_path / name))]
    assert [entry.url for entry in entries] == ["Patient/a"]


@given(st.text(min_size=1, max_size=100))
def test_a_safe_id_is_always_valid_and_the_same(found: str) -> None:
    safe = safe_id(found)
    assert 1 <= len(safe) <= 64
    assert all(letter.isascii() and (letter.isalnum() or letter in ".-") for letter in safe)
    assert safe_id(found) == safe
    assert safe_id(safe) == safe


def test_a_bare_id_means_what_the_element_means(tmp_path: Path) -> None:
    odd = {"resourceType": "DocumentReference", "id": "0", "subject": {"reference": "0"}}
    entries, _, _ = read(write(tmp_path / "a.json", odd))
    assert bodies(entries)[0]["subject"] == {"reference": "Patient/0"}
