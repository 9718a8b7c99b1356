"""Notes that take long give way to those that wait."""

import asyncio
import gzip
from pathlib import Path

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Extractor
from fhir_adapter.text.guard import Limits
from fhir_adapter.text.workers import pool

SLOW = "text/x-slow"
ENOUGH = Limits(seconds=300.0)


def note(words: str, media_type: str = "text/plain") -> Content:
    return Content("DocumentReference.content[0].attachment", gzip.compress(words.encode()), media_type, None)


@pytest.fixture
def until(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file; workers read slow notes once it is there, and make a folder `begun-*` for each."""
    gate = tmp_path / "gate"
    script = f"""
import pathlib, sys, time
from fhir_adapter.text.workers import worker
read = worker.read
def patient(content, limits):
    if content.media_type == {SLOW!r}:
        pathlib.Path({str(tmp_path)!r}, f"begun-{{time.monotonic_ns()}}").mkdir()
        while not pathlib.Path({str(gate)!r}).exists():
            time.sleep(0.01)
    return read(content, limits)
worker.read = patient
sys.exit(worker.main(sys.argv))
"""
    monkeypatch.setattr(pool, "_WORKER", ("-c", script))
    return gate


async def test_slow_notes_keep_no_quick_one_waiting_and_are_read_in_the_end(until: Path) -> None:
    async with Extractor(ENOUGH, workers=1, patience=3.0) as extractor:
        slow = [asyncio.create_task(extractor.extract(note(f"slow {n}", SLOW))) for n in range(3)]
        quick = [await extractor.extract(note(f"quick {n}")) for n in range(3)]
        assert not any(task.done() for task in slow)
        until.touch()
        read = [each.text for each in await asyncio.gather(*slow)]
    assert [each.text for each in quick] == ["quick 0", "quick 1", "quick 2"]
    assert read == ["slow 0", "slow 1", "slow 2"]


async def test_the_first_slow_note_goes_on_and_only_the_next_begin_anew(until: Path) -> None:
    async with Extractor(ENOUGH, workers=2, patience=0.2) as extractor:
        slow = asyncio.create_task(extractor.extract(note("slow", SLOW)))
        while not extractor._slow.locked():
            await asyncio.sleep(0.01)
        until.touch()
        assert (await slow).text == "slow"
    assert len(list(until.parent.glob("begun-*"))) == 1


async def test_a_slow_note_that_is_given_up_leaves_its_place(until: Path) -> None:
    async with Extractor(ENOUGH, workers=1, patience=0.1) as extractor:
        given_up = asyncio.create_task(extractor.extract(note("slow", SLOW)))
        while not extractor._slow.locked():
            await asyncio.sleep(0.01)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert not extractor._slow.locked()
        assert (await extractor.extract(note("quick"))).text == "quick"


async def test_a_slow_note_ends_with_its_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    dies = "import os, sys, time\ntime.sleep(0.5)\nos._exit(3)"
    monkeypatch.setattr(pool, "_WORKER", ("-c", dies))
    async with Extractor(ENOUGH, workers=1, patience=0.1) as extractor:
        ends = await asyncio.gather(*(extractor.extract(note("x")) for _ in range(2)), return_exceptions=True)
    assert [end.reason for end in ends if isinstance(end, NoteError)] == [Reason.MALFORMED] * 2
