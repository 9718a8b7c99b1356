"""A profile's elements in plain words, each with what stands there in an example."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.profiles import structure

_SHOWN = 140  # characters of an example
_TAG = re.compile("<[^<>]*>")


@dataclass(frozen=True, slots=True)
class ElementRow:
    """One element.

    Attributes:
        element: its path below the resource, with the slice's name after a colon.
        cardinality: such as `1..1`.
        words: what it holds.
        example: what stands there in the example, cut where it is long; "" where nothing does, or where
            the rows of its parts say it.
    """

    element: str
    cardinality: str
    words: str
    example: str


def rows(identifier: str, examples: Sequence[JsonObject]) -> list[ElementRow]:
    """The elements that a profile explains, in its order.

    Args:
        identifier: the profile's id.
        examples: resources that claim it, or that carry the extension; the first to have an element shows it.

    Raises:
        KeyError: there is no such profile.
    """
    profile = structure(identifier)
    elements = {element["id"]: element for element in profile["differential"]["element"]}
    shown = {name: element for name, element in elements.items() if "short" in element and "." in name}
    roots = list(examples)
    if profile["type"] == "Extension":
        roots = [_extension(example, profile["url"]) for example in examples]
    return [
        ElementRow(
            element=name.partition(".")[2],
            cardinality=f"{element['min']}..{element['max']}",
            words=element["short"],
            example="" if _has_parts(name, shown) else _example(roots, name.split("."), elements),
        )
        for name, element in shown.items()
    ]


def _example(roots: Sequence[Any], path: list[str], elements: dict[str, JsonObject]) -> str:
    found = (_shown(value) for root in roots for value in _found(root, path, 1, elements))
    return next(filter(None, found), "")


def _has_parts(name: str, shown: dict[str, JsonObject]) -> bool:
    return any(other.startswith(f"{name}.") for other in shown)


def _extension(node: Any, url: str) -> Any:
    """The first extension with this url, however deep."""
    if isinstance(node, dict):
        if node.get("url") == url:
            return node
        node = list(node.values())
    found = (_extension(item, url) for item in node) if isinstance(node, list) else ()
    return next((one for one in found if one is not None), None)


def _found(node: Any, path: list[str], at: int, elements: dict[str, JsonObject]) -> Iterator[Any]:
    """What stands at an element's id, from the resource that its first step names; all that repeats."""
    if at == len(path):
        yield node
        return
    for child in _children(node, path[at], ".".join(path[: at + 1]), elements):
        if isinstance(child, list) and at + 1 < len(path):
            for item in child:
                yield from _found(item, path, at + 1, elements)
        else:
            yield from _found(child, path, at + 1, elements)


def _children(node: Any, step: str, identifier: str, elements: dict[str, JsonObject]) -> list[Any]:
    name, _, slice_name = step.partition(":")
    if name.endswith("[x]"):
        return [v for key, v in as_dict(node).items() if key.startswith(name[:-3])][:1]
    value = as_dict(node).get(name)
    if slice_name:
        return [one for one in dicts(value) if _is_slice(one, identifier, elements)]
    return [value]


def _is_slice(item: JsonObject, name: str, elements: dict[str, JsonObject]) -> bool:
    element = elements[name]
    for type_ in element.get("type", ()):
        if "profile" in type_:
            return item.get("url") in type_["profile"]
    for key in ("url", "system"):
        fixed = elements.get(f"{name}.{key}", {}).get("fixedUri")
        if fixed is not None:
            return bool(item.get(key) == fixed)
    pattern: Any = next((value for key, value in element.items() if key.startswith("pattern")), {})
    return _matches(item, pattern)


def _matches(value: Any, pattern: Any) -> bool:
    """Whether all of the pattern stands in the value (R4, ElementDefinition.pattern[x])."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_matches(value.get(k), v) for k, v in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_matches(v, p) for v in value) for p in pattern)
    return bool(value == pattern)


def _shown(value: Any) -> str:
    """What stands there, in the notation that the specification uses in its text."""
    if value is None:
        return ""
    text = ", ".join(map(_words, value)) if isinstance(value, list) else _words(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _words(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    if "url" in value:  # of an extension its value; its parts have rows of their own
        return next((_words(v) for name, v in value.items() if name.startswith("value")), "")
    if "div" in value:
        return _text(value["div"])
    if "coding" in value:
        return ", ".join(map(_words, value["coding"]))
    if "code" in value and "system" in value:
        return f"{value['system']}#{value['code']}"
    if "value" in value:
        return f"{value.get('system') or _text_of(value)}|{value['value']}"
    if "reference" in value:
        return str(value["reference"])
    return ", ".join(f"{name}: {_shown(part)}" for name, part in value.items())


def _text_of(value: JsonObject) -> str:
    return str(as_dict(value.get("type")).get("text", ""))


def _text(div: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", div)).split())
