"""What a Composition of ours claims, read leniently: the audit's input, from whoever wrote it last."""

from dataclasses import dataclass

from fhir_adapter.canonical import (
    AI_CONFIDENCE,
    DERIVATION_REFERENCE,
    EXTRACT_SCORE,
    EXTRACT_TEXT,
    NARRATIVE_LINK,
    SOURCE_TEXT,
)
from fhir_adapter.canonical import ENDED_BECAUSE as ENDED
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, references, relative
from fhir_adapter.narrative import is_plain_list, list_items

_SPAN_PARTS = sorted(("reference", "path", "offset", "length", NARRATIVE_LINK, EXTRACT_SCORE))
_OPTIONAL = (AI_CONFIDENCE, EXTRACT_TEXT)


@dataclass(frozen=True, slots=True)
class Span:
    """One `derivation-reference` extension.

    Attributes:
        reference: `Type/id` of the resource that holds the text.
        path: FHIRPath of the element in it.
        offset, length: code points; -1 where absent or not a number.
        link: the narrative item it belongs to, without `#`.
        well_formed: each part stands there once, and nothing else does but a confidence equal to the score.
        confident: the score is called a confidence too.
        words: in a timeline, what stands at a place that says the same in other words; None elsewhere.
    """

    reference: str
    path: str
    offset: int
    length: int
    link: str
    score: float | None
    well_formed: bool = True
    words: str | None = None
    confident: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything in a Composition that can be checked against its source.

    Attributes:
        source: `Type/id` of the section's entry, or "" where the Composition names none.
        source_url: the address of the source's version, beside the hash.
        source_texts: how often the source's text is described; once is right.
        authors: of the Composition and of its section, as `Type/id`.
        spans: in the order written.
        items: (id, text) of the narrative, in the order shown.
        narrative_error: why the narrative could not be read, or "".
        ended: why the summary says that it is no longer current, or "".
    """

    composition: str
    status: str
    source: str
    source_url: str
    source_texts: int
    version: str
    path: str
    unit: str
    normalization: str
    sha256: str
    length: int
    pipeline: str
    authors: tuple[str, ...]
    section_authors: tuple[str, ...]
    sections: int
    spans: tuple[Span, ...]
    items: tuple[tuple[str, str], ...]
    labels: frozenset[tuple[str, str]]
    narrative_error: str = ""
    plain_list: bool = True
    ended: str = ""


def read_claims(composition: JsonObject, base_url: str = "") -> Claims:
    """Reads a Composition; absent or odd parts read as empty and are for the audit to find.

    Args:
        composition: as the server gave it.
        base_url: absolute references under it are read as relative ones.
    """
    found = [e for e in dicts(composition.get("extension")) if e.get("url") == SOURCE_TEXT]
    facts = {str(part.get("url")): _value(part) for part in _parts(found[0])} if found else {}
    section = (dicts(composition.get("section")) or [{}])[0]
    items: tuple[tuple[str, str], ...] = ()
    narrative_error, plain = "", True
    div = str(as_dict(section.get("text")).get("div", ""))
    try:
        items = tuple((anchor or "", text) for anchor, text in list_items(div))
        plain = is_plain_list(div)
    except ValueError as error:
        narrative_error = str(error)
    return Claims(
        composition=f"Composition/{composition.get('id', '')}",
        status=str(composition.get("status", "")),
        source=relative((dicts(section.get("entry")) or [{}])[0].get("reference"), base_url),
        source_url=facts.get("source", ""),
        source_texts=len(found),
        version=facts.get("versionId", ""),
        path=facts.get("path", ""),
        unit=facts.get("unit", ""),
        normalization=facts.get("normalization", ""),
        sha256=facts.get("sha256", ""),
        length=int(facts["length"]) if facts.get("length", "").isdigit() else -1,
        pipeline=facts.get("pipeline", ""),
        authors=references(composition.get("author"), base_url),
        section_authors=references(section.get("author"), base_url),
        sections=len(dicts(composition.get("section"))) + len(dicts(section.get("section"))),
        spans=tuple(_spans(section, base_url)),
        items=items,
        labels=frozenset(coded(as_dict(composition.get("meta")).get("security"))),
        narrative_error=narrative_error,
        plain_list=plain,
        ended=next((_value(e) for e in dicts(composition.get("extension")) if e.get("url") == ENDED), ""),
    )


def _well_formed(parts: dict[str, JsonObject], names: list[str]) -> bool:
    """Each part once, and no other; a confidence has the value of the score."""
    score = parts.get(EXTRACT_SCORE, {}).get("valueDecimal")
    agrees = AI_CONFIDENCE not in parts or parts[AI_CONFIDENCE].get("valueDecimal") == score
    return agrees and sorted((*_SPAN_PARTS, *(url for url in _OPTIONAL if url in parts))) == names


def _spans(section: JsonObject, base_url: str) -> list[Span]:
    spans = []
    for extension in dicts(section.get("extension")):
        if extension.get("url") != DERIVATION_REFERENCE:
            continue
        parts = {str(part.get("url")): part for part in _parts(extension)}
        names = sorted(str(part.get("url")) for part in _parts(extension))
        score = parts.get(EXTRACT_SCORE, {}).get("valueDecimal")
        reference = as_dict(parts.get("reference", {}).get("valueReference")).get("reference")
        spans.append(
            Span(
                reference=relative(reference, base_url),
                path=_value(parts.get("path", {})),
                offset=_number(parts.get("offset", {})),
                length=_number(parts.get("length", {})),
                link=_value(parts.get(NARRATIVE_LINK, {})).removeprefix("#"),
                score=float(score) if isinstance(score, int | float) else None,
                well_formed=_well_formed(parts, names),
                words=_value(parts[EXTRACT_TEXT]) if EXTRACT_TEXT in parts else None,
                confident=AI_CONFIDENCE in parts,
            )
        )
    return spans


def _parts(extension: JsonObject) -> list[JsonObject]:
    return dicts(extension.get("extension"))


def _value(part: JsonObject) -> str:
    return next((str(value) for name, value in part.items() if name.startswith("value")), "")


def _number(part: JsonObject) -> int:
    value = part.get("valueInteger")
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
