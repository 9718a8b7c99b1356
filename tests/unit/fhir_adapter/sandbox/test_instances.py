"""Create, read, update, delete and their histories, over HTTP."""

import json
from datetime import datetime

import httpx
import pytest

from tests.unit.fhir_adapter.sandbox.builders import Serve, diagnostics, found, note, patient, put


def test_create_gives_an_id_a_version_and_where_it_is(server: httpx.Client) -> None:
    answer = server.post("Patient", json=patient("mine", active=True))
    created = answer.json()
    assert answer.status_code == 201
    assert created["id"] != "mine"
    assert created["meta"]["versionId"] == "1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["location"] == f"{server.base_url}Patient/{created['id']}/_history/1"
    assert answer.headers["last-modified"].endswith(" GMT")
    assert server.get(answer.headers["location"]).json() == created


def test_update_creates_under_the_clients_id_then_grows_the_version(server: httpx.Client) -> None:
    first = server.put("Patient/u.1-A", json=patient("u.1-A"))
    second = server.put("Patient/u.1-A", json=patient("u.1-A", active=True))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["meta"]["versionId"] == "2"
    assert second.json()["active"] is True
    assert second.headers["location"].endswith("/Patient/u.1-A/_history/2")


def test_the_same_update_again_makes_no_version(server: httpx.Client) -> None:
    put(server, patient("same", active=True, birthDate="1970-01-01"))
    before = server.get("Patient/same").json()
    shuffled = {"birthDate": "1970-01-01", **patient("same", active=True)}
    again = server.put("Patient/same", json=shuffled)
    read_back = server.put("Patient/same", json=before)
    assert again.status_code == read_back.status_code == 200
    assert again.json() == read_back.json() == before


def test_tags_and_labels_add_up(server: httpx.Client) -> None:
    put(
        server,
        patient("tagged", meta={"tag": [{"code": "a"}]}),
        patient("tagged", meta={"tag": [{"code": "b"}]}),
    )
    meta = server.get("Patient/tagged").json()["meta"]
    assert meta["versionId"] == "2"
    assert {tag["code"] for tag in meta["tag"]} == {"a", "b"}
    put(server, patient("tagged"), patient("tagged", meta={"tag": [{"code": "a"}]}))
    assert server.get("Patient/tagged").json()["meta"] == meta
    assert found(server, "Patient?_tag=a&_tag=b") == ["tagged"]
    put(
        server,
        patient("tagged", meta={"security": [{"system": "urn:s", "code": "R"}], "profile": ["http://p"]}),
    )
    put(server, patient("tagged", meta={"profile": ["http://q"]}))
    meta = server.get("Patient/tagged").json()["meta"]
    assert meta["security"] == [{"system": "urn:s", "code": "R"}]
    assert meta["profile"] == ["http://q"]


def test_stamps_have_milliseconds_and_never_go_back(server: httpx.Client) -> None:
    stamps = [server.post("Patient", json=patient("x")).json()["meta"]["lastUpdated"] for _ in range(20)]
    assert all(len(stamp) == len("2024-05-01T10:00:00.123+00:00") for stamp in stamps)
    assert stamps == sorted(stamps, key=datetime.fromisoformat)


def test_text_survives_byte_for_byte(server: httpx.Client) -> None:
    body = (
        '{"resourceType":"DocumentReference","id":"odd","status":"current","fhir_comments":["x"],'
        '"description":"\\ud83d\\ude00 e\\u0301 \\u05d0 \\r\\n \\u0000 \\ud800 <script>",'
        '"extension":[{"url":"u","valueDecimal":1.10}]}'
    )
    server.put("DocumentReference/odd", content=body)
    text = server.get("DocumentReference/odd").text
    assert text.endswith(body.split('"id":"odd",')[1])
    assert server.put("DocumentReference/odd", content=body).json()["meta"]["versionId"] == "1"
    assert '"valueDecimal": 1.10' in server.get("DocumentReference/odd?_pretty=true").text


def test_deleted_reads_gone_and_an_update_revives_it(server: httpx.Client) -> None:
    put(server, patient("gone"))
    deleted = server.delete("Patient/gone")
    read = server.get("Patient/gone")
    revived = server.put("Patient/gone", json=patient("gone"))
    assert (deleted.status_code, read.status_code, revived.status_code) == (204, 410, 201)
    assert deleted.headers["etag"] == 'W/"2"'
    assert revived.json()["meta"]["versionId"] == "3"
    assert server.get("Patient/gone/_history/2").status_code == 410
    assert server.get("Patient/gone/_history/1").json()["meta"]["versionId"] == "1"
    assert server.get("Patient?_id=gone").json()["total"] == 1


def test_deleting_twice_or_what_never_was_changes_nothing(server: httpx.Client) -> None:
    put(server, patient("twice"))
    server.delete("Patient/twice")
    assert server.delete("Patient/twice").status_code == 204
    assert server.delete("Patient/never").status_code == 204
    assert server.get("Patient/twice/_history").json()["total"] == 2
    assert server.get("Patient/never").status_code == 404


