"""Notes read from one server, summaries written to another: both as one client.

To all that uses it there is one server, that of the notes: `DocumentReference/1` is a note there. On the
other server the same note stands under its absolute address, since a relative reference would name a resource
of that server (R4, section 2.3.0); it is made so on the way out, and back on the way in. What we write keeps
its relative references; its DocumentReferences (extracted texts, model cards) are told from notes by a mark
before their ids, which no server ever sees.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject, as_dict, below, dicts
from fhir_adapter.rest.capability import Capability
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage

MARK = "clinsum.written."
_BOTH = "DocumentReference"
# What lies on the server that is written to; all else is read from the other one.
_WRITTEN = frozenset(
    {
        "Composition",
        "Device",
        "DeviceDefinition",
        "Provenance",
        "StructureDefinition",
        "CodeSystem",
        "ValueSet",
    }
    | {"ImplementationGuide", "AuditEvent", "Communication"}
)
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[^/?#\s|,]+(/_history/[^/?#\s|,]+)?")
# Elements and parameters that name nothing of ours, even where it is a Device.
_THEIRS = frozenset({"subject", "patient"})


class TwoServers(FhirClient):
    """Reads notes from one server, and reads and writes summaries on another.

    Args:
        base_url: of the server of the notes.
        written: a client of the other one; closed with this one.
        options: of `FhirClient`, for the server of the notes.
    """

    def __init__(self, base_url: str, *, written: FhirClient, **options: Any) -> None:
        super().__init__(base_url, **options)
        self.written = written
        self.of_patients = written.of_patients

    async def aclose(self) -> None:
        """Closes all connections to both."""
        await super().aclose()
        await self.written.aclose()

    async def capability(self) -> Capability:
        """What each server can do of what it is asked for; asked once."""
        notes, summaries = await super().capability(), await self.written.capability()
        kept = {kind: what for kind, what in notes.resources.items() if kind not in _WRITTEN}
        written = {kind: what for kind, what in summaries.resources.items() if kind in _WRITTEN}
        return replace(
            notes, transaction=summaries.transaction, batch=summaries.batch, resources=kept | written
        )

    async def read(self, reference: str, version: str | None = None) -> JsonObject:
        """As `FhirClient.read`, from the server that has the resource."""
        place = self._place(reference)
        if place is None:
            return await super().read(reference, version)
        return self._in(await self.written.read(place, version))

    async def read_if_there(self, reference: str, version: str | None = None) -> JsonObject | None:
        """As `FhirClient.read_if_there`, from the server that has the resource."""
        place = self._place(reference)
        if place is None:
            return await super().read_if_there(reference, version)
        found = await self.written.read_if_there(place, version)
        return None if found is None else self._in(found)

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], start: str = ""
    ) -> AsyncIterator[SearchPage]:
        """As `FhirClient.search`, on the server that has the resources."""
        own = (_BOTH, ("_tag", "|".join(canonical.EXTRACTED_TEXT_TAG)))
        if resource_type not in _WRITTEN and not (resource_type == own[0] and own[1] in params):
            async for page in super().search(resource_type, params, start):
                yield page
            return
        asked = [(name, self._value(name, value)) for name, value in params]
        async for page in self.written.search(resource_type, asked, start):
            marked = tuple(map(_marked, page.unusable))
            yield replace(page, resources=tuple(map(self._in, page.resources)), unusable=marked)

    async def transaction(self, bundle: JsonObject, *, once: bool = False) -> JsonObject:
        """As `FhirClient.transaction`, on the server that is written to."""
        entries = dicts(bundle.get("entry"))
        own = {_unmarked(str(as_dict(entry.get("request")).get("url", ""))) for entry in entries}
        sent = [self._entry(entry, own) for entry in entries]
        answer = await self.written.transaction({**bundle, "entry": sent}, once=once)
        return {**answer, "entry": [self._answered(entry) for entry in dicts(answer.get("entry"))]}

    async def batch(self, bundle: JsonObject) -> JsonObject:
        """As `FhirClient.batch`, on the server that is written to."""
        sent = [self._entry(entry, set()) for entry in dicts(bundle.get("entry"))]
        answer = await self.written.batch({**bundle, "entry": sent})
        return {**answer, "entry": [self._answered(entry) for entry in dicts(answer.get("entry"))]}

    async def update(self, resource: JsonObject, *, if_match: str | None = None) -> JsonObject:
        """As `FhirClient.update`, on the server that is written to."""
        return self._in(await self.written.update(self._out(resource, set()), if_match=if_match))

    async def delete(self, reference: str) -> None:
        """As `FhirClient.delete`, on the server that is written to."""
        await self.written.delete(_unmarked(reference))

    async def operation(self, path: str, resource: JsonObject) -> JsonObject:
        """As `FhirClient.operation`, on the server that is written to."""
        return await self.written.operation(path, self._out(resource, set()))

    def _place(self, reference: str) -> str | None:
        """The reference on the server that is written to; None for what lies on the other one."""
        path = reference if "://" not in reference else below(reference, self.base_url) or ""
        kind, _, ident = path.strip("/").partition("/")
        if kind in _WRITTEN or (kind == _BOTH and ident.startswith(MARK)):
            return _unmarked(path.strip("/"))
        return None

    def _value(self, name: str, value: str) -> str:
        """A parameter's value: references to notes and patients are absolute on the other server."""
        parts = value.split(",")
        if not all(_RELATIVE.fullmatch(part) for part in parts):
            return value
        return ",".join(self._address(part, set(), theirs=name in _THEIRS) for part in parts)

    def _entry(self, entry: JsonObject, own: set[str]) -> JsonObject:
        request = as_dict(entry.get("request"))
        sent = {**entry, "request": {**request, "url": _unmarked(str(request.get("url", "")))}}
        if isinstance(entry.get("resource"), dict):
            sent["resource"] = self._out(entry["resource"], own)
        return sent

    def _answered(self, entry: JsonObject) -> JsonObject:
        response = as_dict(entry.get("response"))
        found = {**entry}
        if isinstance(response.get("location"), str):
            found["response"] = {**response, "location": _marked(response["location"])}
        if isinstance(entry.get("resource"), dict):
            found["resource"] = self._in(entry["resource"])
        return found

    def _out(self, resource: JsonObject, own: set[str]) -> JsonObject:
        """A resource of ours as it goes to the other server."""
        sent: JsonObject = _each(resource, lambda one, key: self._address(one, own, theirs=key in _THEIRS))
        if sent.get("resourceType") == _BOTH and isinstance(sent.get("id"), str):
            sent["id"] = sent["id"].removeprefix(MARK)
        return sent

    def _address(self, reference: str, own: set[str], *, theirs: bool) -> str:
        """A reference for the other server: absolute, unless it names something of ours there."""
        if "://" in reference:
            return below(reference, self.written.base_url) or reference
        if not _RELATIVE.fullmatch(reference):
            return reference
        kind, _, ident = reference.partition("/")
        if not theirs and (kind in _WRITTEN or ident.startswith(MARK) or reference in own):
            return _unmarked(reference)
        return f"{self.base_url}/{reference}"

    def _in(self, resource: JsonObject) -> JsonObject:
        """A resource of the other server as all others see it."""
        found: JsonObject = _each(resource, self._relative)
        if found.get("resourceType") == _BOTH and isinstance(found.get("id"), str):
            found["id"] = MARK + found["id"]
        return found

    def _relative(self, reference: str, key: str) -> str:
        other = below(reference, self.written.base_url) if "://" in reference else reference
        mine = None if other is not None else below(reference, self.base_url)
        if mine is not None:
            return mine
        if other is None or not _RELATIVE.fullmatch(other):
            return reference
        kind = other.partition("/")[0]
        if key not in _THEIRS and (kind in _WRITTEN or kind == _BOTH):
            return _marked(other)
        return f"{self.written.base_url}/{other}"  # of that server, and no note or patient of this one


def _marked(reference: str) -> str:
    """With the mark, where it names a DocumentReference: `Type/id`, also at the end of an address."""
    return re.sub(rf"(^|/){_BOTH}/(?!{re.escape(MARK)})", rf"\g<1>{_BOTH}/{MARK}", reference, count=1)


def _unmarked(reference: str) -> str:
    return reference.replace(f"{_BOTH}/{MARK}", f"{_BOTH}/", 1)


def _each(node: Any, change: Any, key: str = "") -> Any:
    """The same JSON with each `reference` changed; `change` is given it and the name of its element."""
    if isinstance(node, dict):
        found = {name: _each(value, change, name) for name, value in node.items()}
        if isinstance(found.get("reference"), str):
            found["reference"] = change(found["reference"], key)
        return found
    return [_each(item, change, key) for item in node] if isinstance(node, list) else node
