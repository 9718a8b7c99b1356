"""A FHIR client that leaves an AuditEvent on the server for what it reads of patients and what it writes.

Events are gathered and written in the background, many in one transaction, so that a pass goes on meanwhile.
One that cannot be written is counted and never stops what it is about.
"""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict, dicts, reference_of, references, relative
from fhir_adapter.rest.access_events import Event, Interaction, Observer, acting, audit_event
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.rest.transport import RawResponse

# Reads and queries of these are recorded: they hold, or lead to, what a note says of a patient.
_RECORDED = frozenset(
    {"Binary", "Composition", "DiagnosticReport", "DocumentReference", "Encounter", "Patient"}
)
_BOOKKEEPING = ("_id", "identifier")  # how a writer looks for what it wrote itself; also by a text's tag
_WRITTEN = frozenset({"Communication", "Composition", "DocumentReference", "Provenance"})
_NAMING = frozenset({"name", "family", "given", "birthdate", "phonetic"})  # what is asked after a person by
_AT_ONCE = 100  # events in one transaction
_WAITING = 1000  # events from which those who make more wait
_PATIENTS = 10_000  # told apart within one search


@dataclass(frozen=True, slots=True)
class Trail:
    """How many AuditEvents were written, and how many could not be.

    Attributes:
        error: kind of the last failure, such as `HTTP 403`, or "".
    """

    written: int = 0
    failed: int = 0
    error: str = ""


