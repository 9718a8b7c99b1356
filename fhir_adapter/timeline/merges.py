"""Patients that a records department merged: R4 `Patient.link` of type `replaces` and `replaced-by`."""

from collections.abc import AsyncIterator

from fhir_adapter.errors import FhirAdapterError, HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict, dicts, reference_of, relative
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import searched

_MOST = 20  # patients merged into one; more would be a mistake


class MergesError(FhirAdapterError):
    """The links between patients cannot be right; the message is one sentence without any identifier."""


class Merges:
    """Follows the links of one server's patients."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    async def survivor(self, reference: str, there: JsonObject | None) -> str:
        """The patient that a merged one was replaced by, over any number of merges."""
        seen = {reference}
        while there is not None and len(seen) <= _MOST:
            following = self._linked(there, "replaced-by")
            if not following or following[0] in seen:
                break
            reference = following[0]
            seen.add(reference)
            there = await self._client.read_if_there(reference)
        return reference

    async def merged_into(self, survivor: str) -> tuple[str, ...]:
        """The patient and all that were merged into it, by the links of either side."""
        found = [survivor]
        for reference in found:
            there = await self._client.read_if_there(reference)
            others = self._linked(there or {}, "replaces")
            others += [one async for one in self._replaced_by(reference)]
            found += [other for other in dict.fromkeys(others) if other and other not in found]
            if len(found) > _MOST:
                raise MergesError(f"More than {_MOST} patients are linked as merged, which cannot be.")
        return (survivor, *sorted(found[1:]))

    async def searchable(self) -> bool:
        """Whether the server can be asked who was merged into a patient."""
        if self._client.lacking.has("Patient", "link"):
            return False
        return "link" in (await self._client.capability()).search_params("Patient")

    async def _replaced_by(self, reference: str) -> AsyncIterator[str]:
        """Those that say they were replaced by a patient, where the server can be asked."""
        if not await self.searchable():
            return
        try:
            async for page in searched(self._client, "Patient", [("link", reference), ("_count", "50")]):
                for other in page.resources:
                    if reference in self._linked(other, "replaced-by"):
                        yield reference_of(other)
        except HttpStatusError as error:
            if not error.unsupported:
                raise
            self._client.lacking.add("Patient", "link")

    def _linked(self, patient: JsonObject, kind: str) -> list[str]:
        """`Patient/id` of the links of one type."""
        targets = (
            relative(as_dict(link.get("other")).get("reference"), self._client.base_url)
            for link in dicts(patient.get("link"))
            if link.get("type") == kind
        )
        return [target for target in targets if target.startswith("Patient/")]
