"""Whether a summary still counts, by the rules of docs/lifecycle.md: apart from whether it is true."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.record import Maker, Record
from fhir_adapter.audit.shape import replaces_composition
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import searched
from fhir_adapter.writing.lifecycle import NO_NOTE, Withdrawal

_IN_ERROR = "entered-in-error"
_ENDED = {
    **{reason.value: reason.words for reason in Reason},
    Withdrawal.RECALLED.value: "The model, or the version of the pipeline, was recalled.",
    Withdrawal.SOURCE.value: "What came from this note was withdrawn.",
    NO_NOTE: "No note is left for this timeline.",
}


class Standing(StrEnum):
    """Whether a reader may go by a summary at all; the value is its code."""

    CURRENT = "current"
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"
    SUPERSEDED = "superseded"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class State:
    """Where a summary stands, and why, in a sentence or two."""

    standing: Standing
    words: str = ""

    @property
    def current(self) -> bool:
        """Nothing speaks against it."""
        return self.standing is Standing.CURRENT


CURRENT = State(Standing.CURRENT)


def ended_words(code: str) -> str:
    """Why a summary is no longer current, in a sentence."""
    return _ENDED.get(code, f"for the reason {code}.")


def state_of(record: Record, makers: Sequence[Maker], sources: Sequence[tuple[Claims, "Versions"]]) -> State:
    """Where a Composition stands.

    Args:
        record: it, apart from its sentences.
        makers: the Devices among its authors.
        sources: of each of its notes what is claimed, and which versions the server has.
    """
    why = ended_words(record.ended) if record.ended else ""
    if record.status == _IN_ERROR:
        return State(Standing.WITHDRAWN, " ".join(filter(None, ["It is marked as entered in error.", why])))
    recalled = [maker.reference for maker in makers if maker.recalled]
    if recalled:
        return State(Standing.RECALLED, f"It was made by what was recalled: {', '.join(recalled)}.")
    if record.ended:
        superseded = record.ended == Reason.SUPERSEDED
        return State(Standing.SUPERSEDED if superseded else Standing.OUTDATED, why)
    if any(versions.replaced for _, versions in sources):
        return State(Standing.SUPERSEDED, "Another summary, of a newer version of the note, replaces it.")
    newer = [(claims, versions.current) for claims, versions in sources if versions.changed]
    if not newer:
        return CURRENT
    return State(Standing.OUTDATED, _newer_words(newer, of_many=len(sources) > 1))


def _newer_words(newer: Sequence[tuple[Claims, JsonObject | None]], *, of_many: bool) -> str:
    claims, current = newer[0]
    mistaken = sum(_in_error(resource) for _, resource in newer)
    if of_many:
        some = "One of its notes has" if len(newer) == 1 else f"{len(newer)} of its notes have"
        since = f"; {mistaken} of them entered in error" if mistaken else ""
        return f"{some} a newer version now than it was made from{since}."
    if mistaken:
        return "The note itself has been marked as entered in error since."
    now = str(as_dict((current or {}).get("meta")).get("versionId", ""))
    return f"The note has version {now} now; this was made from version {claims.version}."


def _in_error(source: JsonObject | None) -> bool:
    return source is not None and _IN_ERROR in (source.get("status"), source.get("docStatus"))


@dataclass(slots=True)
class Versions:
    """Which versions of a note the server has.

    Attributes:
        current: the newest, or None where the note is gone.
        stated: the one that was summarised, or None where that is gone.
        changed: the newest is another one, and nobody says so of the summary.
        replaced: the newest is another one, and another Composition says that it replaces the summary.
    """

    current: JsonObject | None = None
    stated: JsonObject | None = None
    changed: bool = False
    replaced: bool = False


def outlives(claims: Claims) -> bool:
    """Whether the summary says itself that its source was deleted."""
    return claims.ended == Reason.DELETED


def says_over(claims: Claims) -> bool:
    """Whether a summary says itself that its time is over."""
    return claims.status == _IN_ERROR or bool(claims.ended)


async def is_replaced(client: FhirClient, claims: Claims) -> bool:
    """Whether another Composition says that it replaces the summary.

    Raises:
        FhirAdapterError: as the client raises it; a server without the search counts as none.
    """
    try:
        async for page in searched(
            client, "Composition", [("related-ref", claims.composition), ("_count", "20")]
        ):
            if any(replaces_composition(resource, claims.composition) for resource in page.resources):
                return True
    except HttpStatusError as error:
        if error.passing:
            raise
    return False
