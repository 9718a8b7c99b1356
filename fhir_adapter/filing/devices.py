"""The Devices of documents: what made the summaries in them, and which of it was recalled.

Such a server has no Device of its own. Each document holds the one that made its summary; a recall is written
into every document that it ends. So who asks what may not write any more is told of those documents, the ones
changed last first.
"""

import time
from collections.abc import Callable, Sequence

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.filing.documents import Documents
from fhir_adapter.filing.envelope import Filed, Parts
from fhir_adapter.filing.terms import TYPED
from fhir_adapter.filing.whose import Whose
from fhir_adapter.lenient import JsonObject, dicts, reference_of
from fhir_adapter.writing.lifecycle import Withdrawal, ended_because
from fhir_adapter.writing.recall import marks_of

_AGAIN = 60.0  # seconds after which recalls are looked for again
_AGAIN_BY_PATIENT = 900.0  # where that takes a search for each patient
_ENDED = [("identifier", f"{canonical.FILED}|"), ("status", "entered-in-error")]
_NEWEST = [("_sort", "-_lastUpdated"), ("_count", "50")]
_TYPED_ENDED = [TYPED, ("status", "entered-in-error")]
_ALL = [("identifier", f"{canonical.FILED}|"), ("_count", "100")]
_TYPED = [TYPED, ("_count", "100")]


class Devices:
    """What is known of them, by `Device/id`."""

    def __init__(
        self, documents: Documents, whose: Whose, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._documents, self._whose, self._clock = documents, whose, clock
        self._again = _AGAIN
        self._own: dict[str, JsonObject] = {}
        self._met: dict[str, JsonObject] = {}
        self._recalled: dict[str, JsonObject] = {}
        self._looked: float | None = None

    def register(self, resource: JsonObject) -> JsonObject:
        """Takes note of a Device, or of a model card, that is written or changed here."""
        name = reference_of(resource)
        self._recalled.pop(name, None)
        self._own[name] = resource
        return resource

    def see(self, parts: Parts) -> None:
        """Takes note of the Devices of a document, and of a recall where that has ended its summary."""
        recalled = ended_because(parts.composition) == Withdrawal.RECALLED
        for one in parts.others:
            if one.get("resourceType") != "Device":
                continue
            name = reference_of(one)
            if recalled and marks_of(one) and not (name in self._own and marks_of(self._own[name])):
                self._recalled[name] = one
            self._met.setdefault(name, _active(one))

    def signed(self, parts: Parts) -> Parts:
        """The parts with the Devices that they name, as these stand now."""
        named = {a.get("reference") for a in dicts(parts.composition.get("author"))}
        for section in dicts(parts.composition.get("section")):
            named |= {a.get("reference") for a in dicts(section.get("author"))}
        known = [device for name in sorted(map(str, named)) if (device := self._known(name))]
        kept = {str(name) for name in named}
        others = tuple(
            one for one in parts.others if one.get("resourceType") != "Device" or reference_of(one) in kept
        )
        return Parts(parts.composition, others).with_resources(known)

    def _known(self, name: str) -> JsonObject | None:
        return self._recalled.get(name) or self._own.get(name) or self._met.get(name)

    async def read(self, name: str) -> JsonObject | None:
        """A Device; None where no document holds it."""
        if self._known(name) is None and name.startswith("Device/"):
            for filed in (await self._documents.current([name])).values():
                self.see(filed.parts)
        return self._known(name)

    async def known(self) -> list[JsonObject]:
        """Those met so far, with what was recalled since the last look."""
        if self._looked is None or self._clock() - self._looked > self._again:
            self._looked = self._clock()
            await self._look()
        names = {*self._own, *self._met, *self._recalled}
        found = [self._known(name) for name in sorted(names) if name.startswith("Device/")]
        return [one for one in found if one]

    async def _look(self) -> None:
        """The newest of what was ended: a recall changes all that its Device made."""
        try:
            async for _, found in self._documents.pages([[*_ENDED, *_NEWEST], _ENDED, _ALL, _TYPED]):
                await self._see_current(found)
                return
        except HttpStatusError as error:
            if not error.unsupported:
                raise
        self._again = _AGAIN_BY_PATIENT
        ways = [[*_TYPED_ENDED, *_NEWEST], _TYPED_ENDED, _TYPED]
        async for found in self._documents.newest_of(ways, await self._whose.named()):
            await self._see_current(found)

    async def survey(self) -> None:
        """All of them, by a walk over all documents."""
        try:
            async for _, found in self._documents.pages([_ALL, _TYPED]):
                await self._see_current(found)
        except HttpStatusError as error:
            patients = await self._whose.everyone()
            if not error.asks_otherwise or not patients:
                raise
            async for found in self._documents.newest_of([_TYPED, []], patients):
                await self._see_current(found)

    async def _see_current(self, found: Sequence[Filed]) -> None:
        """Takes note of what is in force of these: an end that was taken back is no recall any more."""
        current = await self._documents.current([one.stored.name for one in found])
        for one in current.values():
            self.see(one.parts)


def _active(device: JsonObject) -> JsonObject:
    """As it was before a recall: that counts where its summary is ended by it."""
    others = [e for e in dicts(device.get("extension")) if e not in marks_of(device)]
    return {**device, "status": "active", "extension": others} if marks_of(device) else device
