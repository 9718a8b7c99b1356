"""The names of who wrote a note, where it refers to them without saying what they are called.

Practitioner, PractitionerRole, Organization and the like are read by their reference: each once for as long
as an object of this lives, a bounded number of them, and without a word where the server refuses.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from fhir_adapter.errors import FhirAdapterError, LoginError
from fhir_adapter.lenient import JsonObject, as_dict, as_list, as_text, dicts, first_dict, relative
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.persons import name_of
from fhir_adapter.rest.client import FhirClient

_PERSONS = ("Practitioner", "RelatedPerson")
_NAMED = ("Organization", "CareTeam")
_TYPES = frozenset((*_PERSONS, *_NAMED, "PractitionerRole", "Device"))  # a patient's name stands elsewhere
_MOST = 200  # requests for all notes together
_OF_ONE = 5  # authors of one note
_AT_ONCE = 4


class Authors:
    """Finds names of authors on one server; made anew for each page or pass.

    Args:
        client: the server of the notes.
    """

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._asked: dict[str, asyncio.Task[str]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def named(self, notes: Iterable[SourceNote]) -> list[SourceNote]:
        """The notes in their order, each with the names of its authors as far as they can be had.

        A note that displays a name of its own keeps that, and costs no request.

        Raises:
            LoginError: no token; any other fault of the server leaves a name out.
        """
        return list(await asyncio.gather(*map(self._named, notes)))

    async def _named(self, note: SourceNote) -> SourceNote:
        if note.authors or not note.author_references:
            return note
        names = await asyncio.gather(*map(self._name, note.author_references[:_OF_ONE]))
        return replace(note, authors=tuple(dict.fromkeys(filter(None, names))))

    async def _name(self, reference: str) -> str:
        target = relative(reference, self._client.base_url)
        if target.partition("/")[0] not in _TYPES or target.count("/") != 1:
            return ""
        if target not in self._asked:
            if len(self._asked) >= _MOST:
                return ""
            self._asked[target] = asyncio.create_task(self._read(target))
        return await self._asked[target]

    async def _read(self, target: str) -> str:
        try:
            async with self._slots:
                resource = await self._client.read_if_there(target)
        except LoginError:
            raise
        except FhirAdapterError:
            return ""
        return await self._called(resource or {})

    async def _called(self, resource: JsonObject) -> str:
        kind = resource.get("resourceType")
        if kind == "PractitionerRole":
            return await self._in_role(resource)
        if kind == "Device":
            stated = first_dict(resource.get("deviceName")) or {}
            return _plain(stated.get("name"))
        if kind in _PERSONS:
            return name_of(dicts(as_list(resource.get("name"))))
        return _plain(resource.get("name")) if kind in _NAMED else ""

    async def _in_role(self, role: JsonObject) -> str:
        """Who has the role, else where it is held."""
        parties = [as_dict(role.get(element)) for element in ("practitioner", "organization")]
        for party in parties:
            if said := _plain(party.get("display")):
                return said
        for party in parties:
            target = as_text(party.get("reference")) or ""
            kind = relative(target, self._client.base_url).partition("/")[0]
            if kind in ("Practitioner", "Organization") and (said := await self._name(target)):
                return said
        return ""


def _plain(value: object) -> str:
    return " ".join((as_text(value) or "").split())
