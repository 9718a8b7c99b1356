"""`Composition/{id}/$document`: a document Bundle of a Composition and what it refers to."""

import uuid
from collections.abc import Iterator
from typing import Any

from fhir_adapter.sandbox.embedded.bundles import bundle_text
from fhir_adapter.sandbox.embedded.index import split_reference, without_version
from fhir_adapter.sandbox.embedded.jsontext import read_object, write_json
from fhir_adapter.sandbox.embedded.session import Session, Version


def document(session: Session, composition: Version, base: str) -> str:
    """The document Bundle as JSON text: the Composition first, then what it refers to on this server."""
    found = {composition.reference: composition}
    for reference in _references(read_object(composition.body or "{}")):
        resource_type, id_ = split_reference(without_version(reference))
        local = reference.count("/") >= 1 and ":" not in reference
        version = session.current(resource_type, id_) if local else None
        if version is not None and version.body is not None:
            found.setdefault(version.reference, version)
    entries = (
        f'{{"fullUrl":{write_json(f"{base}/{reference}")},"resource":{version.body}}}'
        for reference, version in found.items()
    )
    version_url = f"{base}/{composition.reference}/_history/{composition.version}"
    return bundle_text(
        "document", entries, identifier=f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, version_url)}"
    )


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str):
            yield reference
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
