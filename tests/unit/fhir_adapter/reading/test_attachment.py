import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment, SourceNote
from fhir_adapter.reading.attachment import FetchLimits, candidates, fetch
from fhir_adapter.reading.base64_data import decode_base64
from fhir_adapter.reasons import Reason
from tests.unit.fhir_adapter.reading.attachments import NOTE, PATH, attached, b64, binary, offline, refusal
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for, fhir


def test_the_best_type_comes_first_and_among_equals_the_order_of_the_resource():
    types = [
        "image/png",
        None,
        "application/pdf",
        "text/rtf",
        "application/fhir+json",
        "text/xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/xhtml",
        "application/hl7-v3+xml",
        "plain/text",
        "TEXT/PLAIN; charset=x",
        "PDF",
        "application/x-odd",
    ]
    note = SourceNote(
        "DocumentReference",
        "1",
        "1",
        "",
        attachments=tuple(Attachment(str(i), content_type=t, data="YQ==") for i, t in enumerate(types)),
    )
    order = [types[int(a.path)] for a in candidates(note)]
    assert order[:2] == ["plain/text", "TEXT/PLAIN; charset=x"]
    assert order[2:5] == ["application/xhtml", "application/hl7-v3+xml", "text/xml"]
    assert order[5].endswith("wordprocessingml.document")
    assert order[6:] == [
        "text/rtf",
        "application/pdf",
        "PDF",
        "application/fhir+json",
        "application/x-odd",
        None,
        "image/png",
    ]


def test_a_reports_forms_come_before_its_conclusion_and_that_before_the_narrative():
    note = SourceNote(
        "DiagnosticReport",
        "1",
        "1",
        "",
        attachments=(
            Attachment("DiagnosticReport.text.div", text="<div/>"),
            Attachment("DiagnosticReport.conclusion", text="x"),
            Attachment("DiagnosticReport.presentedForm[0]", content_type="text/plain"),
            Attachment("DiagnosticReport.presentedForm[1]", content_type="text/plain", data=" "),
            Attachment("DiagnosticReport.presentedForm[2]", content_type="image/png", url="Binary/1"),
        ),
    )
    assert [a.path.partition(".")[2] for a in candidates(note)] == [
        "presentedForm[2]",
        "presentedForm[1]",
        "conclusion",
        "text.div",
    ]


async def test_inline_data_with_its_label():
    content = await offline(attached(content_type='Text/Plain; charset="Windows-1252"', data=b64()))
    assert (content.path, content.data, content.media_type, content.charset) == (
        PATH,
        NOTE,
        "text/plain",
        "windows-1252",
    )


async def test_white_space_in_base64_is_allowed():
    packed = b64(bytes(range(256)))
    spaced = "\r\n".join(packed[i : i + 76] for i in range(0, len(packed), 76)) + " \t\n"
    assert (await offline(attached(data=spaced))).data == bytes(range(256))


@pytest.mark.parametrize(
    "data",
    ["YQ", "YQ=", "YQ===", "Y Q", "YQ==YQ==", "Y-_=", "Notes notes notes", "é===", "====", "\ud800AAA"],
)
async def test_broken_base64(data):
    assert await refusal(attached(data=data)) is Reason.BAD_BASE64


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=4))
def test_base64_cut_short_is_never_taken_for_whole(data, cut):
    packed = b64(data)
    if len(packed) > cut and cut < 4:
        with pytest.raises(NoteError):
            decode_base64(packed[:-cut], 1000)
    assert decode_base64(packed, len(data)) == data
    if data:
        with pytest.raises(NoteError) as caught:
            decode_base64(packed, len(data) - 1)
        assert caught.value.reason is Reason.TOO_LARGE


SHA1 = hashlib.sha1(NOTE).digest()


