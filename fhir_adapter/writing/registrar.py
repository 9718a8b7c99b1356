"""Registers the author of what is written: the pipeline's Device with its model card."""

from fhir_adapter.errors import ConflictError, HttpStatusError, UnconfirmedError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing import recall
from fhir_adapter.writing.bundles import registration
from fhir_adapter.writing.confirmed import post
from fhir_adapter.writing.pipeline import Pipeline, device

_NO_CLIENT_IDS = (400, 404, 405, 409, 412, 422)  # how servers answer a PUT to an id that they do not know


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
        """Makes sure that the Device and its model card are there.

        This also finds out whether the server takes ids from clients: HAPI does without stating
        `updateCreate`, so a server that does not state it is asked by trying.

        Returns:
            Whether it takes them.

        Raises:
            RecalledError: as `check` does.
            HttpStatusError: the server states `updateCreate` and refuses, or does not let us write at all.
        """
        stated = (await self._client.capability()).update_create("Device")
        wanted = device(self._pipeline)
        named = [one for one in await self.check() if one.name == self._pipeline.device_id]
        own = next((one for one in named if one.id == self._pipeline.device_id), None)
        if own and _same(own.resource, wanted):
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
            if stated or error.status not in _NO_CLIENT_IDS:
                raise
            return False
        return f"Device/{self._pipeline.device_id}" in written


def _same(one: JsonObject, other: JsonObject) -> bool:
    """Two Devices say the same, whatever the server adds to them."""
    return all(one.get(name) == value for name, value in other.items() if name not in ("meta", "text"))
