"""What of a resource goes into the search index. An odd element gives no row, never an error."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_adapter.sandbox.embedded.jsontext import Json
from fhir_adapter.sandbox.embedded.parameters import Parameter, parameters_of
from fhir_adapter.sandbox.embedded.when import range_of_element

_VERSION_PART = re.compile(r"/_history/[^/]*$")
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")
_MAX_STRING = 200
_MAX_TOKEN = 1000


@dataclass(slots=True)
class IndexRows:
    """Rows for the index tables, without the row number of the resource.

    Attributes:
        tokens: (key, value, system).
        references: (key, id of the target or the whole URL, whole reference without its version).
        dates: (key, low, high), milliseconds.
        strings: (key, folded text, text as it is).
    """

    tokens: set[tuple[str, str, str]] = field(default_factory=set)
    references: set[tuple[str, str, str]] = field(default_factory=set)
    dates: set[tuple[str, int, int]] = field(default_factory=set)
    strings: set[tuple[str, str, str]] = field(default_factory=set)

    def by_table(self) -> tuple[tuple[str, Iterable[tuple[str | int, ...]]], ...]:
        """The rows with the names of their tables."""
        return (
            ("token", self.tokens),
            ("reference", self.references),
            ("date", self.dates),
            ("string", self.strings),
        )


def index_rows(resource: Json) -> IndexRows:
    """All index rows of a resource."""
    rows = IndexRows()
    for parameter in parameters_of(resource["resourceType"]).values():
        add = _ADD[parameter.kind]
        for path in parameter.paths:
            if path[0] not in resource:
                continue
            for element in elements_at(resource, path):
                add(rows, parameter, element)
    return rows


def elements_at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The elements at a path, through lists.

    `telecom.email` and `telecom.phone` select by the contact's system, as the R4 definitions do.
    """
    if isinstance(value, list):
        for item in value:
            yield from elements_at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        if path[0] in value:
            yield from elements_at(value[path[0]], path[1:])
        elif path[0] in ("email", "phone") and value.get("system") == path[0]:
            yield value


def folded(text: str) -> str:
    """Text as string parameters compare it: no case, no accents, single spaces (R4 search, string)."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())[:_MAX_STRING]


def storable(text: str) -> str:
    """Text that a database column takes: lone surrogates become their escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def without_version(reference: str) -> str:
    """A reference without a trailing `/_history/n`."""
    return _VERSION_PART.sub("", reference) if "/_history/" in reference else reference


def split_reference(reference: str) -> tuple[str, str]:
    """(type, id) of a literal reference; ("", the whole) for `urn:` and what has no such form."""
    parts = reference.rsplit("/", 2)
    if len(parts) < 2 or ":" in parts[-2]:
        return "", reference
    return parts[-2], parts[-1]


def _add_token(rows: IndexRows, parameter: Parameter, element: Any) -> None:
    for value, system in _codings(element):
        if len(value) <= _MAX_TOKEN:
            rows.tokens.add((parameter.key, storable(value), storable(system)))


def _codings(element: Any) -> Iterator[tuple[str, str]]:
    """(value, system) of a code, boolean, Coding, CodeableConcept, Identifier or ContactPoint."""
    if isinstance(element, bool):
        yield ("true" if element else "false"), ""
    elif isinstance(element, str):
        yield element, ""
    elif isinstance(element, dict):
        codings = element.get("coding")
        for coding in codings if isinstance(codings, list) else []:
            yield from _codings(coding)
        value = element.get("code", element.get("value"))
        if isinstance(value, str) and value:
            system = element.get("system")
            yield value, system if isinstance(system, str) else ""


def _add_uri(rows: IndexRows, parameter: Parameter, element: Any) -> None:
    if isinstance(element, str) and len(element) <= _MAX_TOKEN:
        rows.tokens.add((parameter.key, storable(element), ""))


def _add_reference(rows: IndexRows, parameter: Parameter, element: Any) -> None:
    if not isinstance(element, dict):
        return
    identifier = element.get("identifier")
    for value, system in _codings(identifier) if isinstance(identifier, dict) else ():
        rows.tokens.add((parameter.key + ":identifier", storable(value), storable(system)))
    reference = element.get("reference")
    if not isinstance(reference, str) or not reference or reference.startswith("#"):
        return
    whole = storable(without_version(reference))
    target_type, tail = split_reference(whole)
    if parameter.target in (None, target_type) and len(whole) <= _MAX_TOKEN:
        rows.references.add((parameter.key, tail, whole))


def _add_date(rows: IndexRows, parameter: Parameter, element: Any) -> None:
    found = range_of_element(element)
    if found is not None:
        rows.dates.add((parameter.key, found.low, found.high))


def _add_string(rows: IndexRows, parameter: Parameter, element: Any) -> None:
    if isinstance(element, dict):
        for part in _NAME_PARTS + _ADDRESS_PARTS:
            for text in elements_at(element, (part,)):
                if isinstance(text, str):
                    _add_string(rows, parameter, text)
    elif isinstance(element, str) and element:
        text = storable(element)
        rows.strings.add((parameter.key, folded(text), text[:_MAX_STRING]))


_ADD = {
    "token": _add_token,
    "uri": _add_uri,
    "reference": _add_reference,
    "date": _add_date,
    "string": _add_string,
}
