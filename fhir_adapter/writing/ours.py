"""Searches for what was written by this product, whatever the server takes."""

from fhir_adapter import canonical
from fhir_adapter.rest.searching import Params

_COUNT = ("_count", "100")
_KEYS = {"Composition": canonical.TAGS, "Provenance": canonical.PROVENANCE_KEY}


def ours_by(kind: str, parameter: str, value: str) -> tuple[Params, ...]:
    """The search for what was made of or by something; where it is refused, for all that was written."""
    return ([(parameter, value), _COUNT], [("_tag", f"{_KEYS[kind]}|"), _COUNT], [_COUNT])
