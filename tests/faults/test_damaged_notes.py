"""Whatever the bytes, a note gives text or a reason code: never a crash, a hang or a leak.

In full: `python -m pytest tests/faults --mutations 10000`
"""

import asyncio
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from fhir_adapter.canonical import CANONICAL_BASE
from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Extractor, Limits
from tests.faults.mutations import Mutant, mutant
from tests.faults.seeds import SENTENCES, Seed, seeds

LIMITS = Limits(seconds=10.0, max_unpacked=20_000_000, max_characters=2_000_000)
BATCH = 50
GROWTH = 64_000_000  # bytes by which the parent may grow while it reads all but the first quarter


def resident() -> int:
    """Bytes of this process in memory; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.exists() else 0


def check(note: NoteText, label: str) -> None:
    assert hashlib.sha256(note.text.encode("utf-8")).hexdigest() == note.sha256  # raises on a lone surrogate
    assert note.normalization.startswith(f"{CANONICAL_BASE}/text-extraction/")
    assert note.declared_type == label
    assert len(note.text) <= LIMITS.max_characters
    position = 0
    for heading in note.headings:
        assert position <= heading.start < heading.end <= len(note.text)
        assert note.text[heading.start : heading.end].strip()
        position = heading.end


async def outcome(extractor: Extractor, damaged: Mutant) -> NoteText | NoteError:
    try:
        note = await extractor.extract(Content("fault", damaged.data, damaged.media_type))
    except NoteError as error:
        return error
    check(note, damaged.media_type)
    return note


async def test_damaged_files_give_text_or_a_reason(mutations: int) -> None:
    reasons: Counter[str] = Counter()
    internal: list[str] = []
    early = 0
    async with Extractor(LIMITS, workers=2) as extractor:
        for start in range(0, mutations, BATCH):
            batch = [mutant(number) for number in range(start, min(start + BATCH, mutations))]
            for damaged, found in zip(
                batch, await asyncio.gather(*(outcome(extractor, each) for each in batch)), strict=True
            ):
                reason = found.reason.value if isinstance(found, NoteError) else "text"
                reasons[reason] += 1
                if reason == Reason.INTERNAL_ERROR.value and isinstance(found, NoteError):
                    internal.append(f"{found.detail} in {damaged.story}")
            if start <= mutations // 4:
                early = resident()
    growth = resident() - early
    # Shown with -s: the table of a full run.
    print(dict(reasons.most_common()), f"parent grew by {growth / 1e6:.1f} MB")  # noqa: T201
    assert not internal, "\n".join(internal)
    assert sum(reasons.values()) == mutations
    assert reasons["text"] > mutations // 10
    assert growth < GROWTH


async def test_the_same_damage_gives_the_same_outcome(mutations: int) -> None:
    numbers = range(0, mutations, max(mutations // 60, 1))
    async with Extractor(LIMITS, workers=2) as first, Extractor(LIMITS, workers=1) as second:
        for number in numbers:
            damaged = mutant(number)
            one, two = await outcome(first, damaged), await outcome(second, damaged)
            if isinstance(one, NoteError) or isinstance(two, NoteError):
                assert str(one) == str(two), damaged.story
            else:
                assert one == two, damaged.story


@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: seed.name)
async def test_undamaged_every_sentence_is_there(seed: Seed) -> None:
    async with Extractor(LIMITS, workers=1) as extractor:
        note = await extractor.extract(Content("sound", seed.data, seed.media_type))
    check(note, seed.media_type)
    words = " ".join(note.text.split())
    assert all(each in words for each in SENTENCES)
