"""Registers the author of what is written: the pipeline's Device with its model card, once."""

from fhir_adapter.errors import ConflictError, HttpStatusError, PolicyError, RefusedError, UnconfirmedError
from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing import recall
from fhir_adapter.writing.bundles import creation, registration
from fhir_adapter.writing.confirmed import post
from fhir_adapter.writing.pipeline import Pipeline, device, model_card, model_card_markdown

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
        stated = (await self._client.capability()).update_create("Device")
        wanted = device(self._pipeline)
        named = [one for one in await self.check() if one.name == self._pipeline.device_id]
        own = next((one for one in named if one.id == self._pipeline.device_id), None)
        if own and _same(own.resource, wanted) and await self._has_card(own):
            return True  # written once, not by every pass
        if named and not own:
            return False  # the server has given it an id of its own
        known = own.version if own else ""
        try:
            written = await post(self._client, registration(self._pipeline, known), once=bool(known))
        except UnconfirmedError:
            return await self._client.read_if_there(f"Device/{self._pipeline.device_id}") is not None
        except HttpStatusError as error:
            if known and isinstance(error, ConflictError):  # another worker registered, or a recall came
                await self.check()
                return True
            if isinstance(error, RefusedError) or error.status >= 500 or error.status == 429:
                raise
            if stated or known or error.status not in _NO_CLIENT_IDS or not await self._ids_refused():
                raise PolicyError(_WHAT, error) from None
            await self._create()
            return False
        return f"Device/{self._pipeline.device_id}" in written

    async def _create(self) -> None:
        """The author under ids of the server's choice; a refusal of that is none of ids.

        Raises:
            PolicyError: the server refuses these resources however they are written.
        """
        try:
            await post(self._client, creation(self._pipeline), once=True)
        except UnconfirmedError:
            return  # each summary brings the author along, if need be
        except HttpStatusError as error:
            passes = isinstance(error, (ConflictError, RefusedError)) or error.status >= 500
            if passes or error.status == 429:
                raise
            raise PolicyError(_WHAT, error) from None

    async def _has_card(self, author: recall.Author) -> bool:
        """Whether the model card that the Device refers to is there and says what it should."""
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


def _same(one: JsonObject, other: JsonObject) -> bool:
    """Two Devices say the same, whatever the server adds to them; their cards are looked at apart."""
    apart = ("meta", "text", "extension")
    return all(one.get(name) == value for name, value in other.items() if name not in apart)
