"""Registers the author of what is written, once, and names it in what is written."""

from collections.abc import Sequence

from fhir_adapter.errors import ConflictError, HttpStatusError, PolicyError, RefusedError, UnconfirmedError
from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing import recall
from fhir_adapter.writing.authorship import AuthorForm, author, holding_authors
from fhir_adapter.writing.bundles import creation, registration
from fhir_adapter.writing.confirmed import post
from fhir_adapter.writing.pipeline import Pipeline, model_card, model_card_markdown

_NO_CLIENT_IDS = (400, 404, 405, 409, 412, 422)  # how servers answer a PUT to an id that they do not know
_BY_PATIENT = "HAPI-1326"  # of a server that keeps a partition for each patient: the resource names none
_WHAT = {
    False: "the Device and the model card, which name the author of every summary",
    True: "the DeviceDefinition, which tells what made every summary",
}


class Registrar:
    """The author of one pipeline on one server.

    Args:
        client: the server.
        pipeline: the author.
        form: how it is named; `auto` finds out when it is registered.

    Attributes:
        contained: each summary contains its Device, as far as that is known.
    """

    def __init__(self, client: FhirClient, pipeline: Pipeline, form: AuthorForm = "auto") -> None:
        self._client, self._pipeline, self._form = client, pipeline, form
        self.contained = form == "contained"
        self._shared: dict[str, JsonObject] = {}

    async def check(self) -> list[recall.Author]:
        """The authors that the server knows.

        Raises:
            RecalledError: this pipeline version, or its model, must not write any more.
        """
        return await self._known(("Device", "DeviceDefinition") if self.contained else ("Device",))

    async def _known(self, kinds: Sequence[str]) -> list[recall.Author]:
        found = await recall.authors(self._client, kinds)
        self._shared |= {one.name: one.resource for one in found if one.contained}
        recall.check(found, self._pipeline)
        return found

    def signed(self, resources: Sequence[JsonObject], patient: object) -> list[JsonObject]:
        """What is to be written, with its authors named as this server takes it.

        Args:
            resources: that name each Device as one on the server.
            patient: a Reference to whom they are about.
        """
        return holding_authors(resources, self._shared, patient) if self.contained else list(resources)

    async def register(self) -> bool:
        """Makes sure that the author is there; writes nothing where it is.

        This also finds out whether the server takes ids from clients: HAPI does without stating
        `updateCreate`, so a server that does not state it is asked by trying; and whether it takes a Device
        at all, or keeps a partition for each patient.

        Returns:
            Whether it takes ids.

        Raises:
            RecalledError: as `check` does.
            PolicyError: the server takes ids from clients, and refuses these resources (a label, a scope, a
                validator), so that it would refuse every summary too.
            HttpStatusError: it does not let us write at all, or failed.
        """
        named = await self._named()
        own = next((one for one in named if one.id == self._pipeline.device_id), None)
        if own and await self._in_order(own):
            return True  # written once, not by every pass
        if named and not own:
            return False  # the server has given it an id of its own
        return await self._written(own.version if own else "")

    async def _named(self) -> list[recall.Author]:
        """What there is of this author, in the form that it has here."""
        name, kinds = self._pipeline.device_id, ("DeviceDefinition",)
        found = [one for one in await self.check() if one.name == name]
        if not found and self._form == "auto" and not self.contained:
            found = [one for one in await self._known(kinds) if one.name == name]
            self.contained = bool(found)
        return [one for one in found if one.contained == self.contained]

    async def _written(self, known: str) -> bool:
        kind = "DeviceDefinition" if self.contained else "Device"
        reference = f"{kind}/{self._pipeline.device_id}"
        stated = (await self._client.capability()).update_create(kind)
        bundle = registration(self._pipeline, known, contained=self.contained)
        try:
            written = await post(self._client, bundle, once=bool(known))
        except UnconfirmedError:
            return self._holds(await self._client.read_if_there(reference) is not None)
        except HttpStatusError as error:
            if known and isinstance(error, ConflictError):  # another worker registered, or a recall came
                await self.check()
                return True
            if isinstance(error, RefusedError) or error.passing:
                raise
            if self._takes_no_device(error):
                return await self.register()
            if stated or known or error.status not in _NO_CLIENT_IDS or not await self._ids_refused():
                raise PolicyError(_WHAT[self.contained], error) from None
            return await self._create()
        return self._holds(reference in written)

    def _takes_no_device(self, error: HttpStatusError) -> bool:
        """Whether the server refuses a Device for its partitions, and each summary is to contain its own."""
        found = self._form == "auto" and not self.contained and _BY_PATIENT in error.codes
        self.contained = self.contained or found
        return found

    def _holds(self, client_ids: bool) -> bool:
        """Takes down what was just written; under an id of the server's it is found by the next search."""
        if self.contained:
            (shared,) = author(self._pipeline, contained=True)
            self._shared.setdefault(self._pipeline.device_id, shared)
        return client_ids

    async def _create(self) -> bool:
        """The author under ids of the server's choice; a refusal of that is none of ids.

        Returns as `register`.

        Raises:
            PolicyError: the server refuses these resources however they are written.
        """
        try:
            await post(self._client, creation(self._pipeline, contained=self.contained), once=True)
        except UnconfirmedError:
            pass  # each summary brings the author along, if need be
        except HttpStatusError as error:
            passes = isinstance(error, (ConflictError, RefusedError)) or error.status >= 500
            if passes or error.status == 429:
                raise
            if self._takes_no_device(error):
                return await self.register()
            raise PolicyError(_WHAT[self.contained], error) from None
        return self._holds(False)

    async def _in_order(self, own: recall.Author) -> bool:
        """Whether it says what it should, and so does its model card."""
        wanted = author(self._pipeline, contained=own.contained)
        return _same(own.resource, wanted[-1]) and (own.contained or await self._has_card(own))

    async def _has_card(self, own: recall.Author) -> bool:
        """Whether the model card that the Device refers to is there and says what it should."""
        wanted = model_card(self._pipeline, model_card_markdown(self._pipeline))
        for extension in dicts(own.resource.get("extension")):
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
        words = "Trial of an id by clinsum; it may be deleted"
        kind = "DeviceDefinition" if self.contained else "Device"
        probe = {
            "resourceType": kind,
            "id": f"{self._pipeline.device_id}-probe",
            "deviceName": [{"name": words, "type": "other"}],
        }
        try:
            await self._client.update(probe)
        except HttpStatusError:
            return True
        try:
            await self._client.delete(f"{kind}/{probe['id']}")
        except HttpStatusError:
            return False
        return False


def _same(one: JsonObject, other: JsonObject) -> bool:
    """Two Devices say the same, whatever the server adds to them; their cards are looked at apart."""
    apart = ("meta", "text", "extension")
    return all(one.get(name) == value for name, value in other.items() if name not in apart)
