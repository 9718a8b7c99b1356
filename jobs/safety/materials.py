"""What is installed beside this software: a bill of materials (CycloneDX 1.6) and the licences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_TEXTS = re.compile(r"(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)
_LONGEST = 200  # characters of a licence field that is a name and not a whole text


@dataclass(frozen=True, slots=True)
class Material:
    """One installed distribution.

    Attributes:
        name: normalised.
        licence: as the distribution states it; "" where it states none.
        needs: names of installed distributions that it needs.
        texts: (file name, text) of each licence that it brings.
    """

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]

    @property
    def ref(self) -> str:
        """The package URL, which names it in the bill."""
        return f"pkg:pypi/{self.name}@{self.version}"


@cache
def materials() -> tuple[Material, ...]:
    """Everything that this Python finds, by name; of a name twice on the path, the one that is imported."""
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        if distribution.metadata["Name"]:
            found.setdefault(canonicalize_name(distribution.metadata["Name"]), distribution)
    return tuple(
        Material(
            name=name,
            version=distribution.version,
            licence=_licence(distribution),
            needs=tuple(sorted({need for need in _needs(distribution) if need in found and need != name})),
            texts=tuple(_texts(distribution)),
        )
        for name, distribution in sorted(found.items())
    )


def _licence(distribution: Distribution) -> str:
    """PEP 639's expression, else the trove classifiers, else the field where it is a name."""
    meta = distribution.metadata.json
    if expression := meta.get("license_expression"):
        return str(expression)
    named = [c.rpartition("::")[2].strip() for c in meta.get("classifier") or () if "License ::" in c]
    if named:
        return "; ".join(named)
    field = " ".join(str(meta.get("license") or "").split())
    return field if len(field) <= _LONGEST and field.upper() != "UNKNOWN" else ""


def _needs(distribution: Distribution) -> Iterator[str]:
    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def _texts(distribution: Distribution) -> Iterator[tuple[str, str]]:
    for path in distribution.files or ():
        if ".dist-info" in str(path) and _TEXTS.search(path.name):
            try:
                yield path.name, path.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue


def bill(own: str, found: tuple[Material, ...], made: str) -> dict[str, Any]:
    """The bill of materials after CycloneDX 1.6.

    Args:
        own: name of the distribution that the bill is of.
        found: all that is installed, the own one among them if it is.
        made: an instant, for its head.
    """
    parts = [material for material in found if material.name != own]
    root = next((material for material in found if material.name == own), None)
    head = root or Material(own, "0", "", tuple(material.name for material in parts), ())
    refs = {material.name: material.ref for material in found}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": made, "component": _component(head, "application")},
        "components": [_component(material, "library") for material in parts],
        "dependencies": [
            {"ref": material.ref, "dependsOn": sorted(refs[need] for need in material.needs)}
            for material in (head, *parts)
        ],
    }


def _component(material: Material, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": kind,
        "bom-ref": material.ref,
        "name": material.name,
        "version": material.version,
        "purl": material.ref,
    }
    if material.licence:
        found["licenses"] = [{"license": {"name": material.licence}}]
    return found
