"""Subscriptions (R4, rest-hook) by which a server says that something has changed, without saying what.

They carry no payload, so that nothing of a patient leaves the server by them. A server may lose or delay what
it sends: it is a wake-up and no more.
"""

import hashlib
from collections.abc import Sequence

from fhir_adapter.lenient import JsonObject, as_dict, as_list
from fhir_adapter.rest.client import FhirClient

_WORKS = ("active", "requested")


class WakeUps:
    """The Subscriptions of one process, one for each type of resource.

    Args:
        client: the server.
        resource_types: whose changes are to be told.
        endpoint: address that the server calls.
        secret: what the server shows there as bearer token.
    """

    def __init__(self, client: FhirClient, resource_types: Sequence[str], endpoint: str, secret: str) -> None:
        self._client, self._types = client, tuple(resource_types)
        self._endpoint, self._header = endpoint, f"Authorization: Bearer {secret}"

    async def keep(self) -> int:
        """Makes those that are not there, or do not work any more; returns how many it made.

        Raises:
            FhirAdapterError: the server does not take them.
        """
        made = 0
        for resource_type in self._types:
            there = await self._client.read_if_there(f"Subscription/{self._id(resource_type)}")
            if there is None or not self._works(there):
                await self._client.update(self._resource(resource_type, "requested"))
                made += 1
        return made

    async def end(self) -> None:
        """Switches them off: nobody is there to be woken. Raises FhirAdapterError as `keep`."""
        for resource_type in self._types:
            await self._client.update(self._resource(resource_type, "off"))

    def _id(self, resource_type: str) -> str:
        digest = hashlib.sha256(self._endpoint.encode()).hexdigest()[:16]
        return f"clinsum-wake-{resource_type.lower()}-{digest}"

    def _resource(self, resource_type: str, status: str) -> JsonObject:
        return {
            "resourceType": "Subscription",
            "id": self._id(resource_type),
            "status": status,
            "reason": "Wakes the Clinical AI Summarizer when a note may have changed.",
            "criteria": f"{resource_type}?",
            "channel": {"type": "rest-hook", "endpoint": self._endpoint, "header": [self._header]},
        }

    def _works(self, there: JsonObject) -> bool:
        """Whether it is one of this process; a server may keep the header to itself."""
        channel = as_dict(there.get("channel"))
        header = as_list(channel.get("header"))
        same = channel.get("endpoint") == self._endpoint and (not header or self._header in header)
        return same and there.get("status") in _WORKS
