"""Invented letterheads and signatures for notes to learn from.

Corpora of notes are de-identified and begin with their first heading. Notes on a server begin with who, when
and where, and end with who signed: lines that a model which never saw any takes for something new.
"""

import random

from training.corpora.article import Parts

__all__ = ["framed", "framed_text"]

_BARE = 0.1  # of the notes stay as they are
_TITLED = 0.5  # of the letterheads stand under the name of the document
_SIGNED = 0.7

_TITLES = (
    "DISCHARGE SUMMARY",
    "EMERGENCY DEPARTMENT NOTE",
    "OPERATIVE NOTE",
    "PROGRESS NOTE",
    "CONSULTATION NOTE",
    "RADIOLOGY REPORT",
    "HISTORY AND PHYSICAL EXAMINATION",
    "PEDIATRIC DISCHARGE SUMMARY",
    "CARDIOLOGY CLINIC",
    "Clinic visit",
)
_FIELDS = (
    "Patient: {surname}, {name}",
    "Patient name: {name} {surname}",
    "DOB: {date}",
    "Date of birth: {date} Sex: {sex}",
    "MRN: {number}",
    "Account number: {number}",
    "Age: {age} Sex: {sex}",
    "{age}-year-old, {sex}",
    "Date: {date}",
    "Date of service: {date}",
    "Date of admission: {date}",
    "Admitted: {date} Discharged: {later}",
    "Admitted {date} - Discharged {later}",
    "Arrival: {date} {time} by ambulance Triage: ESI 2",
    "Seen {date} {time}",
    "Visit type: return",
    "Attending: {doctor}",
    "Attending: {doctor} Service: {service}",
    "Surgeon: {doctor} Assistant: {other}",
    "Surgeon: {doctor}",
    "Referring physician: {doctor}",
    "Primary care: {doctor}",
    "Ordering provider: {doctor} Accession: {number}",
    "Service: {service}",
    "Department of {service}",
    "Ward: {ward} Bed: {bed}",
    "Location: {service} clinic, room {bed}",
    "AMENDED {date}",
    "Page 1 of 2",
    "Status: final",
)
_SIGNATURES = (
    "{doctor}",
    "{doctor}, {service}",
    "Electronically signed: {doctor} {date} {time}",
    "Electronically signed by {doctor} on {date} at {time}.",
    "Signed by {doctor}",
    "Amended by {doctor} {date} {time}",
    "{doctor} / cc: general practitioner",
    "cc: {other}",
    "Dictated by: {doctor}",
    "Dictated: {date} Transcribed: {later}",
    "D: {date} T: {later}",
    "Reviewed with {other}.",
    "Page 2 of 2",
)
_SURNAMES = (
    "Abara", "Bergstrom", "Castellan", "Dimitrov", "Eriksen", "Falk", "Greenleaf", "Hadley", "Ishida",
    "Jansen", "Kowalczyk", "Lindqvist", "Moreau", "Nakagawa", "Okonjo", "Pereira", "Quill", "Rahimi",
    "Santoro", "Thornbury",
)  # fmt: skip
_NAMES = (
    "Ada", "Bruno", "Carla", "David", "Elena", "Frank", "Grace", "Henry", "Irene", "Jonas", "Kim", "Leo",
)  # fmt: skip
_DEGREES = ("MD", "DO", "NP", "PA-C", "DPM", "RN", "M.D.")
_SERVICES = ("Cardiology", "Surgery", "Medicine", "Pediatrics", "Orthopedics", "Oncology", "Neurology")


def framed_text(text: str, seed: str) -> tuple[str, int]:
    """A note as a server holds it, the same for the same seed; and where it begins in that."""
    title, top, end = _frame(random.Random(seed))
    before = "".join(f"{line}\n" for line in (title, *top) if line) + "\n"
    after = "".join(f"\n{line}" for line in end)
    return f"{before}{text}{after and chr(10)}{after}", len(before)


def framed(parts: Parts, seed: str) -> Parts:
    """The sections of a note (title, sentences) with lines before and behind, the same for the same seed."""
    chance = random.Random(seed)
    if chance.random() < _BARE or not parts:
        return parts
    title, top, end = _frame(chance)
    *before, (last, lines) = parts
    return [(title, top), *before, (last, lines + end)]


def _frame(chance: random.Random) -> tuple[str, list[str], list[str]]:
    """Title ("" for none), lines before and lines behind."""
    top = [_line(_FIELDS, chance) for _ in range(chance.randint(1, 5))]
    title = chance.choice(_TITLES) if chance.random() < _TITLED else ""
    signed = chance.random() < _SIGNED
    return title, top, [_line(_SIGNATURES, chance) for _ in range(chance.randint(1, 2))] if signed else []


def _line(forms: tuple[str, ...], chance: random.Random) -> str:
    month, day, year = chance.randint(1, 12), chance.randint(1, 27), chance.randint(1990, 2026)
    doctor, other = (
        f"{chance.choice(('', 'Dr. '))}{chance.choice('ABCDEFGHJKLMNPRST')}. {chance.choice(_SURNAMES)}, "
        f"{chance.choice(_DEGREES)}"
        for _ in range(2)
    )
    return chance.choice(forms).format(
        name=chance.choice(_NAMES),
        surname=chance.choice(_SURNAMES),
        doctor=doctor,
        other=other,
        date=f"{month:02}/{day:02}/{year}",
        later=f"{month:02}/{day + 1:02}/{year}",
        time=f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}",
        number=chance.randint(10**5, 10**8),
        age=chance.randint(1, 99),
        sex=chance.choice(("F", "M", "female", "male")),
        service=chance.choice(_SERVICES),
        ward=f"{chance.randint(1, 9)}{chance.choice('ABCD')}",
        bed=chance.randint(1, 40),
    )
