"""Transactions whose entries refer to each other, on servers that resolve such references and on others.

Inside a transaction a reference to another entry is that entry's fullUrl, which the server replaces by the id
that the entry gets (R4, section 3.1.0.11.2). A server that runs transactions as batches leaves it as it is,
and what was written then points nowhere. So what the first transaction wrote is read once; where a fullUrl
still stands in it, it is written again with the ids that the answer named, and so is all that follows.
"""

import re
from collections.abc import Sequence

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.lenient import JsonObject, as_dict, as_text, dicts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.confirmed import confirmed
from fhir_adapter.writing.relinked import relinked

_VERSION = re.compile(r'(?:_history/|^(?:W/)?")([^/"]+)"?$')


class Linked:
    """Posts transactions to one server.

    Attributes:
        resolves: whether it replaces fullUrls; None while nothing was written.
    """

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self.resolves: bool | None = None

    async def post(self, bundle: JsonObject) -> list[str]:
        """Posts a transaction once. Returns and raises as `confirmed.post`."""
        if self.resolves is False:
            bundle = _direct(bundle)
        answer = await self._client.transaction(bundle, once=True)
        references = confirmed(bundle, answer)
        linking = None if self.resolves else _first_linking(bundle)
        if linking is None:
            return references
        left = await self._unresolved(references[linking])
        if left is not None:
            self.resolves = not left
        if not left:
            return references
        again = _again(bundle, references, answer)
        confirmed(again, await self._client.transaction(again, once=True))
        return references

    async def _unresolved(self, reference: str) -> bool | None:
        """Whether what was written still points at a fullUrl; None where it cannot be read yet."""
        try:
            written = await self._client.read_if_there(reference)
        except FhirAdapterError:
            return None
        return None if written is None else _links(written)


def _links(node: object) -> bool:
    """Whether a reference in it is the fullUrl of an entry."""
    if isinstance(node, dict):
        found = node.get("reference")
        return (isinstance(found, str) and found.startswith("urn:uuid:")) or any(map(_links, node.values()))
    return isinstance(node, list) and any(map(_links, node))


def _first_linking(bundle: JsonObject) -> int | None:
    """The place of an entry that refers to another one."""
    urls = {as_text(entry.get("fullUrl")) for entry in dicts(bundle.get("entry"))}
    for number, entry in enumerate(dicts(bundle.get("entry"))):
        if urls & set(_named(entry.get("resource"))):
            return number
    return None


def _named(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [one for value in node.values() for one in _named(value)]
    return [one for value in node for one in _named(value)] if isinstance(node, list) else []


def _direct(bundle: JsonObject) -> JsonObject:
    """References to the ids that are put to, in the place of fullUrls."""
    ids = {}
    for entry in dicts(bundle.get("entry")):
        request = as_dict(entry.get("request"))
        url = str(request.get("url", ""))
        if request.get("method") == "PUT" and "?" not in url:
            ids[str(entry.get("fullUrl"))] = url
    entries = [{**e, "resource": relinked(e.get("resource"), ids)} for e in dicts(bundle.get("entry"))]
    return {**bundle, "entry": entries}


def _again(bundle: JsonObject, references: Sequence[str], answer: JsonObject) -> JsonObject:
    """The same over what was just written, with references to what it got."""
    entries = dicts(bundle.get("entry"))
    ids = {str(e.get("fullUrl")): reference for e, reference in zip(entries, references, strict=True)}
    written = []
    for entry, reference, answered in zip(entries, references, dicts(answer.get("entry")), strict=True):
        if not set(_named(entry.get("resource"))) & set(ids):
            continue
        resource = {**relinked(entry.get("resource"), ids), "id": reference.partition("/")[2]}
        version = _version(as_dict(answered.get("response")))
        guard = {"ifMatch": f'W/"{version}"'} if version else {}
        request = {"method": "PUT", "url": reference, **guard}
        written.append({"fullUrl": entry.get("fullUrl"), "resource": resource, "request": request})
    return {**bundle, "entry": written}


def _version(response: JsonObject) -> str:
    """The version that an entry has now, as far as the answer says it; "" else."""
    for stated in (as_text(response.get("etag")), as_text(response.get("location"))):
        found = _VERSION.search(stated or "")
        if found:
            return found[1]
    return ""
