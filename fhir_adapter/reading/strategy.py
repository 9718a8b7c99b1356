"""How a server's changes are found: by `_lastUpdated`, or by something weaker that says what it misses."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from fhir_adapter.errors import HttpStatusError, RefusedError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.stamps import in_nanoseconds, instant, nanoseconds

_LAST_UPDATED = "_lastUpdated"
_WEEK = in_nanoseconds(timedelta(days=7))
_FUTURE = "ge2999-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Strategy:
    """The search behind a pass.

    Attributes:
        parameter: `_lastUpdated`; `date` where the server cannot search by the former; None for a walk
            over everything.
        always: parameters of every search: what the settings ask for.
        by_patient: one search for each patient, over everything of theirs.
    """

    resource_type: str
    parameter: str | None
    always: tuple[tuple[str, str], ...] = ()
    by_patient: bool = False

    @property
    def fallback(self) -> str | None:
        """What the log and `doctor` say where `_lastUpdated` cannot be used; None where it can."""
        if self.parameter == _LAST_UPDATED:
            return None
        if self.by_patient:
            return f"Every pass reads all {self.resource_type} of the patients that the settings name."
        if self.parameter is None:
            return (
                f"The server searches {self.resource_type} neither by _lastUpdated nor by date, so every "
                "pass reads all of them."
            )
        return (
            f"The server does not search {self.resource_type} by _lastUpdated; passes go by date instead, so "
            "late edits, and notes filed more than a week after their date, are missed."
        )

    @property
    def misses_late_edits(self) -> bool:
        """True where a note that changes long after its date is not seen."""
        return self.parameter == "date"

    @property
    def least_overlap(self) -> int:
        """Nanoseconds; a clinical date lies days before its note is filed."""
        return _WEEK if self.parameter == "date" else 0

    def params(self, lower: int | None) -> list[tuple[str, str]]:
        """Search parameters for what is at or above `lower` (nanoseconds), or for everything."""
        if self.parameter is None:
            return list(self.always)
        sort = ("_sort", self.parameter)
        if lower is None:
            return [*self.always, sort]
        moment = instant(lower)
        # Both a day and an instant match a document's date by its whole period; the day asks no zone.
        bound = (self.parameter, f"ge{moment if self.parameter == _LAST_UPDATED else moment[:10]}")
        return [*self.always, bound, sort]

    def stamp(self, resource: JsonObject) -> str | None:
        """The server's own stamp; failing that, for a search by date, the resource's date."""
        meta = resource.get("meta")
        stamp = meta.get("lastUpdated") if isinstance(meta, dict) else None
        if nanoseconds(stamp) is not None:
            return str(stamp)
        if self.parameter == "date":
            for name in ("date", "effectiveDateTime", "issued"):
                if nanoseconds(resource.get(name)) is not None:
                    return str(resource[name])
        return None


def weaker(strategy: Strategy, declared: Collection[str]) -> Iterator[Strategy]:
    """The strategy, and those that are left where the server refuses its search; each asks for less."""
    parameters = [strategy.parameter]
    if strategy.parameter == _LAST_UPDATED and "date" in declared:
        parameters.append("date")
    if strategy.parameter is not None:
        parameters.append(None)
    for parameter in parameters:
        yield replace(strategy, parameter=parameter)
        if strategy.always and not strategy.by_patient:  # each match is held against the settings anyway
            yield replace(strategy, parameter=parameter, always=())


async def choose_strategy(
    client: FhirClient, resource_type: str, always: tuple[tuple[str, str], ...] = ()
) -> tuple[Strategy, bool]:
    """The best strategy the server allows, and whether that is certain or only so for now.

    Servers that search by `_lastUpdated` without declaring it are found out by two small searches.
    """
    declared = (await client.capability()).search_params(resource_type)
    if _LAST_UPDATED in declared:
        return Strategy(resource_type, _LAST_UPDATED, always), True
    fallback = Strategy(resource_type, "date" if "date" in declared else None, always)
    try:
        if await _finds(client, resource_type, [(_LAST_UPDATED, _FUTURE)]):
            return fallback, True
        certain = await _finds(client, resource_type, [])
    except RefusedError:
        raise
    except HttpStatusError:
        return fallback, True
    return (Strategy(resource_type, _LAST_UPDATED, always), True) if certain else (fallback, False)


async def _finds(client: FhirClient, resource_type: str, params: list[tuple[str, str]]) -> bool:
    async for page in client.search(resource_type, [*params, ("_count", "1")]):
        return bool(page.resources or page.unusable)
    return False
