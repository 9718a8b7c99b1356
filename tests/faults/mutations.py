"""Ways in which files go wrong, by accident or on purpose; the same number always gives the same file."""

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.seeds import Seed, cda_around, seeds, zipped

LABELS = ("text/plain", "text/html", "application/xml", "application/pdf", "application/rtf", "", "image/png")

Mutation = Callable[[random.Random, bytes, list[Seed]], bytes]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged file, and how it came about."""

    story: str
    data: bytes
    media_type: str


def flip_bits(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    damaged = bytearray(data)
    for _count in range(chance.choice((1, 1, 3, 20, 200))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def set_bytes(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    damaged = bytearray(data)
    for _count in range(chance.choice((1, 5, 50))):
        damaged[chance.randrange(len(damaged))] = chance.choice(b"\x00\xff<>{}\\\"'&/()[]\n\x80")
    return bytes(damaged)


def truncate(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    return data[: chance.randrange(len(data))]


def behead(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    return data[chance.randrange(len(data)) :]


def cut_out(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 500) :]


def repeat(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    start = chance.randrange(len(data))
    piece = data[start : start + chance.randrange(1, 200)]
    return data[:start] + piece * chance.choice((2, 50, 2000)) + data[start:]


def splice(chance: random.Random, data: bytes, others: list[Seed]) -> bytes:
    other = chance.choice(others).data
    start = chance.randrange(len(other))
    at = chance.randrange(len(data))
    return data[:at] + other[start : start + chance.randrange(1, 2000)] + data[at:]


def insert_noise(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.choice((1, 16, 1000))) + data[at:]


def change_number(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    """Puts a huge, negative or zero number where digits stand: lengths, offsets, counts."""
    places = [at for at in range(len(data)) if 0x30 <= data[at] <= 0x39]
    if not places:
        return data + b"9"
    at = chance.choice(places)
    return (
        data[:at]
        + chance.choice((b"0", b"-1", b"99999999999", b"2147483648", b"4294967295"))
        + data[at + 1 :]
    )


def wrap(chance: random.Random, data: bytes, _: list[Seed]) -> bytes:
    for _count in range(chance.choice((1, 1, 2, 6))):
        kind = chance.randrange(3)
        if kind == 0:
            data = gzip.compress(data, mtime=0)
        elif kind == 1:
            data = zipped({"note": data})
        else:
            data = cda_around(data, chance.choice(LABELS)).encode()
    return data


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    set_bytes,
    truncate,
    behead,
    cut_out,
    repeat,
    splice,
    insert_noise,
    change_number,
    wrap,
)


def mutant(number: int) -> Mutant:
    """The damaged file of a number: one to three mutations of a sound file, sometimes under a wrong label."""
    chance = random.Random(number)
    sound = seeds()
    seed = sound[number % len(sound)]
    data, story = seed.data, [seed.name]
    for _ in range(chance.choice((1, 1, 2, 3))):
        mutation = chance.choice(MUTATIONS)
        if data:
            data = mutation(chance, data, sound)
            story.append(mutation.__name__)
    label = chance.choice(LABELS) if chance.random() < 0.3 else seed.media_type
    return Mutant(f"number {number}: {' '.join(story)} as {label}", data, label)
