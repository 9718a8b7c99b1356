"""Narratives must be well-formed XHTML (hl7.org/fhir/R4/narrative.html); HAPI refuses others too."""

from collections.abc import Iterator
from html.entities import name2codepoint
from typing import Any
from xml.parsers import expat

from fhir_adapter.sandbox.embedded.jsontext import Json
from fhir_adapter.sandbox.embedded.outcome import invalid


def check_narratives(resource: Json) -> None:
    """Raises 400 where a narrative of the resource, its sections or what it contains is not XML."""
    for path, div in _narratives(resource, resource["resourceType"]):
        problem = _problem(div)
        if problem:
            raise invalid(f"{path}.text.div is not well-formed XHTML: {problem}.")


def _narratives(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        return
    text = value.get("text")
    if isinstance(text, dict) and isinstance(text.get("div"), str):
        yield path, text["div"]
    for name in ("section", "contained"):
        items = value.get(name)
        for number, item in enumerate(items if isinstance(items, list) else ()):
            yield from _narratives(item, f"{path}.{name}[{number}]")


def _problem(div: str) -> str:
    """What is wrong, without a word of the text; "" where nothing is."""
    problems: list[str] = []
    parser = expat.ParserCreate("utf-8")
    # As if there were a DTD, so that the names of HTML's entities (&nbsp;) can be told from others.
    parser.UseForeignDTD(True)
    parser.SkippedEntityHandler = lambda name, _: (
        None if name in name2codepoint else problems.append("an unknown entity")
    )
    parser.StartDoctypeDeclHandler = lambda *_: problems.append("a document type declaration")
    try:
        parser.Parse(div.strip().encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        return expat.ErrorString(error.code)
    return problems[0] if problems else ""
