"""Writes summaries to the server, each once; an unchanged one is not written again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.client import FhirClient
from fhir_adapter.composition import Written, summary_identifier
from fhir_adapter.errors import HttpStatusError, NoteError
from fhir_adapter.note import SourceNote
from fhir_adapter.pipeline import Pipeline
from fhir_adapter.reasons import Reason
from fhir_adapter.transaction import conditional_transaction, registration, transaction

JsonObject = dict[str, Any]

_NO_CLIENT_IDS = (400, 404, 405, 409, 412, 422)  # how servers answer a PUT to an id that they do not know
_LOOKUP = 25  # ids in one search: keeps the URL under 2 kB


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a Composition says it was made from; two with the same stamp hold the same sentences."""

    version_id: str
    sha256: str
    normalization: str
    pipeline: str


@dataclass(frozen=True, slots=True)
class Existing:
    """A Composition found on the server; `attested` where a person has taken it over."""

    id: str
    stamp: Stamp
    attested: bool = False


class Writer:
    """Writes to one server under one pipeline.

    Args:
        client: the server.
        pipeline: the author of what is written.
    """

    def __init__(self, client: FhirClient, pipeline: Pipeline) -> None:
        self._client = client
        self._pipeline = pipeline
        self._client_ids = True

    async def register(self) -> None:
        """Makes sure that the Device and its model card are there; call once before the first write.

        This also finds out whether the server takes ids from clients: HAPI does without stating
        `updateCreate`, so a server that does not state it is asked by trying.

        Raises:
            HttpStatusError: the server states `updateCreate` and refuses, or does not let us write at all.
        """
        capability = await self._client.capability()
        try:
            await self._client.transaction(registration(self._pipeline))
        except HttpStatusError as error:
            if capability.update_create("Device") or error.status not in _NO_CLIENT_IDS:
                raise
            self._client_ids = False

    async def existing(self, batch: Sequence[Written]) -> dict[str, Existing]:
        """Finds the Compositions of a batch that are on the server, by identifier.

        Returns:
            The found ones, keyed by `Written.identifier`.
        """
        found: dict[str, Existing] = {}
        for start in range(0, len(batch), _LOOKUP):
            part = batch[start : start + _LOOKUP]
            async for page in self._client.search("Composition", self._query(part)):
                for resource in page.resources:
                    identifier = resource.get("identifier")
                    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
                        found[identifier["value"]] = Existing(
                            str(resource.get("id")), stamp_of(resource), is_attested(resource)
                        )
        return found

    def _query(self, part: Sequence[Written]) -> list[tuple[str, str]]:
        if self._client_ids:
            wanted = ("_id", ",".join(written.composition_id for written in part))
        else:
            values = (f"{canonical.SUMMARIES}|{written.identifier}" for written in part)
            wanted = ("identifier", ",".join(values))
        return [wanted, ("_count", str(_LOOKUP))]

    async def retract(self, note: SourceNote) -> str:
        """Marks the summary of a source that was entered in error as entered in error too.

        One that a person has attested or made final is theirs and stays as it is.

        Returns:
            The Composition's id, or "" where there was nothing to mark.

        Raises:
            NoteError: as `write`.
            ServerUnreachableError: no answer after all retries.
        """
        wanted = f"{canonical.SUMMARIES}|{summary_identifier(note, self._pipeline)}"
        async for page in self._client.search("Composition", [("identifier", wanted)]):
            for resource in page.resources:
                if is_attested(resource) or resource.get("status") == "entered-in-error":
                    continue
                version = (resource.get("meta") or {}).get("versionId")
                try:
                    await self._client.update({**resource, "status": "entered-in-error"}, if_match=version)
                except HttpStatusError as error:
                    raise _note_error(error) from None
                return str(resource["id"])
        return ""

    async def write(self, written: Written, existing: Existing | None) -> tuple[str, bool]:
        """Writes one summary unless the server holds just that.

        Returns:
            The Composition's id, and False where nothing had to be written.

        Raises:
            NoteError: `attested`, `rejected-by-server` or `server-error`, with the status and issue codes.
            ServerUnreachableError: no answer after all retries.
        """
        if existing and existing.stamp == stamp_for(written):
            return existing.id, False
        if existing and existing.attested:
            raise NoteError(Reason.ATTESTED)
        if self._client_ids:
            bundle = transaction(written)
        else:
            bundle = conditional_transaction(written, exists=existing is not None)
        try:
            answer = await self._client.transaction(bundle)
        except HttpStatusError as error:
            raise _note_error(error) from None
        return (written.composition_id if self._client_ids else _assigned_id(answer)), True


def _note_error(error: HttpStatusError) -> NoteError:
    refused = 400 <= error.status < 500 and error.status not in (408, 409, 412, 429)
    reason = Reason.REJECTED_BY_SERVER if refused else Reason.SERVER_ERROR
    return NoteError(reason, f"HTTP {error.status} {' '.join(error.codes)}".strip())


def is_attested(composition: JsonObject) -> bool:
    """Whether a person has taken the Composition over: attested it, or moved it on from `preliminary`.

    What we withdrew ourselves is still ours.
    """
    ours = composition.get("status") in ("preliminary", "entered-in-error")
    return bool(composition.get("attester")) or not ours


def stamp_for(written: Written) -> Stamp:
    """The stamp that a Composition of this summary carries."""
    text = written.reading.text
    return Stamp(written.reading.note.version_id, text.sha256, text.normalization, written.pipeline.device_id)


def stamp_of(composition: JsonObject) -> Stamp:
    """Reads the stamp off a Composition; parts that are absent or odd read as ""."""
    parts: dict[str, str] = {}
    for extension in composition.get("extension") or ():
        if isinstance(extension, dict) and extension.get("url") == canonical.SOURCE_TEXT:
            for part in extension.get("extension") or ():
                if isinstance(part, dict):
                    parts[str(part.get("url"))] = str(part.get("valueString") or part.get("valueUri") or "")
    return Stamp(
        parts.get("versionId", ""),
        parts.get("sha256", ""),
        parts.get("normalization", ""),
        parts.get("pipeline", ""),
    )


def _assigned_id(answer: JsonObject) -> str:
    for entry in answer.get("entry") or ():
        location = str((entry.get("response") or {}).get("location", ""))
        if "Composition/" in location:
            return location.split("Composition/")[1].split("/")[0]
    raise NoteError(Reason.SERVER_ERROR, "the answer names no Composition")
