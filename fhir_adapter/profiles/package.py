"""The definitions as one FHIR package (an npm tarball), as servers, validators and IG tools load them.

The layout is that of the FHIR NPM package specification: `package/package.json`, `package/.index.json`,
and one file for each resource. The same definitions give the same bytes.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable

from fhir_adapter.canonical import CANONICAL_BASE
from fhir_adapter.lenient import JsonObject
from fhir_adapter.profiles import VERSION, definitions

NAME = "clinsum.fhir.summaries"
FHIR_VERSION = "4.0.1"
DEPENDENCIES = {
    "hl7.fhir.r4.core": FHIR_VERSION,
    "hl7.fhir.uv.extensions.r4": "5.2.0",  # derivation-reference
}

_INDEXED = ("resourceType", "id", "url", "version", "kind", "type", "content", "valueSet", "derivation")


def manifest(base: str = CANONICAL_BASE) -> JsonObject:
    """`package/package.json`."""
    return {
        "name": NAME,
        "version": VERSION,
        "type": "Conformance",
        "title": "Extractive summaries of clinical notes",
        "description": "Profiles of the resources that the Clinical AI Summarizer writes",
        "author": "Clinical AI Summarizer",
        "license": "Apache-2.0",
        "canonical": base,
        "fhirVersions": [FHIR_VERSION],
        "dependencies": DEPENDENCIES,
    }


def build(base: str = CANONICAL_BASE) -> bytes:
    """The package as a gzipped tar.

    Args:
        base: the canonical base, without trailing slash.
    """
    files = {"package.json": manifest(base), **_folder(definitions(base))}
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, content in files.items():
            data = (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _folder(resources: Iterable[JsonObject]) -> dict[str, JsonObject]:
    """The files of a folder of the package, its index first."""
    named = {f"{resource['resourceType']}-{resource['id']}.json": resource for resource in resources}
    indexed = [_indexed(name, resource) for name, resource in named.items()]
    return {".index.json": {"index-version": 2, "files": indexed}, **named}


def _indexed(name: str, resource: JsonObject) -> JsonObject:
    return {"filename": name, **{key: resource[key] for key in _INDEXED if key in resource}}
