"""The documents that hold summaries: found by what is in them, and read.

On a server that searches for one patient at a time they are looked for among those of whom they may be.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from fhir_adapter import canonical
from fhir_adapter.errors import (
    DamagedError,
    HttpStatusError,
    NotFhirError,
    UnsearchableError,
)
from fhir_adapter.filed import is_filed
from fhir_adapter.filing.envelope import (
    FHIR_JSON,
    Filed,
    data_of,
    names_of,
    remnant_of,
    replaces,
    stored_in,
)
from fhir_adapter.filing.terms import TYPED
from fhir_adapter.filing.whose import Whose
from fhir_adapter.lenient import JsonObject, as_dict, as_text, dicts, reference_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.rest.searching import Params, search_by, ways_of
from fhir_adapter.stamps import last_updated
from fhir_adapter.writing.lifecycle import ended_because

_KIND = "DocumentReference"
_AT_ONCE = 40  # identifiers in one search: keeps the URL under 4 kB
_MOST_BYTES = 32 << 20
_COUNT = ("_count", "100")

Term = tuple[str, str]
"""System and value of an identifier."""


class FiledSearch:
    """Finds and reads documents.

    Args:
        server: as it is.
        whose: tells whom resources are about, for servers that want a patient in every search.
    """

    def __init__(self, server: FhirClient, whose: Whose | None = None) -> None:
        self._server, self._whose = server, whose or Whose(lambda: None, _read_nothing)
        self._by_patient = False
        self._damaged: dict[str, JsonObject] = {}

    async def pages(
        self, ways: Sequence[Params], start: str = ""
    ) -> AsyncIterator[tuple[SearchPage, list[Filed]]]:
        """Pages of a search, each with the documents of ours on it.

        Those that do not hold any more what was filed are `unusable` of the page, by their Composition.

        Raises:
            HttpStatusError: the server takes none of the ways.
        """
        server = self._server
        pages = server.search(_KIND, ways[0], start) if start else search_by(server, _KIND, ways)
        async for page in pages:
            found, damaged = list[Filed](), list[str]()
            for document in filter(is_filed, page.resources):
                try:
                    found.append(await self.filed(document))
                    parts = found[-1].stored
                    self._whose.keep(map(reference_of, parts.resources), patient_of(parts.composition))
                    self._damaged.pop(reference_of(document), None)
                except NotFhirError:
                    self._damaged[reference_of(document)] = document
                    damaged += names_of(document, canonical.FILED)[:1]
            yield replace(page, unusable=tuple(damaged)), found

    def remnants(self, names: Iterable[str]) -> list[JsonObject]:
        """What is left of these Compositions, whose documents were met and are damaged."""
        wanted = set(names)
        damaged = self._damaged.values()
        return [remnant_of(one) for one in damaged if wanted & set(names_of(one, canonical.FILED))]

    def check(self, name: str) -> None:
        """Raises DamagedError where a resource was filed and the server does not give back what was."""
        if any(name in names_of(one, canonical.FILED) for one in self._damaged.values()):
            raise DamagedError(422, "a document of a summary that does not hold what was filed in it")

    async def find(
        self, terms: Iterable[Term], patient: str = "", *, everywhere: bool = False
    ) -> list[Filed]:
        """The documents with any of these identifiers, each once, in the order of their ids.

        Args:
            terms: what is looked for.
            patient: `Patient/id` of whoever it is about, where that is known.
            everywhere: also among the documents of all others, where the server wants a patient.

        Raises:
            HttpStatusError: the server does not take the searches, or wants a patient, who is not known.
        """
        wanted = list(dict.fromkeys(terms))
        found: dict[str, Filed] = {}
        for begin in range(0, len(wanted), _AT_ONCE):
            part = wanted[begin : begin + _AT_ONCE]
            async for one in self._any_of(part, patient, everywhere):
                if any(value in names_of(one.document, system) for system, value in part):
                    found[one.reference] = one
        over = {n for one in self._damaged.values() for n in replaces(one, self._server.base_url)}
        return [found[name] for name in sorted(found) if name not in over]

    async def _any_of(self, terms: Sequence[Term], patient: str, everywhere: bool) -> AsyncIterator[Filed]:
        """What a search for these finds, and perhaps more."""
        asked = ("identifier", ",".join(f"{system}|{value}" for system, value in terms))
        refusal: HttpStatusError | None = None
        if not self._by_patient:
            try:
                async for _, filed in self.pages([[asked, _COUNT], [TYPED, _COUNT], [_COUNT]]):
                    for one in filed:
                        yield one
                return
            except HttpStatusError as error:
                if not error.asks_otherwise:
                    raise
                refusal = error
        names = [value for system, value in terms if system == canonical.FILED]
        patients, all_known = await self._whose.of(names)
        patients = sorted({patient, *patients} - {""})
        found: list[Filed] = []
        async for one in self._of(patients, refusal):
            found.append(one)
            yield one
        async for one in self._of(await self._others(found, names, patients), refusal):
            found.append(one)
            yield one
        there = {name for one in found for name in names_of(one.document, canonical.FILED)}
        lacking = [name for name in names if name not in there]
        if patient or all_known:  # a note may have been another one's when its summary was filed
            lacking = lacking if lacking and await self._whose.were_written(lacking) else []
        if lacking or everywhere or not (patients or names):
            others = [one for one in await self._whose.everyone() if one not in patients]
            if not (patients or others):
                raise UnsearchableError(refusal.status if refusal else 400, f"search of {_KIND}")
            async for one in self._of(others, refusal):
                yield one

    async def _others(self, found: Sequence[Filed], names: Sequence[str], asked: Sequence[str]) -> list[str]:
        """All others, where what is found here was taken back because the note is somebody else's."""
        heads = in_force(found, self._server.base_url)
        mine = [one for one in heads if set(names) & set(names_of(one.document, canonical.FILED))]
        if not any(was_taken_back(one) for one in mine):
            return []
        return [one for one in await self._whose.everyone() if one not in asked]

    async def _of(self, patients: Iterable[str], refusal: HttpStatusError | None) -> AsyncIterator[Filed]:
        """The documents of patients, one by one; raises the refusal where these are refused likewise."""
        for patient in patients:
            try:
                async for _, filed in self.pages(ways_of(patient, [[TYPED, _COUNT], [_COUNT]])):
                    self._by_patient = True
                    for one in filed:
                        yield one
            except HttpStatusError as error:
                raise (refusal if refusal and not self._by_patient else error) from None

    async def newest_of(self, ways: Sequence[Params], patients: Iterable[str]) -> AsyncIterator[list[Filed]]:
        """Pages of the same searches for each of these patients."""
        for patient in patients:
            async for _, found in self.pages(ways_of(patient, ways)):
                yield found

    async def current(self, names: Iterable[str], patient: str = "") -> dict[str, Filed]:
        """The document in force of each resource, by `Type/id`, as far as there is one."""
        wanted = list(dict.fromkeys(names))
        found = await self.find(((canonical.FILED, name) for name in wanted), patient)
        return of_names(in_force(found, self._server.base_url), wanted)

    async def filed(self, document: JsonObject) -> Filed:
        """What is in a document of ours.

        Raises:
            NotFhirError: the server does not give back what was filed.
        """
        text, stored = None, None
        for content in dicts(document.get("content")):
            attachment = as_dict(content.get("attachment"))
            kind = (as_text(attachment.get("contentType")) or "").lower()
            if kind.startswith("text/") and text is None:
                data = await self._data(attachment)
                text = None if data is None else data.decode("utf-8", "replace")
            elif kind.startswith((FHIR_JSON, "application/json")) and stored is None:
                data = await self._data(attachment)
                stored = None if data is None else stored_in(data)
        if stored is None:
            raise NotFhirError("a document of a summary does not hold what was filed in it")
        return Filed(document, stored, text)

    async def _data(self, attachment: JsonObject) -> bytes | None:
        url = as_text(attachment.get("url"))
        if attachment.get("data") is not None or url is None:
            return data_of(attachment)
        kind = str(attachment.get("contentType"))
        return (await self._server.fetch(url, accept=kind, max_bytes=_MOST_BYTES)).data


