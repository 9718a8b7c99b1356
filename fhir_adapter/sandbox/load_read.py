"""Reads FHIR resources from files for loading: Bundles, single resources and ndjson, plain, .gz or .xz.

Resources are taken as found. Only what would keep them from being loaded at all is changed: an id that
R4 does not allow, an id that another resource already has, the references that point at either, and
references by urn to something outside the file.
"""

import gzip
import hashlib
import json
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

from fhir_adapter.lenient import JsonObject

_LINES = frozenset({".ndjson", ".jsonl"})
_KNOWN = _LINES | {".json"}
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([^/?#]+)(/_history/[^/]+)?")


@dataclass(frozen=True, slots=True)
class LoadEntry:
    """A resource ready to be sent.

    Attributes:
        resource_type: its type.
        url: `Type/id` for a PUT, `Type` for a POST of one without an id.
        body: the resource as JSON.
        where: the file and line or entry it came from.
    """

    resource_type: str
    url: str
    body: str
    where: str

    @property
    def method(self) -> str:
        """`PUT` where the id is known, else `POST`."""
        return "PUT" if "/" in self.url else "POST"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something that is not a resource.

    Attributes:
        code: `not-json`, `no-resource-type`, `no-resource` (an entry without one) or `unreadable-file`.
        where: the file and line or entry it stands in.
    """

    code: str
    where: str


@dataclass(slots=True)
class Reader:
    """Reads files one resource (or one Bundle) at a time; of each it remembers the id and a short hash.

    Attributes:
        identical: resources left out since the same one was read before.
        renamed: resources that got another id.
        ignored: files in the folders that are of no known kind.
    """

    identical: int = 0
    renamed: int = 0
    ignored: int = 0
    _seen: dict[str, bytes] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)

    def read(self, paths: Iterable[Path]) -> Iterator[LoadEntry | Unusable]:
        """Yields every resource of the files and folders, in the order of their names."""
        for path in self._files(paths):
            try:
                for found, where in _documents(path):
                    yield from self._resources(found, where)
            except (OSError, EOFError, lzma.LZMAError, zlib.error):
                yield Unusable("unreadable-file", str(path))

    def _files(self, paths: Iterable[Path]) -> Iterator[Path]:
        for path in paths:
            if not path.is_dir():
                yield path
                continue
            for file in sorted(p for p in path.rglob("*") if p.is_file()):
                if _kind(file) in _KNOWN:
                    yield file
                else:
                    self.ignored += 1

    def _resources(self, found: Any, where: str) -> Iterator[LoadEntry | Unusable]:
        if isinstance(found, Unusable):
            yield found
        elif isinstance(found, list):
            for number, one in enumerate(found):
                yield from self._resources(one, f"{where}[{number}]")
        elif not isinstance(found, dict) or not _is_type(found.get("resourceType")):
            yield Unusable("no-resource-type", where)
        elif found["resourceType"] == "Bundle":
            yield from self._bundle(found, where)
        else:
            url, new = self._claim(found, None)
            if new:
                yield _entry(found, url, _Links({}, self._types), where)

    def _bundle(self, bundle: JsonObject, where: str) -> Iterator[LoadEntry | Unusable]:
        """Its entries under their new ids; references between them, by fullUrl or by id, follow."""
        links: dict[str, str] = {}
        claimed: list[tuple[JsonObject, str, str]] = []
        entries = bundle.get("entry")
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            here = f"{where}#entry[{number}]"
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                yield Unusable("no-resource", here)
                continue
            if not _is_type(resource.get("resourceType")) or resource["resourceType"] == "Bundle":
                yield from self._resources(resource, here)
                continue
            url, new = self._claim(resource, entry.get("fullUrl"))
            if "/" in url:
                links[str(entry.get("fullUrl"))] = url
                links[f"{resource['resourceType']}/{resource.get('id')}"] = url
            if new:
                claimed.append((resource, url, here))
        for resource, url, here in claimed:
            yield _entry(resource, url, _Links(links, self._types), here)

    def _claim(self, resource: JsonObject, full_url: Any) -> tuple[str, bool]:
        """The url to write it to, and whether it is new; an equal one read before is not."""
        resource_type, found = resource["resourceType"], resource.get("id")
        wanted = _id_of(found, full_url)
        if wanted is None:
            return resource_type, True
        url, digest = f"{resource_type}/{wanted}", _digest(resource)
        if self._seen.get(url, digest) != digest:  # another resource has this id: keep both
            url = f"{resource_type}/{wanted[:55]}-{digest.hex()[:8]}"
        new = url not in self._seen
        self._seen.setdefault(url, digest)
        self._types.setdefault(wanted, resource_type)
        self.identical += not new
        self.renamed += new and url != f"{resource_type}/{found}"
        return url, new


def safe_id(found: str) -> str:
    """The id itself where R4 allows it, else one made of it: the same for the same id, always."""
    if _ID.fullmatch(found):
        return found
    readable = re.sub(r"[^A-Za-z0-9.-]", "-", found)[:53]
    return f"{readable}-{hashlib.sha256(found.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def _id_of(found: Any, full_url: Any) -> str | None:
    """The resource's id or, where it has none, the one that its fullUrl implies."""
    if isinstance(found, str | int) and str(found):
        return safe_id(str(found))
    if isinstance(full_url, str) and full_url.startswith("urn:uuid:"):
        return safe_id(full_url.removeprefix("urn:uuid:"))
    return None


def _is_type(name: Any) -> bool:
    return isinstance(name, str) and _TYPE.fullmatch(name) is not None


def _digest(resource: JsonObject) -> bytes:
    return hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).digest()[:8]


@dataclass(frozen=True, slots=True)
class _Links:
    """Where references lead: those of one Bundle, and the types of the ids read so far."""

    of_bundle: dict[str, str]
    type_of_id: dict[str, str]

    def relinked(self, node: Any, element: str = "") -> Any:
        """A copy of `node`, the value of `element`, in which every reference leads to its new place."""
        if isinstance(node, list):
            return [self.relinked(item, element) for item in node]
        if not isinstance(node, dict):
            return node
        copy = {name: self.relinked(value, name) for name, value in node.items()}
        reference = node.get("reference")
        if isinstance(reference, str):
            target = self._target(reference, element)
            if target is None:  # a logical reference (R4, section 2.1.3.0.2) says the same and is accepted
                del copy["reference"]
                copy.setdefault("identifier", {"system": "urn:ietf:rfc:3986", "value": reference})
            else:
                copy["reference"] = target
        return copy

    def _target(self, reference: str, element: str) -> str | None:
        """The new reference; None where nothing tells the type of its target."""
        if reference in self.of_bundle:
            return self.of_bundle[reference]
        bare = reference.removeprefix("urn:uuid:")
        if _ID.fullmatch(bare):
            read, likely = self.type_of_id.get(bare), _LIKELY_TARGET.get(element)
            known = (
                likely or read if bare == reference else read or likely
            )  # a bare id may be that of several
            return f"{known}/{bare}" if known else None
        if reference.startswith("urn:"):
            return None
        relative = _RELATIVE.fullmatch(reference)
        if relative is None:
            return reference
        resource_type, found, version = relative.groups(default="")
        moved = self.of_bundle.get(f"{resource_type}/{found}", f"{resource_type}/{safe_id(found)}")
        return moved + version


# What an element of this name refers to, nearly always: for a urn:uuid or bare id of something not read.
_LIKELY_TARGET = {
    "custodian": "Organization",
    "encounter": "Encounter",
    "patient": "Patient",
    "result": "Observation",
    "subject": "Patient",
}


def _entry(resource: JsonObject, url: str, links: _Links, where: str) -> LoadEntry:
    written = links.relinked(resource)
    if "/" in url:
        written["id"] = url.partition("/")[2]
    return LoadEntry(resource["resourceType"], url, json.dumps(written), where)


def _kind(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix in {".gz", ".xz"} else path
    return plain.suffix.lower()


def _documents(path: Path) -> Iterator[tuple[Any, str]]:
    """Each JSON document of a file and where it stands; an `Unusable` for what is not JSON."""
    with _opened(path) as file:
        if _kind(path) not in _LINES:
            yield _parsed(file.read(), str(path)), str(path)
            return
        for number, line in enumerate(file, start=1):
            if line.strip():
                where = f"{path}:{number}"
                yield _parsed(line, where), where


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb")


def _parsed(data: bytes, where: str) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Unusable("not-json", where)


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity are not JSON (RFC 8259, section 6)."""
    raise ValueError(name)
