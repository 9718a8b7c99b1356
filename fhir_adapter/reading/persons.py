"""Who a patient is, for people: name, birth date and number; and patients found by these."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import (
    JsonObject,
    as_code,
    as_dict,
    as_list,
    as_text,
    dicts,
    reference_of,
    usable_id,
)
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.matches import matches
from fhir_adapter.stamps import nanoseconds

_NAME_USES = ("official", "usual", None, "temp", "nickname", "anonymous", "maiden", "old")
_NUMBER_TYPES = ("MR", "PI", "NI", "SS")  # v2-0203: a record's number before a nation's
_NO_VISIT = ("planned", "cancelled", "entered-in-error", "unknown")
_DATE = len("1957-03-02")


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as people tell them apart.

    Attributes:
        reference: `Patient/id`.
        name: given names, then the family's; "" where none is stated.
        born: the birth date as stated, a year, a month or a day; "" where none is.
        number: the medical record number, else the first identifier; "" where there is none.
    """

    reference: str
    name: str
    born: str
    number: str


def read_person(resource: JsonObject) -> Person:
    """A Patient read leniently."""
    return Person(
        reference=reference_of(resource),
        name=name_of(dicts(as_list(resource.get("name")))),
        born=as_text(resource.get("birthDate")) or "",
        number=_number(dicts(as_list(resource.get("identifier")))),
    )


def name_of(names: Sequence[JsonObject]) -> str:
    """The name that a person goes by, of the HumanNames stated; "" where there is none."""
    uses = [as_code(name.get("use")) for name in names]
    for use in _NAME_USES:
        for name, own in zip(names, uses, strict=True):
            if own == use and (said := _said(name)):
                return said
    return ""


def _said(name: JsonObject) -> str:
    parts = [*as_list(name.get("given")), name.get("family"), *as_list(name.get("suffix"))]
    joined = " ".join(" ".join(text.split()) for text in map(as_text, parts) if text)
    return joined or " ".join((as_text(name.get("text")) or "").split())


def _number(identifiers: Sequence[JsonObject]) -> str:
    def rank(identifier: JsonObject) -> int:
        codes = [as_code(one.get("code")) for one in dicts(as_dict(identifier.get("type")).get("coding"))]
        return min((_NUMBER_TYPES.index(code) for code in codes if code in _NUMBER_TYPES), default=9)

    usable = [one for one in identifiers if as_text(one.get("value")) and as_code(one.get("use")) != "old"]
    return str(min(usable, key=rank)["value"]) if usable else ""


async def find_persons(client: FhirClient, words: str, most: int) -> list[Person]:
    """The patients whose name holds all the words, or whose identifier or id they are.

    Args:
        client: the server.
        words: as somebody typed them.
        most: at most so many.

    Raises:
        FhirAdapterError: as the client raises it; a way of searching that the server lacks counts as none.
    """
    words = words.removeprefix("Patient/").strip()
    found: dict[str, Person] = {}
    there = await client.read_if_there(f"Patient/{words}") if usable_id(words) else None
    if there and there.get("resourceType") == "Patient":
        found[reference_of(there)] = read_person(there)
    count = ("_count", str(most))
    for query in ([("identifier", _escaped(words)), count], [*_names(words), count]):
        async for resource in _asked(client, query):
            found.setdefault(reference_of(resource), read_person(resource))
            if len(found) >= most:
                return list(found.values())
    return list(found.values())


def _names(words: str) -> list[tuple[str, str]]:
    return [("name", _escaped(word)) for word in words.replace(",", " ").split()]


def _escaped(value: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\,$" else sign for sign in value)


async def _asked(client: FhirClient, query: Sequence[tuple[str, str]]) -> AsyncIterator[JsonObject]:
    try:
        async for resource in matches(client, "Patient", query):
            yield resource
    except HttpStatusError as error:
        if not error.unsupported:
            raise


def latest_begin(encounters: Iterable[JsonObject], before: str) -> str:
    """The latest day on which one of these Encounters began, not behind a day; "" where there is none."""
    found = ""
    for resource in encounters:
        begun = (as_text(as_dict(resource.get("period")).get("start")) or "")[:_DATE]
        dated = len(begun) == _DATE and nanoseconds(begun) is not None and begun <= before
        if dated and as_code(resource.get("status")) not in _NO_VISIT:
            found = max(found, begun)
    return found


async def last_visit(client: FhirClient, patients: Iterable[str], before: str) -> str:
    """The day on which the latest visit or stay of a patient began; "" where the server tells of none.

    Args:
        client: the server.
        patients: `Patient/id`, of a merged patient several.
        before: a day; what begins later has not been yet.

    Raises:
        FhirAdapterError: as the client raises it; a server that does not let Encounters be searched has none.
    """
    found = ""
    wanted = set(patients)
    query = [("patient", ",".join(wanted)), ("_sort", "-date"), ("_count", "20")]
    try:
        async for page in client.search("Encounter", query):
            found = latest_begin(page.resources, before)
            if found:
                return found
    except HttpStatusError as error:
        if error.passing:
            raise
    return found
