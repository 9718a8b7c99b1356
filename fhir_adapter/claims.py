"""What a Composition of ours claims, read leniently: the audit's input, from whoever wrote it last."""

from dataclasses import dataclass
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.narrative import list_items

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """One `derivation-reference` extension.

    Attributes:
        reference: `Type/id` of the resource that holds the text.
        path: FHIRPath of the element in it.
        offset, length: code points; -1 where absent or not a number.
        link: the narrative item it belongs to, without `#`.
    """

    reference: str
    path: str
    offset: int
    length: int
    link: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything in a Composition that can be checked against its source.

    Attributes:
        source: `Type/id`, or "" where the Composition names none.
        spans: in the order written.
        items: (id, text) of the narrative, in the order shown.
        narrative_error: why the narrative could not be read, or "".
    """

    composition: str
    status: str
    source: str
    version: str
    path: str
    unit: str
    normalization: str
    sha256: str
    length: int
    pipeline: str
    author: str
    spans: tuple[Span, ...]
    items: tuple[tuple[str, str], ...]
    labels: frozenset[tuple[str, str]]
    narrative_error: str = ""


def read_claims(composition: JsonObject) -> Claims:
    """Reads a Composition; absent or odd parts read as empty and are for the audit to find."""
    facts = _source_text(composition)
    section = _dict(_first(composition.get("section")))
    items: tuple[tuple[str, str], ...] = ()
    narrative_error = ""
    try:
        shown = list_items(str(_dict(section.get("text")).get("div", "")))
        items = tuple((anchor or "", text) for anchor, text in shown)
    except ValueError as error:
        narrative_error = str(error)
    security = [_dict(label) for label in _list(_dict(composition.get("meta")).get("security"))]
    return Claims(
        composition=f"Composition/{composition.get('id', '')}",
        status=str(composition.get("status", "")),
        source=_relative(_dict(_first(section.get("entry"))).get("reference")),
        version=facts.get("versionId", ""),
        path=facts.get("path", ""),
        unit=facts.get("unit", ""),
        normalization=facts.get("normalization", ""),
        sha256=facts.get("sha256", ""),
        length=int(facts["length"]) if facts.get("length", "").isdigit() else -1,
        pipeline=facts.get("pipeline", ""),
        author=_relative(_dict(_first(composition.get("author"))).get("reference")),
        spans=tuple(_spans(section)),
        items=items,
        labels=frozenset((str(c.get("system", "")), str(c.get("code", ""))) for c in security),
        narrative_error=narrative_error,
    )


def _source_text(composition: JsonObject) -> dict[str, str]:
    for extension in map(_dict, _list(composition.get("extension"))):
        if extension.get("url") == canonical.SOURCE_TEXT:
            return {str(part.get("url")): _value(part) for part in _parts(extension)}
    return {}


def _spans(section: JsonObject) -> list[Span]:
    spans = []
    for extension in map(_dict, _list(section.get("extension"))):
        if extension.get("url") != canonical.DERIVATION_REFERENCE:
            continue
        parts = {str(part.get("url")): part for part in _parts(extension)}
        score = parts.get(canonical.EXTRACT_SCORE, {}).get("valueDecimal")
        reference = _dict(parts.get("reference", {}).get("valueReference")).get("reference")
        spans.append(
            Span(
                reference=_relative(reference),
                path=_value(parts.get("path", {})),
                offset=_number(parts.get("offset", {})),
                length=_number(parts.get("length", {})),
                link=_value(parts.get(canonical.NARRATIVE_LINK, {})).removeprefix("#"),
                score=float(score) if isinstance(score, int | float) else None,
            )
        )
    return spans


def _parts(extension: JsonObject) -> list[JsonObject]:
    return [_dict(part) for part in _list(extension.get("extension"))]


def _value(part: JsonObject) -> str:
    return next((str(value) for name, value in part.items() if name.startswith("value")), "")


def _number(part: JsonObject) -> int:
    value = part.get("valueInteger")
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _relative(reference: object) -> str:
    """`Type/id` of a reference in any of its forms."""
    if not isinstance(reference, str):
        return ""
    return "/".join(reference.split("/_history/")[0].rstrip("/").split("/")[-2:])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(value: object) -> Any:
    return (_list(value) or [None])[0]


def _dict(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