@pytest.mark.parametrize(
    "stated",
    [
        b64(SHA1),
        SHA1.hex(),
        SHA1.hex().upper(),
        b64(SHA1.hex().encode()),
        b64(hashlib.sha256(NOTE).digest()),
        f" {b64(SHA1)}\n",
    ],
)
async def test_a_hash_in_any_usual_spelling_matches(stated):
    assert (await offline(attached(data=b64(), hash=stated))).data == NOTE


@pytest.mark.parametrize("stated", [b64(hashlib.sha1(b"other").digest()), "odd", SHA1.hex()[:-1]])
async def test_another_hash_does_not(stated):
    assert await refusal(attached(data=b64(), hash=stated)) is Reason.HASH_MISMATCH


async def test_strings_become_utf8_with_one_replacement_per_lone_surrogate():
    text = "a\ud800\udc00b\udfff\x00\r\n\U0001f600"
    content = await offline(Attachment("DiagnosticReport.conclusion", "text/plain; charset=utf-8", text=text))
    assert content.data.decode() == "a\ufffd\ufffdb\ufffd\x00\r\n\U0001f600"
    assert len(content.data.decode()) == len(text)
    assert (content.media_type, content.charset) == ("text/plain", "utf-8")


@pytest.mark.parametrize(
    ("attachment", "reason"),
    [
        (attached(), Reason.NO_ATTACHMENT),
        (attached(data=b64(b"x" * 11)), Reason.TOO_LARGE),
        (attached(text="x" * 11), Reason.TOO_LARGE),
        (attached(url="Binary/1", size=11), Reason.TOO_LARGE),
        (attached(url="data:," + "x" * 11), Reason.TOO_LARGE),
        (attached(url="data:text/plain"), Reason.MALFORMED),
        (attached(url="data:;base64,YQ"), Reason.BAD_BASE64),
        (attached(url="urn:uuid:0c1b"), Reason.NOT_FOUND),
        (attached(url="#b"), Reason.NOT_FOUND),
        (attached(url="ssp://h/x"), Reason.FOREIGN_HOST),
        (attached(url="file:///etc/passwd"), Reason.FOREIGN_HOST),
        (attached(url="http://elsewhere.example/x"), Reason.FOREIGN_HOST),
        (attached(url="//elsewhere.example/x"), Reason.FOREIGN_HOST),
        (attached(url="http://[::1/x"), Reason.FOREIGN_HOST),
        (attached(url="../Patient"), Reason.FOREIGN_HOST),
    ],
)
async def test_what_cannot_be_had_without_asking(attachment, reason):
    assert await refusal(attachment, max_bytes=10) is reason


@pytest.mark.parametrize(
    ("url", "media_type", "charset"),
    [
        ("data:text/html;charset=ISO-8859-1;base64," + b64(), "text/html", "iso-8859-1"),
        ("DATA:text/html,Chest%20X-ray%20normal.%0A", "text/html", None),
        ("data:;base64," + b64(), "", None),
    ],
)
async def test_data_urls(url, media_type, charset):
    content = await offline(attached(url=url))
    assert (content.data, content.media_type, content.charset) == (NOTE, media_type, charset)


