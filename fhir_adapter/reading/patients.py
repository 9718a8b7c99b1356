"""Whose notes are read, where a server answers searches only for one patient at a time.

Named are patients by id or identifier, a Group, whoever has an open Encounter, or whose notes were summarised
before. What is named is looked up anew in each pass, so that admissions and changes of a Group count at once.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError, NotFhirError
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, relative, usable_id
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.matches import matches
from fhir_adapter.stamps import last_moment, nanoseconds

logger = logging.getLogger(__name__)

OPEN_ENCOUNTERS = "open-encounters"
SEEN = "seen"
_OPEN = ("arrived", "triaged", "in-progress", "onleave")


def is_patient_name(text: str) -> bool:
    """Whether a setting names patients in one of the ways known here."""
    if text in (OPEN_ENCOUNTERS, SEEN):
        return True
    if "|" in text:
        return bool(text.partition("|")[2])
    kind, slash, ident = text.partition("/")
    return usable_id(ident if slash else text) is not None and (not slash or kind in ("Patient", "Group"))


class Patients:
    """The patients that the settings name.

    Args:
        client: the server whose notes are read.
        names: `Patient/id` or an id, `system|value`, `Group/id`, `open-encounters`, `seen`.
        written: the server that holds the summaries.
    """

    def __init__(self, client: FhirClient, names: Sequence[str], written: FhirClient | None = None) -> None:
        self._client, self._names, self._written = client, names, written or client

    async def references(self) -> list[str]:
        """`Patient/id`, each once, in the order named.

        Raises:
            FhirAdapterError: as the client raises it; a pass over some of them only would look complete.
        """
        found: dict[str, None] = {}
        for name in self._names:
            before = len(found)
            async for reference in self._of(name):
                if reference.startswith("Patient/"):
                    found.setdefault(reference)
            if len(found) == before and "|" in name:
                logger.warning("one of the identifiers in CLINSUM_PATIENTS is no patient's")
        return list(found)

    def _of(self, name: str) -> AsyncIterator[str]:
        if name == OPEN_ENCOUNTERS:
            return self._open_encounters()
        if name == SEEN:
            return self._seen()
        if "|" in name:
            return self._by_identifier(name)
        return self._group(name) if name.startswith("Group/") else self._named(name)

    async def _named(self, name: str) -> AsyncIterator[str]:
        yield name if name.startswith("Patient/") else f"Patient/{name}"

    async def _by_identifier(self, name: str) -> AsyncIterator[str]:
        system, _, value = name.partition("|")
        async for patient in matches(self._client, "Patient", [("identifier", name)]):
            identifiers = dicts(patient.get("identifier"))
            if any(
                one.get("value") == value and (not system or one.get("system") == system)
                for one in identifiers
            ):
                yield f"Patient/{patient.get('id')}"

    async def _group(self, name: str) -> AsyncIterator[str]:
        """Members in force, also those of Groups that are members; each Group once, since they may go round.

        A member without a reference is looked up by its identifier.
        """
        groups, today = [name], nanoseconds(datetime.now(UTC).isoformat()) or 0
        for group in groups:
            members = dicts((await self._client.read(group)).get("member"))
            if not members:
                logger.warning("a Group in CLINSUM_PATIENTS, or within one of these, names no members")
            for member in members:
                if not _in_force(member, today):
                    continue
                entity = as_dict(member.get("entity"))
                reference = relative(entity.get("reference"), self._client.base_url)
                identifier = as_dict(entity.get("identifier"))
                if reference.startswith("Group/"):
                    groups += [reference] if reference not in groups else []
                elif not reference and identifier.get("value"):
                    token = f"{identifier.get('system') or ''}|{identifier['value']}"
                    async for patient in self._by_identifier(token):
                        yield patient
                else:
                    yield reference

    async def _open_encounters(self) -> AsyncIterator[str]:
        count = ("_count", "200")
        params = [("status", ",".join(_OPEN)), count]
        async for encounter in matches(self._client, "Encounter", params, [count]):
            if encounter.get("status") in _OPEN:
                yield relative(as_dict(encounter.get("subject")).get("reference"), self._client.base_url)

    async def _seen(self) -> AsyncIterator[str]:
        """Whose summaries there are, by the server and not by a ledger."""
        shown = [("_elements", "subject,meta"), ("_count", "500")]
        tagged = [("_tag", "|".join(canonical.SUMMARY_TAG)), *shown]
        async for summary in matches(self._written, "Composition", tagged, shown, walk=True):
            if canonical.SUMMARY_TAG in coded(as_dict(summary.get("meta")).get("tag")):
                yield relative(as_dict(summary.get("subject")).get("reference"), self._client.base_url)


def _in_force(member: JsonObject, now: int) -> bool:
    """A member of a Group that has not left it: neither marked so nor behind, or before, its period."""
    period = as_dict(member.get("period"))
    begin, end = nanoseconds(period.get("start")), last_moment(period.get("end"))
    over = end is not None and end < now
    return member.get("inactive") is not True and not over and (begin is None or begin <= now)


# One patient's search may be refused (a protected record) or fail; the others' go on.
OF_ONE_PATIENT = (HttpStatusError, NotFhirError)