class AuditedClient(FhirClient):
    """As `FhirClient`, with the same arguments and two more.

    Args:
        device: identifier of our Device; `observe` changes it once the pipeline is known.
        report: told the counts when the client closes.
        through: writes the events, where this one acts with a person's own rights, which are to read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        device: str,
        report: Callable[[Trail], None],
        through: FhirClient | None = None,
        **options: Any,
    ) -> None:
        super().__init__(base_url, **options)
        self._device, self._report, self._through = device, report, through
        self._reference = ""
        self._host = socket.gethostname() or "localhost"
        self._waiting: list[Event] = []
        self._flushing: asyncio.Task[None] | None = None
        self._client_ids = True
        self._profiled = True
        self.trail = Trail()

    def observe(self, device: str) -> None:
        """Names the Device that acts from now on, by its identifier."""
        if device != self._device:
            self._device, self._reference = device, ""

    async def aclose(self) -> None:
        """Writes what is left, reports, and closes all connections."""
        try:
            await self.flush()
        finally:
            self._report(self.trail)
            await super().aclose()

    async def flush(self) -> None:
        """Writes every event there is."""
        while self._waiting or self._flushing:
            self._begin(least=1)
            if self._flushing:
                await asyncio.shield(self._flushing)

    async def read(self, reference: str, version: str | None = None) -> JsonObject:
        """As `FhirClient.read`, recorded as a read."""
        resource = await super().read(reference, version)
        if resource.get("resourceType") in _RECORDED:
            what = self._versioned(resource)
            await self._record(Interaction.READ if version is None else Interaction.VREAD, what, resource)
        return resource

    async def look(self, reference: str) -> JsonObject | None:
        """As `FhirClient.look`; not recorded."""
        try:
            return await super().read(reference)
        except HttpStatusError as error:
            if error.status in (400, 404, 410):
                return None
            raise

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], start: str = ""
    ) -> AsyncIterator[SearchPage]:
        """As `FhirClient.search`, recorded as one query for each patient whose resources it gives."""
        recorded = resource_type in _RECORDED and not any(_is_bookkeeping(*param) for param in params)
        kept: list[tuple[str, str | int | float | bool | None]] = [
            (name, "" if name in _NAMING else value) for name, value in params
        ]
        address = str(self.scope.url(resource_type).copy_merge_params(kept))
        what = address.removeprefix(f"{self.base_url}/")
        seen: set[str] = set()
        async for page in super().search(resource_type, params, start):
            if recorded:
                found = {self._patient(resource) for resource in page.resources} or {""}
                for patient in sorted(found - seen):
                    await self._add(Event(Interaction.QUERY, _now(), what, patient))
                seen = found | seen if len(seen) < _PATIENTS else found
            yield page

    async def fetch(self, url: str, *, accept: str, max_bytes: int, unless: str = "") -> RawResponse:
        """As `FhirClient.fetch`, recorded as a read of the Binary, or of what holds the attachment."""
        answer = await super().fetch(url, accept=accept, max_bytes=max_bytes, unless=unless)
        target = self.resolve(url)
        path = str(target).removeprefix(f"{self.base_url}/").partition("?")[0] if target else ""
        parts = path.split("/")
        if len(parts) > 1 and parts[0] in _RECORDED:
            await self._add(Event(Interaction.READ, _now(), "/".join(parts[:2])))
        return answer

    async def transaction(self, bundle: JsonObject, **how: Any) -> JsonObject:
        """As `FhirClient.transaction`, each summary, extracted text and Provenance recorded."""
        answer = await super().transaction(bundle, **how)
        entries = dicts(bundle.get("entry"))
        resources = [as_dict(entry.get("resource")) for entry in entries]
        patients = self._patients(entries)
        outcomes = [as_dict(entry.get("response")) for entry in dicts(answer.get("entry"))]
        for resource, outcome in zip(resources, outcomes, strict=False):
            what = _located(outcome, resource)
            if what and resource.get("resourceType") in _WRITTEN:
                created = str(outcome.get("status", "")).startswith("201")
                whose = self._whose(resource, patients)
                await self._record(
                    Interaction.CREATE if created else Interaction.UPDATE, what, resource, whose
                )
        return answer

    async def update(self, resource: JsonObject, *, if_match: str | None = None) -> JsonObject:
        """As `FhirClient.update`, recorded."""
        answer = await super().update(resource, if_match=if_match)
        if resource.get("resourceType") in _WRITTEN:
            await self._record(
                Interaction.UPDATE, self._versioned(answer) or reference_of(resource), resource
            )
        return answer

    def _patients(self, entries: Sequence[JsonObject]) -> dict[str, str]:
        """Whose each resource of a transaction is, by what others in it may call it."""
        found: dict[str, str] = {}
        for entry in entries:
            resource = as_dict(entry.get("resource"))
            names = (str(entry.get("fullUrl", "")), reference_of(resource))
            found |= {name: patient for name in names if name and (patient := self._patient(resource))}
        return found

    def _whose(self, resource: JsonObject, patients: Mapping[str, str]) -> str:
        """Of a Provenance, which has no subject, that of what it is of and was written with; else ""."""
        if resource.get("resourceType") != "Provenance":
            return ""
        targets = references(resource.get("target"), self.base_url)
        only = set(patients.values())
        found = next((patients[target] for target in targets if target in patients), "")
        return found or (only.pop() if len(only) == 1 else "")

    def _versioned(self, resource: JsonObject) -> str:
        reference, version = reference_of(resource), as_dict(resource.get("meta")).get("versionId")
        return f"{reference}/_history/{version}" if reference and version else reference

    def _patient(self, resource: JsonObject) -> str:
        """`Patient/id` of a resource's subject on this server, or ""."""
        if resource.get("resourceType") == "Patient":
            return reference_of(resource)
        found = relative(as_dict(resource.get("subject")).get("reference"), self.base_url)
        return found if found.startswith("Patient/") and found.count("/") == 1 else ""

    async def _record(
        self, interaction: Interaction, what: str, resource: JsonObject, patient: str = ""
    ) -> None:
        security = tuple(dicts(as_dict(resource.get("meta")).get("security")))
        await self._add(Event(interaction, _now(), what, patient or self._patient(resource), security))

    async def _add(self, event: Event) -> None:
        self._waiting.append(replace(event, person=acting.get()))
        self._begin(least=_AT_ONCE)
        if len(self._waiting) >= _WAITING and self._flushing:
            await asyncio.shield(self._flushing)

    def _begin(self, least: int) -> None:
        if self._flushing is None and len(self._waiting) >= least:
            events, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            self._flushing = asyncio.create_task(self._write(events))

    async def _write(self, events: Sequence[Event]) -> None:
        """Writes events; where the server refuses them together, each for itself."""
        failed = len(events)
        try:
            observer = Observer(self._device, await self._found_device(), self._host, self.base_url)
            resources = [{**audit_event(event, observer), "id": str(uuid.uuid4())} for event in events]
            failed = await self._posted(resources)
        except Exception as error:
            # Whatever it is, it must not end what the events are about; the report says how many are missing.
            self.trail = replace(self.trail, error=type(error).__name__)
        finally:
            written = self.trail.written + len(events) - failed
            self.trail = replace(self.trail, written=written, failed=self.trail.failed + failed)
            self._flushing = None

    async def _found_device(self) -> str:
        if not self._reference:
            reference = f"Device/{self._device}"
            if await (self._through or self).look(reference) is not None:
                self._reference = reference
        return self._reference

    async def _put(self, resources: Sequence[JsonObject]) -> None:
        bundle = self._bundle(resources)
        if self._through is not None:
            await self._through.transaction(bundle)
        else:
            await super().transaction(bundle)

    async def _posted(self, resources: Sequence[JsonObject]) -> int:
        """How many could not be written."""
        try:
            await self._put(resources)
        except HttpStatusError as error:
            if len(resources) == 1 and await self._plainer(resources[0]):
                return 0
            if len(resources) == 1 or error.status in (401, 403):
                self.trail = replace(self.trail, error=f"HTTP {error.status}")
                return len(resources)
            return sum([await self._posted([resource]) for resource in resources])
        return 0

    async def _plainer(self, resource: JsonObject) -> bool:
        """Whether the server takes an event without our id or without its profile; then so do all after it.

        A server that gives out ids refuses the first, one that validates and lacks the profiles the second.
        """
        before = self._client_ids, self._profiled
        for form in ((True, False), (False, True), (False, False)):
            if form == before or form[0] > before[0] or form[1] > before[1]:
                continue  # no plainer than what was refused
            self._client_ids, self._profiled = form
            try:
                await self._put([resource])
            except HttpStatusError:
                continue
            return True
        self._client_ids, self._profiled = before
        return False

    def _bundle(self, resources: Sequence[JsonObject]) -> JsonObject:
        """Puts to ids of ours, so that a repeat after a lost answer leaves one of each."""
        entries = []
        for resource in resources:
            own = {name: value for name, value in resource.items() if self._profiled or name != "meta"}
            if self._client_ids:
                request = {"method": "PUT", "url": f"AuditEvent/{resource['id']}"}
            else:
                own.pop("id")
                request = {"method": "POST", "url": "AuditEvent"}
            entries.append({"fullUrl": f"urn:uuid:{resource['id']}", "resource": own, "request": request})
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _is_bookkeeping(name: str, value: str) -> bool:
    """Whether a parameter of a search says that a writer looks for what it wrote itself."""
    of_a_text = name == "_tag" and all(one.startswith(f"{canonical.TEXTS}|") for one in value.split(","))
    return name in _BOOKKEEPING or of_a_text


def _located(outcome: JsonObject, resource: JsonObject) -> str:
    """`Type/id/_history/n` out of the answer of one entry, else the id that was asked for."""
    kind = resource.get("resourceType")
    _, found, rest = str(outcome.get("location", "")).partition(f"{kind}/")
    return f"{kind}/{rest}" if found else reference_of(resource)
