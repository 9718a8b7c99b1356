"""Answers that are no note, those that look odd and are one, and data that is not what it says."""

import hashlib
import json

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.reading.attachment import FetchLimits, fetch
from fhir_adapter.reasons import Reason
from tests.unit.fhir_adapter.reading.attachments import NOTE, attached, b64, binary, offline, refusal
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for, fhir

SHA1 = hashlib.sha1(NOTE).digest()

SIGN_IN = (
    b"<html><body><h1>Portal</h1><form><input name=u><input type='password' name=p></form></body></html>"
)
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
PDF = b"%PDF-1.4 ..."
HANDED_ON = (
    b'<!doctype html><html><meta http-equiv="Refresh" content="0;url=/start"><p>Wait.</p></html>',
    b'<html><body onload="document.go.submit()"><form name=go><input name="x"></form>Wait.</body></html>',
    b"<html><form><input type=hidden name=SAMLRequest value=abc></form>Wait.</html>",
)
ERROR_PAGES = (
    b"<html><head><title>503 Service Unavailable</title></head><body>proxy</body></html>",
    b"<!DOCTYPE html><html><head><title>HTTP Status 500 - Internal</title></head><body>tomcat</body></html>",
    b"<html><title>Bad Gateway</title><p>Come back later.</p></html>",
    b"<html><title>403 - Not for you.</title><h2>Closed.</h2></html>",
    b"<html><body><script>top.location.href = '/enter'</script><p>One moment.</p></body></html>",
)
XML_ERRORS = (
    b'<?xml version="1.0"?>\n<Error><Code>Expired</Code></Error>',
    b'<s:Envelope xmlns:s="urn:s"><s:Body><s:Fault>Closed.</s:Fault></s:Body></s:Envelope>',
    b'<problem xmlns="urn:ietf:rfc:7807"><title>Closed.</title></problem>',
    b"<ServiceExceptionReport>Closed.</ServiceExceptionReport>",
)


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ({"content_type": "text/plain"}, Answer(202, b"Being prepared.", {"Content-Type": "text/plain"})),
        ({"content_type": "text/plain"}, Answer(206, NOTE[:5], {"Content-Type": "text/plain"})),
        ({"content_type": "text/plain"}, Answer(203, NOTE, {"Content-Type": "text/plain"})),
        ({"content_type": "text/plain"}, Answer(204)),
        ({"content_type": "text/plain"}, Answer(300, NOTE, {"Content-Type": "text/plain"})),
        ({"content_type": "text/plain"}, Answer(200, b" \n", {"Content-Type": "text/plain"})),
        (
            {"content_type": "text/plain"},
            Answer(200, b"<html>Signed out</html>", {"Content-Type": "text/html"}),
        ),
        ({"content_type": "text/html"}, Answer(200, SIGN_IN, {"Content-Type": "text/html"})),
        ({"content_type": None}, Answer(200, SIGN_IN, {"Content-Type": "text/html"})),
        ({"content_type": "application/pdf"}, Answer(200, SIGN_IN, {"Content-Type": "application/pdf"})),
        ({"content_type": "application/pdf"}, Answer(200, b"Try later.", {"Content-Type": "text/plain"})),
        (
            {"content_type": "text/rtf"},
            Answer(200, b'{"error": "busy"}', {"Content-Type": "application/json"}),
        ),
        (
            {"content_type": "text/plain"},
            Answer(200, b'["locked"]', {"Content-Type": "application/problem+json"}),
        ),
        ({"content_type": "text/plain"}, fhir(OUTCOME)),
        ({"content_type": "application/fhir+json"}, fhir(OUTCOME)),
        (
            {"content_type": "application/fhir+xml"},
            Answer(
                200,
                b'<OperationOutcome xmlns="http://hl7.org/fhir"/>',
                {"Content-Type": "application/fhir+xml"},
            ),
        ),
        *(
            ({"content_type": "text/html"}, Answer(200, page, {"Content-Type": "text/html"}))
            for page in HANDED_ON
        ),
        *(
            ({"content_type": "text/xml"}, Answer(200, said, {"Content-Type": "text/xml"}))
            for said in XML_ERRORS
        ),
        ({"content_type": "text/rtf"}, Answer(200, b"<state>busy</state>", {"Content-Type": "text/xml"})),
        ({"content_type": "text/plain"}, Answer(200, b"<a>busy</a>", {"Content-Type": "application/xml"})),
        # What is JSON or a whole page stays that under the label of text.
        ({"content_type": "text/plain"}, Answer(200, b'{"title": "Busy"}', {"Content-Type": "text/plain"})),
        ({"content_type": "text/html"}, Answer(200, b'["busy"]', {"Content-Type": "text/html"})),
        (
            {"content_type": "text/plain"},
            Answer(200, b"<!DOCTYPE html>\n<html><p>Closed.</p></html>", {"Content-Type": "text/plain"}),
        ),
        ({"content_type": "text/plain", "size": 900}, Answer(200, NOTE, {"Content-Type": "text/plain"})),
        ({"content_type": "application/pdf", "size": 12345}, binary(PDF, "application/pdf")),
        ({"content_type": "text/plain"}, binary(b"")),
    ],
)
async def test_what_is_not_the_note_is_a_fault_that_passes(parts, answer):
    async with ScriptedServer(lambda _: answer) as server, client_for(server) as client:
        with pytest.raises(NoteError) as caught:
            await fetch(attached(url="Binary/1", **parts), client, FetchLimits())
    assert caught.value.reason is Reason.WRONG_ANSWER
    assert caught.value.reason.transient
    assert not caught.value.reason.gone


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        # Labels are wrong in the field; the bytes are documents all the same.
        ({"content_type": "text/plain"}, Answer(200, PDF, {"Content-Type": "application/pdf"})),
        ({"content_type": "text/plain"}, Answer(200, b"<p>Well.</p>", {"Content-Type": "text/plain"})),
        ({"content_type": "application/octet-stream"}, Answer(200, NOTE, {"Content-Type": "text/html"})),
        ({"content_type": "text/xml"}, Answer(200, b"<html>Well.</html>", {"Content-Type": "text/html"})),
        ({"content_type": "text/plain"}, Answer(200, NOTE)),
        # Sizes are counted in many ways.
        ({"size": len(NOTE)}, Answer(200, NOTE)),
        ({"size": len(b64(NOTE))}, Answer(200, NOTE)),
        ({"size": len(NOTE) + 1}, Answer(200, NOTE)),
        ({"size": 0}, Answer(200, NOTE)),
        ({"content_type": "text/plain", "size": 26}, Answer(200, b"<html><p>Well.</p></html>\n")),
        # What begins like JSON, or like an element, may be a note.
        (
            {"content_type": "text/plain"},
            Answer(200, b"[x] smoker\n[ ] drinker", {"Content-Type": "text/plain"}),
        ),
        ({"content_type": "text/plain"}, Answer(200, b"{see below}", {"Content-Type": "text/plain"})),
        ({"content_type": "text/plain"}, Answer(200, b"<5 mm, no error", {"Content-Type": "text/plain"})),
        # A hash says more than a size and a label.
        ({"content_type": "text/plain", "size": 7, "hash": b64(SHA1)}, Answer(200, NOTE)),
        ({"content_type": "text/plain", "size": 0}, Answer(200, b"", {"Content-Type": "text/plain"})),
    ],
)
async def test_what_agrees_with_what_was_declared_is_taken(parts, answer):
    async with ScriptedServer(lambda _: answer) as server, client_for(server) as client:
        assert (await fetch(attached(url="Binary/1", **parts), client, FetchLimits())).data == answer.body


