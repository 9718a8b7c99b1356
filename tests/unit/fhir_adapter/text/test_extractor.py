"""Notes are read under limits, and what happens to a worker never happens to its parent."""

import asyncio
import gzip
import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Extractor, Limits, extract, guard
from fhir_adapter.text.formats import read
from fhir_adapter.text.workers import pool, wire

NOTE = "Stable – afebrile."


def content(data: bytes, media_type: str = "text/plain", charset: str | None = None) -> Content:
    return Content("DocumentReference.content[0].attachment", data, media_type, charset)


def zipped(*files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files):
            archive.writestr(f"{number}.txt", data)
    return buffer.getvalue()


def layers(depth: int) -> bytes:
    data = NOTE.encode()
    for _ in range(depth):
        data = gzip.compress(data)
    return data


def reason_of(call: Callable[[], object]) -> Reason:
    with pytest.raises(NoteError) as caught:
        call()
    return caught.value.reason


async def reason_from(extractor: Extractor, note: Content) -> Reason:
    with pytest.raises(NoteError) as caught:
        await extractor.extract(note)
    return caught.value.reason


@pytest.fixture
async def extractor() -> AsyncIterator[Extractor]:
    async with Extractor(workers=1) as running:
        yield running


async def test_both_ways_in_give_the_same_text(extractor: Extractor) -> None:
    for data, label in [
        (NOTE.encode(), "text/plain"),
        (NOTE.encode("cp1252"), "text/plain"),
        (gzip.compress(b"<h1>Plan</h1><p>Go home &#x1F600;</p>"), "text/plain"),
        (zipped(b"<p>x</p>"), "application/zip"),
        (b"<p>" + b"word <b>bold</b> " * 10_000, "text/html"),
    ]:
        note = await extractor.extract(content(data, label))
        assert note == extract(content(data, label))
        assert note.declared_type == label


async def test_a_wrapped_note_says_so(extractor: Extractor) -> None:
    note = await extractor.extract(content(gzip.compress(b"<h1>Plan</h1>")))
    assert note.text == "Plan"
    assert note.normalization.endswith("/text-extraction/gzip+html|5")
    assert (note.media_type, note.declared_type, note.verbatim) == ("text/html", "text/plain", False)
    assert [note.text[each.start : each.end] for each in note.headings] == ["Plan"]


def test_plain_text_is_verbatim() -> None:
    note = extract(content(NOTE.encode(), "plain/text"))
    assert (note.text, note.verbatim, note.media_type) == (NOTE, True, "text/plain")
    assert note.normalization.endswith("/text-extraction/plain|2")


@pytest.mark.parametrize(
    ("data", "label", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "text/plain", Reason.UNSUPPORTED_TYPE),
        (bytes(range(256)) * 4, "application/octet-stream", Reason.UNSUPPORTED_TYPE),
        (bytes(range(256)) * 4, "text/plain", Reason.BAD_ENCODING),
        (gzip.compress(NOTE.encode())[:-12], "text/plain", Reason.MALFORMED),
        (gzip.compress(NOTE.encode()) + b"not a member", "text/plain", Reason.MALFORMED),
        (zipped(b"a", b"b"), "application/zip", Reason.UNSUPPORTED_TYPE),
        (zipped(), "application/zip", Reason.UNSUPPORTED_TYPE),
        (zipped(b"a" * 50)[:-30], "application/zip", Reason.MALFORMED),
        (layers(5), "application/gzip", Reason.TOO_LARGE),
        (b'<?xml version="1.0"?><CCR/>', "application/xml", Reason.UNSUPPORTED_TYPE),
        (b'{"resourceType": "Patient"}', "application/fhir+json", Reason.EMPTY_TEXT),
        (b'{"resourceType": ', "application/fhir+json", Reason.MALFORMED),
        (b"[" * 200_000 + b'"resourceType"', "application/json", Reason.UNSUPPORTED_TYPE),
        (b'{"resourceType": ' * 200_000, "text/plain", Reason.MALFORMED),
    ],
)
async def test_what_cannot_be_read_has_a_reason(
    extractor: Extractor, data: bytes, label: str, reason: Reason
) -> None:
    assert await reason_from(extractor, content(data, label)) is reason


