"""What a Composition of ours claims, read leniently: the audit's input, from whoever wrote it last."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fhir_adapter.canonical import (
    AI_CONFIDENCE,
    DERIVATION_REFERENCE,
    EXTRACT_CONTEXT,
    EXTRACT_RULE,
    EXTRACT_SCORE,
    EXTRACT_TEXT,
    LEFT_OUT,
    NARRATIVE_LINK,
    SOURCE_TEXT,
)
from fhir_adapter.canonical import ENDED_BECAUSE as ENDED
from fhir_adapter.lenient import JsonObject, as_count, as_dict, coded, dicts, references, relative
from fhir_adapter.narrative import Piece, SentenceList, read_list
from fhir_adapter.writing.sections import PINNED_TITLE
from summarizer.types import LeftOut, LeftOutSection

_PLACE = ("reference", "path", "offset", "length", NARRATIVE_LINK)
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
        confident: the score is called a confidence too, as versions before form 2 of the narrative did.
        context: code of why this is shown with a sentence; None for a sentence itself.
        rule: address of the rule that found it, with its version; None where a score chose it.
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
    context: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything in a Composition that can be checked against its source.

    Attributes:
        source: `Type/id` of the section's entry, or "" where the Composition names none.
        source_url: the address of the source's version, beside the hash.
        source_texts: how often the source's text is described; once is right.
        authors: of the Composition and of its section, as `Type/id`, or `#id` of a contained one.
        contained: what it contains, as `#id`.
        spans: of sentences, in the order written.
        items: (id, text) of the sentences in the narrative, in the order shown.
        contexts: spans of what is shown with the sentences, in the order written.
        links: what all spans link to, in the order written.
        shown: the narrative's items with all their pieces.
        form: of the narrative, 1 or 2 (`narrative.FORM`); 0 where it shows nothing.
        narrative_error: why the narrative could not be read, or "".
        ended: why the summary says that it is no longer current, or "".
        notice: what is said to be remarkable in reading the text, or "".
        left_out: what is said not to be shown.
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
    contexts: tuple[Span, ...] = ()
    links: tuple[str, ...] = ()
    shown: tuple[tuple[Piece, ...], ...] = ()
    form: int = 0
    notice: str = ""
    left_out: LeftOut = field(default_factory=LeftOut)
    contained: tuple[str, ...] = ()

    def context_of(self, link: str) -> list[Span]:
        """The spans of what is shown with the sentence of that id."""
        return [span for span in self.contexts if span.link.rpartition("c")[0] == link]


def pinned_section(composition: JsonObject) -> JsonObject | None:
    """The section of the lines that rules found: the second, by its title."""
    second = dicts(composition.get("section"))[1:2]
    return second[0] if second and second[0].get("title") == PINNED_TITLE else None


def read_claims(
    composition: JsonObject, base_url: str = "", read: Callable[[str], SentenceList] = read_list
) -> Claims:
    """Reads a Composition; absent or odd parts read as empty and are for the audit to find.

    What rules found is read apart (`audit.pinned`).

    Args:
        composition: as the server gave it.
        base_url: absolute references under it are read as relative ones.
        read: the narrative of the first section.
    """
    found = [e for e in dicts(composition.get("extension")) if e.get("url") == SOURCE_TEXT]
    facts = {str(part.get("url")): _value(part) for part in _parts(found[0])} if found else {}
    section = (dicts(composition.get("section")) or [{}])[0]
    listed, narrative_error = SentenceList((), 0, True), ""
    div = str(as_dict(section.get("text")).get("div", ""))
    try:
        listed = read(div)
    except ValueError as error:
        narrative_error = str(error)
    spans = _spans(section, base_url)
    sections = len(dicts(composition.get("section"))) - (pinned_section(composition) is not None)
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
        sections=sections + len(dicts(section.get("section"))),
        spans=tuple(span for span in spans if span.context is None),
        items=tuple((piece.anchor, piece.text) for item in listed.items for piece in item if not piece.kind),
        labels=frozenset(coded(as_dict(composition.get("meta")).get("security"))),
        narrative_error=narrative_error,
        plain_list=listed.plain,
        contexts=tuple(span for span in spans if span.context is not None),
        links=tuple(span.link for span in spans),
        shown=listed.items,
        form=listed.form,
        notice=facts.get("notice", ""),
        left_out=_left_out(composition),
        contained=tuple(f"#{one.get('id', '')}" for one in dicts(composition.get("contained"))),
        ended=next((_value(e) for e in dicts(composition.get("extension")) if e.get("url") == ENDED), ""),
    )


def _well_formed(parts: dict[str, JsonObject], names: list[str]) -> bool:
    """Each part once, and no other; a confidence has the value of the score."""
    score = parts.get(EXTRACT_SCORE, {}).get("valueDecimal")
    agrees = AI_CONFIDENCE not in parts or parts[AI_CONFIDENCE].get("valueDecimal") == score
    for alone in (EXTRACT_CONTEXT, EXTRACT_RULE):
        if alone in parts:
            return sorted((*_PLACE, alone)) == names
    return agrees and sorted((*_PLACE, EXTRACT_SCORE, *(url for url in _OPTIONAL if url in parts))) == names


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
                context=_value(parts[EXTRACT_CONTEXT]) if EXTRACT_CONTEXT in parts else None,
                rule=_value(parts[EXTRACT_RULE]) if EXTRACT_RULE in parts else None,
            )
        )
    return spans


def _parts(extension: JsonObject) -> list[JsonObject]:
    return dicts(extension.get("extension"))


def _value(part: JsonObject) -> str:
    return next((str(value) for name, value in part.items() if name.startswith("value")), "")


def _number(part: JsonObject) -> int:
    return as_count(part.get("valueInteger"))


def _left_out(composition: JsonObject) -> LeftOut:
    """What is said to be left out; what is not stated reads as nothing."""
    found = [e for e in dicts(composition.get("extension")) if e.get("url") == LEFT_OUT]
    parts = dicts(found[0].get("extension")) if found else []
    sections = tuple(
        LeftOutSection(_words(dicts(part.get("extension"))), _counted(dicts(part.get("extension"))))
        for part in parts
        if part.get("url") == "section"
    )
    return LeftOut(sections, _counted(parts))


def _words(parts: list[JsonObject]) -> str:
    return next((str(p.get("valueString", "")) for p in parts if p.get("url") == "title"), "")


def _counted(parts: list[JsonObject]) -> int:
    return as_count(next((p.get("valueInteger") for p in parts if p.get("url") == "sentences"), 0))
