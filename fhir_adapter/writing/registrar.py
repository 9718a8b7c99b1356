"""Registers the author of what is written: the pipeline's Device with its model card, once."""

from collections.abc import Sequence

from fhir_adapter.errors import ConflictError, HttpStatusError, PolicyError, RefusedError
from fhir_adapter.lenient import as_dict, dicts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing import recall
from fhir_adapter.writing.bundles import registration
from fhir_adapter.writing.pipeline import Pipeline, model_card, model_card_markdown

_NO_CLIENT_IDS = (400, 404, 405, 409, 412, 422)  # how servers answer a PUT to an id that they do not know
_WHAT = "the Device and the model card, which name the author of every summary"


class Registrar:
    """The author of one pipeline on one server."""

    def __init__(self, client: FhirClient, pipeline: Pipeline) -> None:
        self._client, self._pipeline = client, pipeline

    async def check(self) -> list[recall.Author]:
        """The authors that the server knows.

        Raises:
            RecalledError: this pipeline version, or its model, must not write any more.
        """
        found = await recall.authors(self._client)
        recall.check(found, self._pipeline)
        return found

    async def register(self) -> bool:
        """Makes sure that the Device and its model card are there; writes nothing where they are.

        This also finds out whether the server takes ids from clients: HAPI does without stating
        `updateCreate`, so a server that does not state it is asked by trying.

        Returns:
            Whether it takes them.

        Raises:
            RecalledError: as `check` does.
            PolicyError: the server takes ids from clients, and refuses these resources (a label, a scope, a
                partition, a validator), so that it would refuse every summary too.
            HttpStatusError: it does not let us write at all, or failed.
        """
        capability = await self._client.capability()
        stated = capability.update_create("Device")
        authors = [a for a in await self.check() if a.name == self._pipeline.device_id]
        known = next((a for a in authors if a.id == self._pipeline.device_id), None)
        if authors and await self._complete(authors):
            return known is not None
        try:
            bundle = registration(self._pipeline, known.version if known else "")
            await self._client.transaction(bundle, once=bool(known))
        except HttpStatusError as error:
            if known and isinstance(error, ConflictError):  # another worker registered, or a recall came
                await self.check()
                return True
            if isinstance(error, RefusedError) or error.status >= 500 or error.status == 429:
                raise
            if stated or known or error.status not in _NO_CLIENT_IDS or not await self._ids_refused():
                raise PolicyError(_WHAT, error) from None
            return False
        return True

    async def _complete(self, authors: Sequence[recall.Author]) -> bool:
        """Whether a Device of ours is active and refers to a model card that says what it should."""
        for author in authors:
            active = author.resource.get("status") == "active"
            if active and author.pipeline == self._pipeline.version and await self._card(author):
                return True
        return False

    async def _card(self, author: recall.Author) -> bool:
        wanted = model_card(self._pipeline, model_card_markdown(self._pipeline))
        for extension in dicts(author.resource.get("extension")):
            reference = as_dict(extension.get("valueReference")).get("reference")
            if isinstance(reference, str):
                there = await self._client.read_if_there(reference)
                return there is not None and there.get("content") == wanted["content"]
        return False

    async def _ids_refused(self) -> bool:
        """Whether it is the ids that the server refuses: a Device that says nothing is put under one.

        A refusal of the Device or of the card for what they say is no sign of that; taking it for one was
        seen to leave two current summaries under one identifier.
        """
        probe = {
            "resourceType": "Device",
            "id": f"{self._pipeline.device_id}-probe",
            "deviceName": [{"name": "Trial of an id by clinsum; it may be deleted", "type": "other"}],
        }
        try:
            await self._client.update(probe)
        except HttpStatusError:
            return True
        try:
            await self._client.delete(f"Device/{probe['id']}")
        except HttpStatusError:
            return False
        return False