PAGE = b"<!DOCTYPE html>\n<html><body><p>No fever.</p></body></html>"
RTF = b"{\\rtf1 No fever.}"
OF_A_BINARY = [
    # declared, what the Binary says of itself, its bytes, whether they are the note
    ("text/plain", "text/plain; charset=utf-8", NOTE, True),
    ("text/plain; charset=iso-8859-1", "TEXT/PLAIN", NOTE, True),
    ("text/plain", "application/octet-stream", NOTE, True),
    ("text/plain", "", NOTE, True),
    ("text/plain", "text/html", NOTE, True),  # the label alone is wrong
    ("text/plain", "text/markdown", NOTE, True),
    ("text/plain", "text/html", PAGE, False),
    ("text/plain", "text/html", b"<p>No fever.</p>", False),
    ("text/plain", "text/plain", b"<p>No fever.</p>", True),  # a fragment that says itself that it is text
    ("text/plain", "text/plain", PAGE, False),
    ("text/plain", "application/octet-stream", PAGE, False),
    ("text/plain", "", PAGE, False),
    ("text/html", "text/html; charset=utf-8", PAGE, True),
    ("text/html", "application/xhtml+xml", PAGE, True),
    ("text/html", "text/plain", NOTE, True),
    ("text/xml", "text/html", PAGE, True),
    ("", "text/html", PAGE, True),  # nothing is declared
    ("application/octet-stream", "text/html", PAGE, True),
    ("application/rtf", "text/rtf", RTF, True),
    ("application/rtf", "application/octet-stream", RTF, True),
    ("application/rtf", "text/html", PAGE, False),
    ("application/pdf", "text/html", PAGE, False),
    ("application/pdf", "text/plain", NOTE, False),
    ("text/plain", "application/rtf", RTF, True),  # labels of documents are wrong in the field
    ("text/plain", "application/json", b'{"error": "session ended"}', False),
    ("text/plain", "application/fhir+json", json.dumps(OUTCOME).encode(), False),
    ("text/html", "text/html", SIGN_IN, False),
    ("text/plain", "text/plain", b"<Error><Code>NoSuchKey</Code></Error>", False),
]


@pytest.mark.parametrize(("declared", "stated", "data", "taken"), OF_A_BINARY)
async def test_what_a_binary_holds_agrees_with_what_was_declared(declared, stated, data, taken):
    at = attached(url="Binary/1", content_type=declared)
    async with ScriptedServer(lambda _: binary(data, stated)) as server, client_for(server) as client:
        if taken:
            assert (await fetch(at, client, FetchLimits())).data == data
        else:
            assert await refusal(at, client) is Reason.WRONG_ANSWER


