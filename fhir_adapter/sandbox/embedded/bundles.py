"""Bundles written around the stored JSON text of resources, which is spliced in as it is."""

import uuid
from collections.abc import Iterable
from typing import Any

from fhir_adapter.sandbox.embedded.jsontext import Json, read_object, write_json
from fhir_adapter.sandbox.embedded.paging import Shape
from fhir_adapter.sandbox.embedded.session import Version
from fhir_adapter.sandbox.embedded.when import instant_text, now_milliseconds

_ALWAYS = ("resourceType", "id", "meta")
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}


def bundle_text(
    kind: str,
    entries: Iterable[str],
    *,
    total: int | None = None,
    links: dict[str, str] | None = None,
    identifier: str | None = None,
) -> str:
    """A Bundle as JSON text.

    Args:
        kind: the Bundle's type.
        entries: JSON texts of the entries.
        total: number of matches on all pages, where it is to be stated.
        links: relation -> URL.
        identifier: a URN that names the Bundle for good, which a document has, together with its date.
    """
    now = instant_text(now_milliseconds())
    head: Json = {"resourceType": "Bundle", "id": str(uuid.uuid4()), "meta": {"lastUpdated": now}}
    if identifier is not None:
        head["identifier"] = {"system": "urn:ietf:rfc:3986", "value": identifier}
    head["type"] = kind
    if identifier is not None:
        head["timestamp"] = now
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": relation, "url": url} for relation, url in links.items()]
    body = ",".join(entries)
    # An empty array is not valid FHIR: the element is left out.
    return f'{write_json(head)[:-1]},"entry":[{body}]}}' if body else write_json(head)


def search_entry(version: Version, base: str, shape: Shape, mode: str) -> str:
    """An entry of a searchset; mode is `match` or `include`."""
    resource = shown(version.body or "{}", shape)
    full_url = write_json(f"{base}/{version.reference}")
    return f'{{"fullUrl":{full_url},"resource":{resource},"search":{{"mode":"{mode}"}}}}'


def history_entry(version: Version, base: str, shape: Shape) -> str:
    """An entry of a history Bundle."""
    status = {"DELETE": "204 No Content", "POST": "201 Created"}.get(version.method, "200 OK")
    if version.method == "PUT" and version.version == 1:
        status = "201 Created"
    url = version.type if version.method == "POST" else version.reference
    rest = {
        "request": {"method": version.method, "url": url},
        "response": {
            "status": status,
            "lastModified": instant_text(version.updated),
            "etag": version.etag,
        },
    }
    resource = "" if version.body is None else f'"resource":{shown(version.body, shape)},'
    full_url = write_json(f"{base}/{version.reference}")
    return f'{{"fullUrl":{full_url},{resource}{write_json(rest)[1:]}'


def shown(body: str, shape: Shape) -> str:
    """The resource's JSON text with what `_elements` and `_summary` leave of it."""
    if not shape.elements and not shape.summary:
        return body
    resource = read_object(body)
    if shape.summary == "data":
        kept: dict[str, Any] = {key: value for key, value in resource.items() if key != "text"}
    else:
        wanted = (*_ALWAYS, *(shape.elements or ("text",)))
        kept = {key: value for key, value in resource.items() if key.lstrip("_") in wanted}
    tags = kept.get("meta", {}).get("tag")
    kept["meta"] = {**kept.get("meta", {}), "tag": [*(tags if isinstance(tags, list) else []), _SUBSETTED]}
    return write_json(kept)
