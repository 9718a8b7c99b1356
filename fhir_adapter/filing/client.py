"""A server that takes documents alone, as one that takes Compositions: what all others see of it.

Whoever writes, audits, withdraws or shows summaries asks for Compositions, Provenances and Devices by their
ids, and writes them in transactions. Here each such request becomes one for the documents in which they are
filed; ids are those that a server that takes ids from clients would have given. Nothing is made up: what is
answered was read from the server, and a write is answered once the server shows it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError, NotFoundError
from fhir_adapter.filing.devices import Devices
from fhir_adapter.filing.documents import Documents
from fhir_adapter.filing.envelope import Filed, Parts, document_of, unclaimed
from fhir_adapter.filing.finding import patient_of
from fhir_adapter.filing.terms import exact, ways_to
from fhir_adapter.filing.whose import Whose
from fhir_adapter.lenient import JsonObject, as_dict, dicts, reference_of, references, relative, version_of
from fhir_adapter.reading.source_note import SOURCE_TYPES
from fhir_adapter.rest.capability import Capability, ResourceCapability
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.known import KnownPatients
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.rest.two_servers import TwoServers
from fhir_adapter.writing.lifecycle import extracted_texts
from fhir_adapter.writing.relinked import relinked
from fhir_adapter.writing.summary import written_id

_FILED = ("Composition", "Provenance")
_MAKERS = ("Device", "DeviceDefinition")
_TEXT = "DocumentReference"
_TEXTS = ("_tag", "|".join(canonical.EXTRACTED_TEXT_TAG))
_VERSIONS = 10_000
_PLACES = [(kind, n) for kind in ("Composition", "Provenance", "DocumentReference") for n in (1, 2)]


class FilingClient(FhirClient):
    """Reads and writes summaries that are filed as documents.

    Args:
        server: as it is; closed with this one.
        pipeline: its name, by which the summary of a note that was read is known to be that patient's.
    """

    def __init__(self, server: FhirClient, pipeline: str = "") -> None:
        vars(self).update(vars(server))  # one connection, one login: all else is asked of the server itself
        self.server = server
        self.of_patients = server.of_patients | {"Provenance"}
        self._pipeline = pipeline
        self._whose = Whose(self._known, self._read_for)
        self._documents = Documents(server, self._whose)
        self._devices = Devices(self._documents, self._whose)
        self._versions: dict[str, tuple[str, str]] = {}

    async def capability(self) -> Capability:
        """What can be asked here."""
        stated = await self.server.capability()
        filed = ResourceCapability(update_create=True, interactions=frozenset({"read", "search-type"}))
        kinds = dict.fromkeys((*_FILED, *_MAKERS), filed)
        return replace(stated, transaction=True, batch=True, resources={**stated.resources, **kinds})

    async def read(self, reference: str, version: str | None = None) -> JsonObject:
        """As `FhirClient.read`; what is filed is read out of its document."""
        path = self.scope.relative(reference) or ""
        kind = path.partition("/")[0]
        if kind not in (*_FILED, *_MAKERS):
            try:
                return self._noted(await self.server.read(reference, version))
            except HttpStatusError as error:
                if kind != _TEXT or error.status not in (400, 404, 410):
                    raise
        found = await self._filed([path], version)
        if path not in found:
            self._documents.check(path)
            raise NotFoundError(404, f"read of {kind}")
        return found[path]

    async def _filed(self, names: Sequence[str], version: str | None = None) -> dict[str, JsonObject]:
        """What there is of these, by `Type/id`."""
        found: dict[str, JsonObject] = {}
        for name in names:
            if name.startswith(_MAKERS) and (device := await self._devices.read(name)):
                found[name] = device
        asked = [name for name in names if not name.startswith(_MAKERS)]
        if version is not None:
            return {**found, **await self._earlier(asked, version)}
        for filed in (await self._documents.current(asked)).values():
            found |= {
                reference_of(one): one for one in self._seen(filed).resources if reference_of(one) in asked
            }
        return found

    async def _earlier(self, names: Sequence[str], version: str) -> dict[str, JsonObject]:
        place = self._versions.get(version)
        document = await self.server.read_if_there(*place) if place else None
        parts = (await self._documents.filed(document)).parts if document else None
        return {
            reference_of(one): one for one in (parts.resources if parts else ()) if reference_of(one) in names
        }

    def _noted(self, note: JsonObject) -> JsonObject:
        """The note, of which is kept whose it is."""
        patient = relative(as_dict(note.get("subject")).get("reference"), self.base_url)
        if self._pipeline and patient.startswith("Patient/") and note.get("resourceType") in SOURCE_TYPES:
            ids = (f"{kind}/{written_id(kind, reference_of(note), self._pipeline, n)}" for kind, n in _PLACES)
            self._whose.keep(ids, patient)
        return note

    def _known(self) -> KnownPatients | None:
        return self.patients

    async def _read_for(self, notes: Sequence[str]) -> None:
        """Reads notes, to know whose they are."""
        await asyncio.gather(*map(self.read_if_there, notes))

    def _seen(self, filed: Filed) -> Parts:
        """What is in a document, taken note of."""
        parts = filed.parts
        self._devices.see(parts)
        if version := version_of(filed.document):
            self._versions[filed.version] = (filed.reference, version)
            if len(self._versions) > _VERSIONS:
                del self._versions[next(iter(self._versions))]
        return parts

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], start: str = ""
    ) -> AsyncIterator[SearchPage]:
        """As `FhirClient.search`; what is filed is found by way of its documents."""
        if resource_type in _MAKERS:
            yield _page(await self._devices.known() if resource_type == "Device" else ())
            return
        if resource_type == _TEXT:
            async for page in self.server.search(resource_type, params, start):
                yield replace(page, resources=tuple(map(self._noted, page.resources)))
            if _TEXTS in params and not start:
                others = [pair for pair in params if pair != _TEXTS]
                async for page in self._search(_TEXT, others):
                    yield page
            return
        if resource_type not in _FILED:
            async for page in self.server.search(resource_type, params, start):
                yield replace(page, resources=tuple(map(self._noted, page.resources)))
            return
        if not start and (names := exact(resource_type, params)):
            current = await self._documents.settled(names)
            resources = [one for filed in current.values() for one in self._seen(filed).resources]
            yield _page([one for one in resources if one.get("resourceType") == resource_type])
            return
        async for page in self._search(resource_type, params, start):
            yield page

    async def _search(
        self, kind: str, params: Sequence[tuple[str, str]], start: str = ""
    ) -> AsyncIterator[SearchPage]:
        async for page, found in self._documents.pages(ways_to(kind, params), start):
            current = await self._documents.current([one.stored.name for one in found])
            in_force = {filed.reference for filed in current.values()}
            # A former document leads to nothing: what replaced it is found by itself, on whichever page.
            parts = [self._seen(one) for one in found if one.reference in in_force]
            resources = [one for some in parts for one in some.resources]
            if any(name == "_tag" for name, _ in params):  # as an audit asks for all that there is
                resources += self._documents.remnants(set(page.unusable) - set(current))
            mine = tuple(one for one in resources if one.get("resourceType") == kind)
            yield replace(page, resources=mine, unusable=(), ignored=(), total=None, beside=0)

    async def transaction(self, bundle: JsonObject, *, once: bool = False) -> JsonObject:
        """As `FhirClient.transaction`: each Composition with what belongs to it becomes one document."""
        entries = dicts(bundle.get("entry"))
        names = {str(e.get("fullUrl")): str(as_dict(e.get("request")).get("url")) for e in entries}
        resources = [relinked(as_dict(entry.get("resource")), names) for entry in entries]
        guards = [str(as_dict(entry.get("request")).get("ifMatch", "")) for entry in entries]
        answers: dict[str, JsonObject] = {}
        for one in resources:
            if self._is_makers(one):
                self._devices.register(one)
                answers[reference_of(one)] = {"status": "200", "location": reference_of(one)}
        rest = [
            (one, guard) for one, guard in zip(resources, guards, strict=True) if not self._is_makers(one)
        ]
        groups = await self._grouped(rest)
        for composition, group in groups.items():
            expected = next((_bare(g) for one, g in group if reference_of(one) == composition), "")
            try:
                filed, status = await self._save(composition, [one for one, _ in group], expected)
            except HttpStatusError as error:
                if len(groups) == 1:
                    raise
                answer = {"status": str(error.status), "outcome": None}
            else:
                answer = {"status": str(status), "etag": f'W/"{filed.version}"'}
            for one, _ in group:
                answers[reference_of(one)] = {**answer, "location": reference_of(one)}
        answered = [{"response": answers[reference_of(one)]} for one in resources]
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": answered}

    def _is_makers(self, resource: JsonObject) -> bool:
        """A Device, or the model card that it names."""
        if resource.get("resourceType") in _MAKERS:
            return True
        stated = dicts(resource.get("identifier"))
        return resource.get("resourceType") == _TEXT and any(
            i.get("system") == canonical.DEVICES for i in stated
        )

    async def _grouped(
        self, resources: Iterable[tuple[JsonObject, str]]
    ) -> dict[str, list[tuple[JsonObject, str]]]:
        """Resources with their guards, by the Composition in whose document each of them stands."""
        items = list(resources)
        groups = {
            reference_of(one): [(one, guard)] for one, guard in items if one["resourceType"] == "Composition"
        }
        texts = {text: reference_of(one) for one, _ in items for text in _texts_of(one)}
        for one, guard in items:
            if one["resourceType"] == "Composition":
                continue
            name = reference_of(one)
            targets = [
                t for t in references(one.get("target"), self.base_url) if t.startswith("Composition/")
            ]
            owner = texts.get(name) or (targets[0] if targets else "") or await self._owner(name)
            groups.setdefault(owner, []).append((one, guard))
        return groups

    async def _owner(self, name: str) -> str:
        """The Composition in whose document a resource is filed.

        Raises:
            NotFoundError: in none.
        """
        found = await self._documents.current([name])
        if name not in found:
            raise NotFoundError(404, f"update of {name.partition('/')[0]}")
        return found[name].stored.name

    async def _save(
        self, composition: str, changed: Sequence[JsonObject], expected: str
    ) -> tuple[Filed, int]:
        whole = next((one for one in changed if reference_of(one) == composition), None)
        there = (await self._documents.current([composition], patient_of(whole or {}))).get(composition)
        if there is None and whole is None:
            raise NotFoundError(404, "update of Composition")
        before = there.stored if there else Parts(as_dict(whole))
        parts = before.with_resources(changed)
        filed, status = await self._documents.save(self._devices.signed(parts), expected)
        self._seen(filed)
        return filed, status

    async def batch(self, bundle: JsonObject) -> JsonObject:
        """As `FhirClient.batch`, of reads of what is filed."""
        urls = [str(as_dict(entry.get("request")).get("url")) for entry in dicts(bundle.get("entry"))]
        if not all(url.startswith((*_FILED, *_MAKERS)) for url in urls):
            return await self.server.batch(bundle)
        found = await self._filed(urls)
        return {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [
                {"resource": found[url], "response": {"status": "200"}}
                if url in found
                else {"response": {"status": "404"}}
                for url in urls
            ],
        }

    async def update(self, resource: JsonObject, *, if_match: str | None = None) -> JsonObject:
        """As `FhirClient.update`; what is filed is changed in its document, or in one that replaces that."""
        name = reference_of(resource)
        if resource.get("resourceType") in _MAKERS:
            return self._devices.register(resource)
        if resource.get("resourceType") not in _FILED:
            return await self.server.update(resource, if_match=if_match)
        owner = name if name.startswith("Composition/") else await self._owner(name)
        filed, _ = await self._save(owner, [resource], if_match or "")
        return next((one for one in filed.parts.resources if reference_of(one) == name), {})

    async def delete(self, reference: str) -> None:
        """As `FhirClient.delete`.

        What belongs to a summary goes with all its documents, since none of it can go alone; but what names
        a further note in it is taken out.
        """
        path = self.scope.relative(reference) or ""
        if path.startswith(_MAKERS):
            return
        found = (
            (await self._documents.current([path])).get(path) if path.startswith((*_FILED, _TEXT)) else None
        )
        if found is None:
            if not path.startswith(_FILED):
                await self.server.delete(reference)
            return
        if any(reference_of(one) == path and _is_link(one) for one in found.stored.others):
            await self._documents.save(found.stored.without(path))
        else:
            await self._documents.remove(found.stored.name)

    async def operation(self, path: str, resource: JsonObject) -> JsonObject:
        """As `FhirClient.operation`; a summary is validated as the document that it would be."""
        if path == "Composition/$validate":
            document = document_of(Parts({"id": "clinsum-trial", **resource}), (), self.base_url)
            return await self.server.operation(f"{_TEXT}/$validate", unclaimed(document))
        return await self.server.operation(path, resource)

    async def differences(self, composition: str) -> tuple[str, ...] | None:
        """What of the document of a Composition says something else than it; None where there is none."""
        found = (await self._documents.current([composition])).get(composition)
        return None if found is None else found.differs(self.base_url)

    async def survey(self) -> None:
        """Learns of all Devices that have written here, by a walk over all documents."""
        await asyncio.shield(self._devices.survey())


def filing(client: FhirClient) -> FilingClient | None:
    """The client by which summaries are filed as documents, where they are."""
    written = client.written if isinstance(client, TwoServers) else client
    return written if isinstance(written, FilingClient) else None


async def survey(client: FhirClient) -> None:
    """Learns of all authors, on a server of which no search says who they are. Raises as the client."""
    if written := filing(client):
        await written.survey()


def _page(resources: Sequence[JsonObject]) -> SearchPage:
    return SearchPage(tuple(resources), (), (), is_last=True)


def _texts_of(resource: JsonObject) -> list[str]:
    return extracted_texts(resource) if resource.get("resourceType") == "Composition" else []


def _is_link(resource: JsonObject) -> bool:
    """A Provenance that names a further note that holds the same text."""
    extensions = dicts(resource.get("extension"))
    return resource.get("resourceType") == "Provenance" and any(
        e.get("url") == canonical.SOURCE_TEXT for e in extensions
    )


def _bare(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')