async def _read_nothing(_: Sequence[str]) -> None:
    """For who knows no notes."""


def patient_of(composition: JsonObject) -> str:
    """`Patient/id` of whoever a Composition is about, as it is named there; "" for nobody."""
    named = as_text(as_dict(composition.get("subject")).get("reference")) or ""
    return named if f"/{named}".rpartition("/")[0].endswith("/Patient") else ""


def of_names(found: Sequence[Filed], names: Iterable[str]) -> dict[str, Filed]:
    """By `Type/id` the first document that holds it, as far as one does."""
    return {
        name: one
        for name in names
        for one in [next((one for one in found if name in names_of(one.document, canonical.FILED)), None)]
        if one is not None
    }


def was_taken_back(one: Filed) -> bool:
    """Whether a document says that it is wrong, and nothing of why: its note is another patient's."""
    return one.document.get("status") == "entered-in-error" and not ended_because(one.stored.composition)


def unreplaced(found: Sequence[Filed], base_url: str) -> list[Filed]:
    """Those that no other one says it replaces; all of them where they go in a circle."""
    gone = {name for one in found for name in replaces(one.document, base_url)}
    return [one for one in found if one.reference not in gone] or list(found)


def in_force(found: Sequence[Filed], base_url: str) -> list[Filed]:
    """Of each summary the document that counts.

    One that another replaces does not count; of several a current one comes first, then the newest, then the
    first by its id, so that every reader takes the same.
    """

    def rank(one: Filed) -> tuple[bool, int, str]:
        return one.document.get("status") != "current", -(last_updated(one.document) or 0), one.reference

    by_name: dict[str, list[Filed]] = {}
    for one in found:
        by_name.setdefault(one.stored.name, []).append(one)
    return [min(unreplaced(some, base_url), key=rank) for some in by_name.values()]