def test_gzip_in_gzip_is_opened_to_the_allowed_depth() -> None:
    assert read(content(layers(4)), Limits()).text == NOTE
    assert reason_of(lambda: read(content(layers(3)), Limits(max_depth=2))) is Reason.TOO_LARGE


def test_several_gzip_members_are_one_note() -> None:
    data = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(8)
    assert read(content(data), Limits()).text == "one two"


@pytest.mark.parametrize("wrap", [gzip.compress, zipped])
def test_a_decompression_bomb_stops_at_the_limit(wrap: Callable[[bytes], bytes]) -> None:
    bomb = wrap(bytes(20_000_000))
    assert len(bomb) < 25_000
    assert reason_of(lambda: read(content(bomb), Limits(max_unpacked=1_000_000))) is Reason.TOO_LARGE
    nested = wrap(gzip.compress(b"x" * 900_000) + random.Random(1).randbytes(10))
    assert reason_of(lambda: read(content(nested), Limits(max_unpacked=800_000))) is Reason.TOO_LARGE


def test_a_file_of_an_archive_need_not_have_a_name() -> None:
    named = zipped(NOTE.encode())
    assert named.count(b"0.txt") == 2
    assert read(content(named.replace(b"0.txt", b"\0.txt")), Limits()).text == NOTE


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("at", range(30, 60, 3))
def test_a_damaged_archive_is_malformed_however_it_was_packed(method: int, at: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a", NOTE * 50)
    data = bytearray(buffer.getvalue())
    data[at] ^= 0x55
    found: str | Reason
    try:
        found = read(content(bytes(data)), Limits()).text
    except NoteError as error:
        found = error.reason
    assert found in (Reason.MALFORMED, NOTE * 50)  # the text where nothing that matters was hit


async def test_sizes_are_limited_at_both_ends() -> None:
    small = Limits(max_bytes=1000, max_characters=500)
    assert reason_of(lambda: extract(content(b"x" * 1001), small)) is Reason.TOO_LARGE
    assert reason_of(lambda: extract(content(b"x" * 501), small)) is Reason.TOO_LARGE
    async with Extractor(small, workers=1) as extractor:
        assert await reason_from(extractor, content(gzip.compress(b"x" * 501))) is Reason.TOO_LARGE


def worker_running(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes workers run `code` in place of reading, under the same limits: a hostile parser on demand."""
    script = f"""
import json, os, signal, sys, time
from fhir_adapter.text import guard
from fhir_adapter.text.workers import wire, worker
def hostile(content, limits):
    {code}
worker.read = hostile
sys.exit(worker.main(sys.argv))
"""
    monkeypatch.setattr(pool, "_WORKER", ("-c", script))


def limits_for(reason: Reason) -> Limits:
    """Little time where the end of it is what is looked at, and else more than a busy machine needs."""
    return Limits(seconds=2.0 if reason is Reason.TIMEOUT else 120.0, memory=600_000_000)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("time.sleep(60)", Reason.TIMEOUT),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n    while True: pass", Reason.TIMEOUT),
        ("blocks = [bytearray(50_000_000) for _ in range(100)]", Reason.TOO_LARGE),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Reason.MALFORMED),
        ("os._exit(3)", Reason.MALFORMED),
        ("open('written-by-worker', 'wb').write(b'x')", Reason.INTERNAL_ERROR),
        (
            "sys.stdout.buffer.write(wire.HEAD.pack(2, 1 << 60)); sys.stdout.flush(); time.sleep(60)",
            Reason.TOO_LARGE,
        ),
        (
            "sys.stdout.buffer.write(wire.HEAD.pack(2, 0) + b'[]'); sys.stdout.flush(); time.sleep(60)",
            Reason.MALFORMED,
        ),
        ("raise KeyError('secret')", Reason.INTERNAL_ERROR),
    ],
)
async def test_whatever_a_parser_does_the_parent_gets_a_reason(
    code: str, reason: Reason, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    worker_running(code, monkeypatch)
    async with Extractor(limits_for(reason), workers=1) as extractor:
        with pytest.raises(NoteError) as caught:
            await extractor.extract(content(gzip.compress(b"x")))
        assert caught.value.reason is reason
        assert "secret" not in str(caught.value)
        monkeypatch.undo()
        # The next note gets a healthy worker.
        assert (await extractor.extract(content(gzip.compress(NOTE.encode())))).text == NOTE
    assert not any(path.stat().st_size for path in tmp_path.iterdir())


@pytest.mark.parametrize("code", ["time.sleep(60)", "os._exit(3)"])
def test_the_blocking_way_is_guarded_too(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worker_running(code, monkeypatch)
    expected = Reason.TIMEOUT if "sleep" in code else Reason.MALFORMED
    assert reason_of(lambda: extract(content(gzip.compress(b"x")), limits_for(expected))) is expected


async def test_a_note_given_up_in_the_middle_leaves_no_worker_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    worker_running("time.sleep(60)", monkeypatch)
    async with Extractor(workers=1) as extractor:
        task = asyncio.create_task(extractor.extract(content(gzip.compress(b"x"))))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        monkeypatch.undo()
        assert (await extractor.extract(content(gzip.compress(NOTE.encode())))).text == NOTE


async def test_many_notes_share_few_workers_and_each_is_replaced_in_time() -> None:
    async with Extractor(workers=2, jobs_per_worker=5) as extractor:
        notes = await asyncio.gather(
            *(extractor.extract(content(gzip.compress(f"note {n}".encode()))) for n in range(40))
        )
        assert [note.text for note in notes] == [f"note {n}" for n in range(40)]
        assert len(extractor._idle) <= 2
        assert all(worker.jobs < 5 for worker in extractor._idle)


async def test_a_worker_that_died_while_idle_is_replaced(extractor: Extractor) -> None:
    await extractor.extract(content(gzip.compress(b"x")))
    process = extractor._idle[0]._process
    process.kill()
    assert (await extractor.extract(content(gzip.compress(NOTE.encode())))).text == NOTE


async def test_an_extractor_is_used_inside_its_block() -> None:
    with pytest.raises(RuntimeError):
        await Extractor().extract(content(b"x"))


async def test_plain_text_and_small_html_start_no_worker(extractor: Extractor) -> None:
    await extractor.extract(content(NOTE.encode()))
    await extractor.extract(content(b"<p>small</p>", "text/html"))
    await extractor.extract(content(b"x" * 2_000_000))
    assert not extractor._idle


def test_a_worker_knows_no_secrets_and_loads_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSUM_PASSWORD", "hunter2")
    assert "hunter2" not in pool._environment().values()
    look = "sys.exit(not {'torch', 'spacy'}.isdisjoint(sys.modules))"
    code = f"import sys, fhir_adapter.text.workers.worker\n{look}"
    assert subprocess.run([sys.executable, "-c", code], env=pool._environment(), check=False).returncode == 0


def test_a_worker_ends_with_its_parent() -> None:
    code = (
        "import asyncio, gzip, os\n"
        "from fhir_adapter.note import Content\n"
        "from fhir_adapter.text import Extractor\n"
        "async def main():\n"
        "    async with Extractor(workers=1) as extractor:\n"
        "        await extractor.extract(Content('', gzip.compress(b'x'), ''))\n"
        "        print(extractor._idle[0]._process.pid, flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=pool._environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    worker = int(done.stdout)
    for _ in range(200):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{worker}/stat").exists() and " Z " in Path(f"/proc/{worker}/stat").read_text():
            return  # ended; nobody has collected it yet
        time.sleep(0.05)
    pytest.fail("the worker outlives its parent")


def test_an_answer_survives_the_wire() -> None:
    note = read(content("<h1>Größe</h1>😀".encode()), Limits())
    frame = wire.answer(note)
    head_size, body_size = wire.HEAD.unpack_from(frame)
    head, body = frame[wire.HEAD.size :][:head_size], frame[wire.HEAD.size + head_size :]
    assert len(body) == body_size
    assert wire.outcome(head, body) == note


@pytest.mark.parametrize("head", [b"", b"{}", b"[]", b'{"reason": "nonsense", "detail": ""}', b"\xff"])
def test_an_answer_without_sense_is_malformed(head: bytes) -> None:
    with pytest.raises(ValueError, match="no sensible answer"):
        wire.outcome(head, b"")


def test_every_death_has_a_reason() -> None:
    assert guard.death(-signal.SIGXCPU).reason is Reason.TIMEOUT
    assert guard.death(-signal.SIGKILL).reason is Reason.TOO_LARGE
    assert guard.death(-signal.SIGSEGV).reason is Reason.MALFORMED
    assert guard.death(-999).reason is Reason.MALFORMED