def test_history_shows_every_version_newest_first(server: httpx.Client) -> None:
    put(server, patient("h"), patient("h", active=True))
    server.delete("Patient/h")
    history = server.get("Patient/h/_history").json()
    assert history["type"] == "history"
    assert history["total"] == 3
    assert [one["request"]["method"] for one in history["entry"]] == ["DELETE", "PUT", "PUT"]
    assert [one["response"]["etag"] for one in history["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert "resource" not in history["entry"][0]
    assert history["entry"][1]["resource"]["active"] is True
    assert server.get("Patient/nobody/_history").status_code == 404


def test_history_of_a_type_and_of_the_server_and_since(fresh: httpx.Client) -> None:
    put(fresh, patient("a"), note("n"))
    fresh.post("Patient", json=patient("b"))
    of_type = fresh.get("Patient/_history").json()
    assert [one["request"]["method"] for one in of_type["entry"]] == ["POST", "PUT"]
    assert (
        of_type["entry"][0]["response"]["status"]
        == of_type["entry"][1]["response"]["status"]
        == "201 Created"
    )
    assert fresh.get("_history").json()["total"] == 3
    assert fresh.get("_history?_since=2999-01-01T00:00:00Z").json()["total"] == 0
    assert fresh.get("_history?_since=2020-01-01T00:00:00Z").json()["total"] == 3
    assert fresh.get("_history?_since=soon").status_code == 400
    assert fresh.get("_history?status=x").status_code == 400


@pytest.mark.parametrize("path", ["Patient/v/_history/9", "Patient/v/_history/x", "Patient/v/_history/0"])
def test_versions_that_never_were(server: httpx.Client, path: str) -> None:
    put(server, patient("v"))
    assert server.get(path).status_code == 404


@pytest.mark.parametrize("id_", ["a_b", "a" * 65, "a b", "ä"])
def test_bad_ids_are_refused(server: httpx.Client, id_: str) -> None:
    answer = server.put(f"Patient/{id_}", json=patient(id_))
    assert answer.status_code == 400
    assert "64 letters" in diagnostics(answer)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"id":"b"}', "no resourceType"),
        ('{"resourceType":"Encounter","id":"b"}', "not a Patient"),
        ('{"resourceType":"Patient"}', "must contain the id"),
        ('{"resourceType":"Patient","id":"c"}', "not the one in the address"),
        ('{"resourceType":"Patient","id":"b","meta":"new"}', "meta"),
    ],
)
def test_bad_bodies_are_refused(server: httpx.Client, body: str, words: str) -> None:
    answer = server.put("Patient/b", content=body)
    assert answer.status_code == 400
    assert words in diagnostics(answer)
    assert server.get("Patient/b").status_code == 404


def test_deep_nesting_is_refused_or_stored_but_never_breaks(server: httpx.Client) -> None:
    for depth in (300, 900, 20_000):
        body = '{"resourceType":"Patient","id":"deep","x":' + "[" * depth + "]" * depth + "}"
        assert server.put("Patient/deep", content=body).status_code in (200, 201, 400)
    assert server.get("metadata?_elements=fhirVersion").status_code == 200


def test_if_match(server: httpx.Client) -> None:
    put(server, patient("m"))
    stale = server.put("Patient/m", json=patient("m", active=True), headers={"If-Match": 'W/"7"'})
    right = server.put("Patient/m", json=patient("m", active=True), headers={"If-Match": 'W/"1"'})
    absent = server.put("Patient/m2", json=patient("m2"), headers={"If-Match": 'W/"1"'})
    assert (stale.status_code, right.status_code, absent.status_code) == (412, 200, 412)
    assert server.delete("Patient/m", headers={"If-Match": '"1"'}).status_code == 412
    assert server.delete("Patient/m", headers={"If-Match": '"2"'}).status_code == 204