async def test_a_hash_or_a_size_says_more_than_the_type_of_a_binary():
    answer = binary(PAGE, "text/html")
    for said in ({"hash": b64(hashlib.sha1(PAGE).digest())}, {"size": len(PAGE)}):
        at = attached(url="Binary/1", content_type="text/plain", **said)
        async with ScriptedServer(lambda _: answer) as server, client_for(server) as client:
            assert (await fetch(at, client, FetchLimits())).data == PAGE


async def test_the_labels_of_a_binary_are_kept_with_its_bytes():
    secret = {"system": "s", "code": "V"}
    resource = {"resourceType": "Binary", "id": "1", "data": b64(), "meta": {"security": [secret]}}
    in_xml = (
        b'<Binary xmlns="http://hl7.org/fhir"><meta><security><system value="s"/><code value="V"/></security>'
        b'</meta><contentType value="text/plain"/><data value="' + b64().encode() + b'"/></Binary>'
    )
    for answer in (fhir(resource), Answer(200, in_xml, {"Content-Type": "application/fhir+xml"})):
        async with ScriptedServer([answer]) as server, client_for(server) as client:
            content = await fetch(attached(url="Binary/1"), client, FetchLimits())
        assert (content.data, content.security) == (NOTE, (secret,))


@pytest.mark.parametrize("inner", [NOTE * 3, b"{\\rtf1 A short note in rich text.}", PDF + bytes(range(256))])
@pytest.mark.parametrize("line", [0, 64, 76])
async def test_data_that_is_base64_twice_is_unwrapped_with_a_word(inner, line):
    packed = b64(inner)
    wrapped = "\n".join(packed[i : i + line] for i in range(0, len(packed), line)) if line else packed
    content = await offline(attached(data=b64(wrapped.encode()), content_type="text/plain"))
    assert content.data == inner
    assert "twice" in content.notice
    assert not content.as_attached


@pytest.mark.parametrize(
    "wrapped",
    [
        b64(b64(NOTE * 3).encode()).encode(),
        b64(NOTE * 3 + b"\xc4\xd6").encode(),
        b64(NOTE * 3 + "ÿÿ?>".encode()).translate(str.maketrans("+/", "-_")).encode(),
        (NOTE * 3).hex().upper().encode(),
        b"data:text/plain;charset=utf-8;base64," + b64(NOTE * 3).encode(),
    ],
    ids=["three times", "Latin-1", "for URLs", "hexadecimal", "a data URL"],
)
async def test_other_ways_to_encode_once_more_are_undone(wrapped):
    content = await offline(attached(data=b64(wrapped), content_type="text/plain"))
    assert content.data.startswith(NOTE * 3)
    assert "twice" in content.notice


async def test_base64_in_base64_that_was_cut_is_no_note():
    cut = b64(NOTE * 3)[:-5].encode()
    assert len(cut) % 4
    assert await refusal(attached(data=b64(cut))) is Reason.BAD_BASE64


@pytest.mark.parametrize(
    "text",
    [b"Normal", b"A" * 64, b"Stable", b64(bytes(range(200, 250)) * 4).encode(), b"no note has this\n" * 4],
)
async def test_what_only_looks_like_base64_stays(text):
    content = await offline(attached(data=b64(text)))
    assert (content.data, content.notice, content.as_attached) == (text, "", True)


async def test_data_far_shorter_than_its_size_was_cut_short():
    assert await refusal(attached(data=b64(), size=9000)) is Reason.MALFORMED
    assert (await offline(attached(data=b64(), size=len(NOTE) + 3))).data == NOTE


@pytest.mark.parametrize("page", ERROR_PAGES)
async def test_a_page_that_tells_an_error_or_leads_away_is_no_note(page: bytes) -> None:
    answer = Answer(200, page, {"Content-Type": "text/html"})
    async with ScriptedServer([answer]) as server, client_for(server) as client:
        with pytest.raises(NoteError) as refused:
            await fetch(attached(url="Binary/1", content_type="text/html"), client, FetchLimits())
    assert refused.value.reason is Reason.WRONG_ANSWER


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("application/json", b"null"),
        ("application/json", b'"The store is closed"'),
        ("image/png", b"\x89PNG\r\n\x1a\n...."),
        ("multipart/byteranges; boundary=p", b"--p\r\nContent-Range: bytes 0-9/99\r\n\r\nSeen today"),
    ],
)
async def test_a_value_of_json_a_picture_or_parts_are_no_text(media_type: str, data: bytes) -> None:
    answer = Answer(200, data, {"Content-Type": media_type})
    async with ScriptedServer([answer]) as server, client_for(server) as client:
        with pytest.raises(NoteError) as refused:
            await fetch(attached(url="Binary/1", content_type="text/plain"), client, FetchLimits())
    assert refused.value.reason is Reason.WRONG_ANSWER
