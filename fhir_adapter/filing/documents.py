"""The documents of one server that hold summaries: found, read, filed anew and changed in their place.

A summary has one document; when it says something else, a further one that replaces it (`relatesTo`, as
US Core has it), and the former one is marked `superseded` where the server lets it be changed. What only ends
a summary, or is added beside it, is written into its document; where that cannot be, a further one says it.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace

from fhir_adapter import canonical
from fhir_adapter.errors import (
    ConflictError,
    DamagedError,
    FhirAdapterError,
    HttpStatusError,
    NotFhirError,
    RefusedError,
    UnconfirmedError,
)
from fhir_adapter.filed import is_filed
from fhir_adapter.filing.envelope import (
    FHIR_JSON,
    Filed,
    Parts,
    data_of,
    document_of,
    names_of,
    remnant_of,
    replaces,
    stored_in,
    version_name,
)
from fhir_adapter.filing.terms import TYPED
from fhir_adapter.lenient import JsonObject, as_dict, as_text, dicts, reference_of, version_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.creating import create
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.rest.searching import Params, search_by
from fhir_adapter.stamps import last_updated
from fhir_adapter.writing.lifecycle import content_digest
from fhir_adapter.writing.validity import validate

logger = logging.getLogger(__name__)

_KIND = "DocumentReference"
_AT_ONCE = 40  # identifiers in one search: keeps the URL under 4 kB
_MOST_BYTES = 32 << 20
_COUNT = ("_count", "100")
_IN_ERROR = "entered-in-error"

Term = tuple[str, str]
"""System and value of an identifier."""


class Documents:
    """Reads and writes documents.

    Args:
        server: as it is.
        whose: `Patient/id` of whoever a resource in a document is about, by its `Type/id`, or "": for servers
            that want a patient in every search.
    """

    def __init__(self, server: FhirClient, whose: Callable[[str], str] = lambda _: "") -> None:
        self._server, self._whose = server, whose
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

    async def find(self, terms: Iterable[Term], patient: str = "") -> list[Filed]:
        """The documents with any of these identifiers, each once, in the order of their ids.

        Args:
            terms: what is looked for.
            patient: `Patient/id` of whoever it is about, where that is known.

        Raises:
            HttpStatusError: the server does not take the searches, or wants a patient, who is not known.
        """
        wanted = list(dict.fromkeys(terms))
        found: dict[str, Filed] = {}
        for begin in range(0, len(wanted), _AT_ONCE):
            part = wanted[begin : begin + _AT_ONCE]
            async for one in self._any_of(part, patient):
                if any(value in names_of(one.document, system) for system, value in part):
                    found[one.reference] = one
        over = {n for one in self._damaged.values() for n in replaces(one, self._server.base_url)}
        return [found[name] for name in sorted(found) if name not in over]

    async def _any_of(self, terms: Sequence[Term], patient: str) -> AsyncIterator[Filed]:
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
                if not error.unsupported:
                    raise
                refusal = error
        patients = {patient or self._whose(value) for system, value in terms if system == canonical.FILED}
        patients |= {patient} if patient else set()
        if refusal and (not patients or "" in patients):
            raise refusal
        for one_patient in sorted(filter(None, patients)):
            of_one = ("patient", one_patient.partition("/")[2])
            async for _, filed in self.pages([[of_one, TYPED, _COUNT], [of_one, _COUNT]]):
                self._by_patient = True
                for one in filed:
                    yield one

    async def current(self, names: Iterable[str], patient: str = "") -> dict[str, Filed]:
        """The document in force of each resource, by `Type/id`, as far as there is one."""
        wanted = list(dict.fromkeys(names))
        found = await self.find(((canonical.FILED, name) for name in wanted), patient)
        ordered = in_force(found, self._server.base_url)
        return {
            name: next(one for one in ordered if name in names_of(one.document, canonical.FILED))
            for name in wanted
            if any(name in names_of(one.document, canonical.FILED) for one in ordered)
        }

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

    async def save(self, parts: Parts, expected: str = "") -> tuple[Filed, int]:
        """Files what is new, and changes what is there.

        Args:
            parts: the whole.
            expected: `Filed.version` over which alone it may be written; "" for any.

        Returns:
            The document as the server has it now, and 201, or 200 where one was there.

        Raises:
            ConflictError: another version stands there. HttpStatusError: the server refuses it.
            UnconfirmedError: it took it and does not show it.
        """
        there = await self.find([(canonical.FILED, parts.name)], patient_of(parts.composition))
        heads = in_force(there, self._server.base_url)
        head = heads[0] if heads else None
        if head is None:
            self.check(parts.name)
        if expected and (head is None or head.version != expected):
            raise ConflictError(412, f"update of {_KIND}")
        if head is None:
            return await self._file(parts, ()), 201
        if version_name(parts, ()) == version_name(head.stored, ()):
            return head, 200
        if content_digest(parts.composition) == content_digest(head.stored.composition):
            try:
                return await self._changed(head, parts), 200
            except UnconfirmedError:
                pass  # taken, and nothing done
            except HttpStatusError as error:
                if isinstance(error, ConflictError) or not error.unsupported:
                    raise
        # In the place of all that no other one has replaced, so that one alone is in force.
        open_ends = unreplaced(there, self._server.base_url)
        filed = await self._file(parts, [one.reference for one in open_ends])
        for one in open_ends:
            await self._mark(one, "superseded")
        return filed, 200

    async def _file(self, parts: Parts, replaced: Sequence[str]) -> Filed:
        version, conflict = version_name(parts, replaced), None
        document = document_of(parts, replaced, self._server.base_url)
        validate(document)
        status, named = 0, ""
        term = f"identifier={canonical.FILED_VERSIONS}|{version}"
        try:
            try:
                status, named = await create(self._server, document, term)
            except HttpStatusError as error:
                if not error.unsupported or isinstance(error, RefusedError):
                    raise
                status, named = await create(self._server, document)  # is it the condition that is refused?
        except ConflictError as error:  # several match, or somebody files the same just now
            conflict = error
        found = await self.find([(canonical.FILED_VERSIONS, version)], patient_of(parts.composition))
        if not found and named:
            self.check(parts.name)
            resource = await self._server.read_if_there(named)
            found = [await self.filed(resource)] if resource else []
        if not found:
            raise conflict or UnconfirmedError(
                f"create of {_KIND}: the server answered with HTTP {status} and does not show it"
            )
        self.check(parts.name)
        kept, *doubles = found
        for one in doubles:  # of two workers, on a server that takes no notice of the condition
            await self._mark(one, _IN_ERROR)
        return kept

    async def _changed(self, head: Filed, parts: Parts) -> Filed:
        """Writes into a document that is there, over the version that was read."""
        base_url = self._server.base_url
        versions = names_of(head.document, canonical.FILED_VERSIONS)
        wanted = document_of(
            parts, replaces(head.document, base_url), base_url, versions[0] if versions else ""
        )
        meta, before = as_dict(wanted.get("meta")), as_dict(head.document.get("meta"))
        kept = {**{k: v for k, v in before.items() if k in ("versionId", "lastUpdated")}, **meta}
        document = {**wanted, "id": head.document["id"], "meta": kept}
        validate(document)
        await self._server.update(document, if_match=version_of(head.document) or None)
        resource = await self._server.read_if_there(head.reference)
        after = await self.filed(resource) if resource else None
        # US Core has servers take an end alone, without the rest.
        taken = after is not None and after.document.get("status") == wanted["status"]
        if (
            after
            and taken
            and (wanted["status"] == _IN_ERROR or version_name(after.stored, ()) == version_name(parts, ()))
        ):
            return after
        raise UnconfirmedError(f"update of {_KIND}: the server does not show it")

    async def _mark(self, one: Filed, status: str) -> None:
        """Says of a document that another one counts; where the server lets it be, the other one says it."""
        if one.document.get("status") != "current":
            return
        try:
            changed = {**one.document, "status": status}
            await self._server.update(changed, if_match=version_of(one.document) or None)
        except FhirAdapterError as error:
            logger.info("a former document stays as it is: %s", type(error).__name__)

    async def remove(self, name: str) -> bool:
        """Deletes all documents that a resource was filed in; False where there was none.

        Raises:
            HttpStatusError: the server deletes none.
        """
        there = await self.find([(canonical.FILED, name)])
        for one in there:
            await self._server.delete(one.reference)
        return bool(there)


def patient_of(composition: JsonObject) -> str:
    """`Patient/id` of whoever a Composition is about, as it is named there; "" for nobody."""
    named = as_text(as_dict(composition.get("subject")).get("reference")) or ""
    return named if named.startswith("Patient/") else ""


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