def test_if_none_match_saves_a_read(server: httpx.Client) -> None:
    put(server, patient("cached"))
    answer = server.get("Patient/cached", headers={"If-None-Match": 'W/"1"'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert server.get("Patient/cached", headers={"If-None-Match": 'W/"2"'}).status_code == 200


def test_prefer_minimal_leaves_the_body_out(server: httpx.Client) -> None:
    answer = server.put("Patient/min", json=patient("min"), headers={"Prefer": "return=minimal"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["etag"] == 'W/"1"'


def test_references_lose_their_versions_unless_kept(server: httpx.Client, serve: Serve) -> None:
    sent = note("ref", subject={"reference": "Patient/1/_history/3"}, description="Patient/1/_history/3")
    put(server, sent)
    stripped = server.get("DocumentReference/ref").json()
    assert stripped["subject"] == {"reference": "Patient/1"}
    assert stripped["description"] == "Patient/1/_history/3"
    assert server.put("DocumentReference/ref", json=sent).json()["meta"]["versionId"] == "1"
    keeping = serve(keep_reference_versions=True)
    put(keeping, sent)
    assert keeping.get("DocumentReference/ref").json()["subject"] == sent["subject"]
    assert keeping.get("DocumentReference?subject=Patient/1").json()["total"] == 1


def test_create_unless_it_exists(server: httpx.Client) -> None:
    identified = {"resourceType": "Device", "identifier": [{"system": "urn:s", "value": "one"}]}
    header = {"If-None-Exist": "identifier=urn:s|one"}
    first = server.post("Device", json=identified, headers=header)
    second = server.post("Device", json=identified, headers=header)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    server.post("Device", json=identified)
    assert server.post("Device", json=identified, headers=header).status_code == 412
    assert server.post("Device", json=identified, headers={"If-None-Exist": "bogus=1"}).status_code == 400
    assert server.post("Device", json=identified, headers={"If-None-Exist": ""}).status_code == 400


def test_update_by_criteria(server: httpx.Client) -> None:
    def device(**more: object) -> dict[str, object]:
        return {"resourceType": "Device", "identifier": [{"system": "urn:s", "value": "two"}], **more}

    url = "Device?identifier=urn:s|two"
    first = server.put(url, json=device())
    same = server.put(url, json=device())
    changed = server.put(url, json=device(status="active"))
    assert (first.status_code, same.status_code, changed.status_code) == (201, 200, 200)
    assert same.json() == first.json()
    assert changed.json()["id"] == first.json()["id"]
    assert changed.json()["meta"]["versionId"] == "2"
    assert server.put(url, json=device(id="other")).status_code == 400
    assert server.put(url, json=device(), headers={"If-Match": 'W/"1"'}).status_code == 412
    server.post("Device", json=device())
    assert server.put(url, json=device()).status_code == 412


def test_update_by_criteria_without_a_match_takes_the_id_in_the_body(server: httpx.Client) -> None:
    sent = {"resourceType": "Device", "id": "chosen", "identifier": [{"value": "three"}]}
    assert server.put("Device?identifier=three", json=sent).json()["id"] == "chosen"
    assert (
        server.put(
            "Device?identifier=none", json={"resourceType": "Device"}, headers={"If-Match": "*"}
        ).status_code
        == 412
    )
    assert server.put("Device", json=sent).status_code == 400


def test_a_server_that_assigns_all_ids(serve: Serve) -> None:
    client = serve(update_create=False)
    refused = client.put("Patient/p", json=patient("p"))
    assert refused.status_code == 405
    assert "POST" in diagnostics(refused)
    id_ = client.post("Patient", json=patient("p")).json()["id"]
    assert client.put(f"Patient/{id_}", json=patient(id_, active=True)).status_code == 200
    created = client.put(
        "Device?identifier=x", json={"resourceType": "Device", "identifier": [{"value": "x"}]}
    )
    assert created.status_code == 201
    rest = client.get("metadata").json()["rest"][0]
    assert {one["updateCreate"] for one in rest["resource"]} == {False}


def test_resources_as_found_keep_what_is_unknown(server: httpx.Client) -> None:
    sent = note("unknown", docStatus={"coding": []}, content="no list", x={"y": [1, None, {}]})
    put(server, sent)
    got = server.get("DocumentReference/unknown").json()
    del got["meta"]
    assert json.dumps(got, sort_keys=True) == json.dumps(sent, sort_keys=True)


XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.mark.parametrize(
    "inner", ["a\x01b", "a\x00b", "<b>a", "a & b", "&unknown;", "a\ud800b", "</div><div>"]
)
def test_narratives_that_are_not_xml_are_refused(server: httpx.Client, inner: str) -> None:
    section = [{"section": [{"text": {"status": "generated", "div": XHTML.format(inner)}}]}]
    sent = {"resourceType": "Composition", "id": "bad-div", "section": section}
    answer = server.put("Composition/bad-div", content=json.dumps(sent))
    assert answer.status_code == 400
    assert "Composition.section[0].section[0].text.div" in diagnostics(answer)


def test_a_document_type_in_a_narrative_is_refused(server: httpx.Client) -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><div>&b;</div>'
    answer = server.put("Patient/dtd", json=patient("dtd", text={"div": bomb}))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "inner", ["a &lt; b &nbsp;&eacute;&#13;", " a  b\n", "\U0001f600 \u05d0", "<script>x</script>"]
)
def test_other_narratives_are_stored_as_they_came(server: httpx.Client, inner: str) -> None:
    text = {"status": "generated", "div": XHTML.format(inner)}
    put(server, patient("good-div", text=text))
    assert server.get("Patient/good-div").json()["text"] == text


def test_the_check_of_narratives_can_be_turned_off(serve: Serve) -> None:
    client = serve(check_narrative=False)
    put(client, patient("x", text={"div": "<div>"}))
    assert client.get("Patient/x").json()["text"] == {"div": "<div>"}
