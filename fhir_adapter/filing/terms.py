"""Searches for what is filed in documents, as searches for the documents."""

from collections.abc import Iterator, Sequence

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.rest.searching import Params

_TIMES = ("_lastUpdated", "_sort", "_count", "_total", "_summary")
_PLACES = {"subject": "patient", "patient": "patient", "encounter": "encounter"}
_NAMED = {"_id": "{kind}/{value}", "target": "{value}", "author": "{value}", "agent": "{value}"}
_MADE_FROM = frozenset({"entry", "entity"})
_TAGGED = {
    "|".join(canonical.SUMMARY_TAG): f"{canonical.SUMMARIES}|",
    "|".join(canonical.TIMELINE_TAG): f"{canonical.TIMELINES}|",
}
_ANY = f"{canonical.FILED}|"
TYPED = ("type", f"{canonical.LOINC}|{canonical.SUMMARY_NOTE}")
"""What finds summaries, and others of their type, where identifiers cannot be asked for."""


def ways_to(kind: str, params: Params) -> Sequence[Params]:
    """The searches for documents that find what a search for Compositions or Provenances asks for.

    Args:
        kind: what is searched for.
        params: of the search.

    Returns:
        The ways, each of which finds all that is wanted, a later one perhaps more.

    Raises:
        HttpStatusError: 400 for a parameter that no document can be found by, as a server would.
    """
    shown = [(name, value) for name, value in params if name in _TIMES]
    places = [(_PLACES[name], value) for name, value in params if name in _PLACES]
    named = [value for name, value in params for value in _identifiers(kind, name, value)]
    known = {*_TIMES, *_PLACES, *_NAMED, *_MADE_FROM, "_tag", "identifier", "_elements"}  # whole anyway
    if unknown := [name for name, _ in params if name not in known]:
        raise HttpStatusError(400, f"search of {kind} by {unknown[0]}", ("not-supported",))
    asked = [("identifier", ",".join(named))] if named else []
    ways = [[*asked, *places, *shown], [*places, TYPED, *shown]] if asked else []
    if not asked:
        ways = [[*places, ("identifier", _ANY), *shown], [*places, TYPED, *shown]]
    return [*ways, [*places, *shown], shown, []]


def exact(kind: str, params: Params) -> list[str]:
    """What a search asks for where that is nothing but resources by their ids: `Type/id` of each."""
    asked = [(name, value) for name, value in params if name not in _TIMES]
    if len(asked) != 1 or asked[0][0] not in ("_id", "target"):
        return []
    name, value = asked[0]
    return [_NAMED[name].format(kind=kind, value=one) for one in value.split(",")]


def _identifiers(kind: str, name: str, value: str) -> Iterator[str]:
    """The identifiers of documents by which they are found; none where a parameter says nothing of them."""
    for one in value.split(","):
        if name in _NAMED:
            yield f"{canonical.FILED}|{_NAMED[name].format(kind=kind, value=one)}"
        elif name in _MADE_FROM:
            yield f"{canonical.FILED_SOURCES}|{one}"
        elif name == "identifier":
            yield one
        elif name == "_tag":
            system, _, code = one.partition("|")
            if system == canonical.PROVENANCE_KEY and code:
                yield f"{canonical.FILED}|Provenance/{code}"
            elif system == canonical.TEXTS:
                yield one
            else:
                yield _TAGGED.get(one, _ANY)