@pytest.mark.parametrize(
    "url",
    [
        "Binary/1",
        "./Binary/1",
        "/Binary/1",
        "/fhir/Binary/1",
        "{base}/Binary/1",
        " Binary/1 ",
        "{base}/x/../Binary/1",
    ],
)
async def test_an_address_on_the_server_in_any_spelling(url):
    raw = Answer(200, NOTE, {"Content-Type": "text/plain"})
    async with ScriptedServer([raw]) as server, client_for(server) as client:
        content = await fetch(
            attached(content_type="text/plain", url=url.format(base=server.base_url)), client, FetchLimits()
        )
        assert server.requests[0].path == "/fhir/Binary/1"
    assert (content.data, content.media_type) == (NOTE, "text/plain")


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("status", [200, 404, 403])
async def test_the_labels_of_what_a_binary_is_protected_by_are_its_own_too(form, status):
    held = {"meta": {"security": [{"code": "V"}]}, "securityContext": {"reference": "Basic/p/_history/2"}}
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": b64(), **held}
    xml = (
        '<Binary xmlns="http://hl7.org/fhir"><meta><security><code value="V"/></security></meta>'
        f'<contentType value="text/plain"/><securityContext><reference value="Basic/p/_history/2"/>'
        f'</securityContext><data value="{b64()}"/></Binary>'
    )
    proxy = {"resourceType": "Basic", "id": "p", "meta": {"security": [{"code": "R"}]}}

    def answer(request):
        if request.path.endswith("/Basic/p"):
            return fhir(proxy, status)
        return Answer(200, (json.dumps(body) if form == "json" else xml).encode())

    async with ScriptedServer(answer) as server, client_for(server) as client:
        if status == 403:  # it is there, and may forbid more than the Binary itself does
            assert await refusal(attached(url="Binary/1"), client) is Reason.FORBIDDEN
            return
        content = await fetch(attached(url="Binary/1"), client, FetchLimits())
    assert [label["code"] for label in content.security] == (["V", "R"] if status == 200 else ["V"])


@pytest.mark.parametrize("element", ["data", "content"])
async def test_a_binary_resource_is_unwrapped(element):
    async with (
        ScriptedServer([binary(NOTE, "text/html; charset=latin1", element)]) as server,
        client_for(server) as client,
    ):
        content = await fetch(attached(url="Binary/1"), client, FetchLimits(max_bytes=len(NOTE)))
    assert (content.data, content.media_type, content.charset) == (NOTE, "text/html", "latin1")


@pytest.mark.parametrize(
    ("declared", "second"),
    [
        ("text/plain", "text/plain"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("application/pdf", "application/pdf"),
        ("PDF", "*/*;q=0.5"),
        (None, "*/*;q=0.5"),
        ("text/plain\r\nX-Evil: 1", "*/*;q=0.5"),
    ],
)
async def test_a_binary_is_asked_for_as_a_resource_first_for_the_sake_of_its_labels(declared, second):
    async with ScriptedServer([Answer(200, NOTE)]) as server, client_for(server) as client:
        await fetch(attached(content_type=declared, url="Binary/1"), client, FetchLimits())
    choices = server.requests[0].headers["accept"].split(", ")
    assert choices[:2] == ["application/fhir+json", second]
    assert choices[-1] == "*/*;q=0.5"


@pytest.mark.parametrize(
    "first",
    [
        Answer(406),
        Answer(200, b'{"resourceType":"Binary"}', {"Content-Type": "application/fhir+json"}),
        Answer(
            200,
            b'<?xml version="1.0"?>\n<Binary xmlns="http://hl7.org/fhir"/>',
            {"Content-Type": "application/fhir+xml"},
        ),
    ],
)
@pytest.mark.parametrize("declared", [None, "text/plain", "text/html"])
async def test_an_answer_of_no_use_is_asked_for_in_another_way(first, declared):
    raw = Answer(200, NOTE, {"Content-Type": "text/html"})
    async with ScriptedServer([first, raw]) as server, client_for(server) as client:
        content = await fetch(attached(content_type=declared, url="Binary/1"), client, FetchLimits())
        one, other = (request.headers["accept"] for request in server.requests)
    assert content.data == NOTE
    assert one != other


async def test_a_binary_whose_data_the_server_keeps_outside():
    extension = {
        "url": "http://hapifhir.io/fhir/StructureDefinition/externalized-binary-id",
        "valueString": "x",
    }
    binary = {
        "resourceType": "Binary",
        "id": "1",
        "contentType": "text/plain",
        "_data": {"extension": [extension]},
    }

    def handle(request):
        return Answer(200, NOTE) if request.path == "/fhir/Binary/1/$binary-access-read" else fhir(binary)

    async with ScriptedServer(handle) as server, client_for(server) as client:
        content = await fetch(attached(url="/Binary/1/_history/2"), client, FetchLimits())
    assert (content.data, content.media_type) == (NOTE, "text/plain")


async def test_empty_data_beside_an_address_counts_as_none():
    async with ScriptedServer([Answer(200, NOTE)]) as server, client_for(server) as client:
        assert (await fetch(attached(data=" ", url="Binary/1"), client, FetchLimits())).data == NOTE
    assert (await offline(attached(data=" "))).data == b""


async def test_other_json_is_taken_as_it_is():
    body = b'{"resourceType": "Bundle"}'
    raw = Answer(200, body, {"Content-Type": "application/fhir+json"})
    async with ScriptedServer([raw]) as server, client_for(server) as client:
        content = await fetch(
            attached(content_type="application/fhir+json", url="Binary/1"), client, FetchLimits()
        )
    assert content.data == body


@pytest.mark.parametrize(
    ("declared", "header", "media_type", "charset"),
    [
        (None, "text/html; charset=windows-1252", "text/html", "windows-1252"),
        ("text/plain", "text/plain; charset=windows-1252", "text/plain", "windows-1252"),
        ("text/plain", "text/plain; charset=utf-8", "text/plain", None),
        ("text/plain; charset=latin1", "text/plain; charset=utf-16", "text/plain", "latin1"),
        ("text/plain", "application/octet-stream; charset=utf-16", "text/plain", None),
        ("PDF", "application/pdf", "pdf", None),
    ],
)
async def test_whose_label_wins(declared, header, media_type, charset):
    async with (
        ScriptedServer([Answer(200, NOTE, {"Content-Type": header})]) as server,
        client_for(server) as client,
    ):
        content = await fetch(attached(content_type=declared, url="Binary/1"), client, FetchLimits())
    assert (content.media_type, content.charset) == (media_type, charset)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), Reason.NOT_FOUND),
        (Answer(410), Reason.NOT_FOUND),
        (Answer(500), Reason.SERVER_ERROR),
        (Answer(406), Reason.NOT_FOUND),
        (Answer(503), Reason.SERVER_ERROR),
        (Answer(403), Reason.FORBIDDEN),
        (Answer(401), Reason.FORBIDDEN),
        (Answer(drop=True), Reason.SERVER_ERROR),
        (Answer(hang=True), Reason.TIMEOUT),
        (Answer(200, b"x" * 200_000), Reason.TOO_LARGE),
        (Answer(200, b"x" * 1001), Reason.TOO_LARGE),
        (binary(b"x" * 1001), Reason.TOO_LARGE),
        (
            Answer(200, b'{"resourceType":"Binary"}', {"Content-Type": "application/json"}),
            Reason.WRONG_ANSWER,
        ),
        (Answer(302, headers={"Location": "http://elsewhere.example/file?sig=secret"}), Reason.FOREIGN_HOST),
    ],
)
async def test_what_the_server_answers_instead(answer, reason):
    timeout = 0.3 if reason is Reason.TIMEOUT else 60
    async with ScriptedServer([answer]) as server, client_for(server, timeout=timeout, retries=1) as client:
        assert await refusal(attached(url="Binary/1"), client, max_bytes=1000) is reason


async def test_a_slow_answer_ends_at_the_limit():
    async with ScriptedServer([Answer(hang=True)]) as server, client_for(server, timeout=60) as client:
        assert await refusal(attached(url="Binary/1"), client, timeout=0.1) is Reason.TIMEOUT


async def test_a_compressed_answer_is_held_to_its_size_unpacked():
    import gzip

    bomb = Answer(200, gzip.compress(b"x" * 5_000_000), {"Content-Encoding": "gzip"})
    async with ScriptedServer([bomb]) as server, client_for(server) as client:
        assert await refusal(attached(url="Binary/1"), client, max_bytes=100_000) is Reason.TOO_LARGE


async def test_the_hash_holds_for_fetched_bytes_too():
    async with ScriptedServer([Answer(200, NOTE + b"x")]) as server, client_for(server) as client:
        assert await refusal(attached(url="Binary/1", hash=b64(SHA1)), client) is Reason.HASH_MISMATCH
