"""What a reader says of a summary, kept on the FHIR server: that they attest it, or how it served them.

An attestation is the Composition's own: `attester`, and `final` for `preliminary`. From then on it is a
person's, which this software never overwrites (docs/lifecycle.md). What somebody thought of a summary is a
Communication from them to the Device that made it, about the version of the Composition that they read: it
tells nothing of the patient, so it is no Observation, and no other resource of R4 has a sender, a receiver
and what it is about. It holds a code and a name, and no text.
"""

import uuid
from enum import StrEnum

from fhir_adapter import canonical
from fhir_adapter.errors import ConflictError, FhirAdapterError
from fhir_adapter.lenient import JsonObject, as_dict, dicts, has_tag, reference_of, version_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.authorship import named_outside
from fhir_adapter.writing.lifecycle import ended_because

_OPEN = ("preliminary", "final", "amended")


class Served(StrEnum):
    """How a summary served a reader; the value is the code in `CodeSystem/reader-feedback`."""

    USEFUL = "useful"
    MISLEADING = "misleading"
    MISSED = "missed-something"


_WORDS = {
    Served.USEFUL: "Useful",
    Served.MISLEADING: "Misleading",
    Served.MISSED: "Missed something",
}


class ReviewError(FhirAdapterError):
    """The summary is not, or no longer, what the reader saw; the message is one sentence without ids."""


def attested(composition: JsonObject, name: str, when: str) -> JsonObject:
    """The Composition with one attester more.

    Args:
        composition: as it was read.
        name: who attests.
        when: an instant.
    """
    attester = {"mode": "professional", "time": when, "party": {"display": name}}
    kept = dicts(composition.get("attester"))
    status = composition.get("status")
    return {
        **composition,
        "status": "final" if status == "preliminary" else status,
        "attester": [*kept, attester],
    }


def feedback(composition: JsonObject, served: Served, name: str, when: str) -> JsonObject:
    """A Communication about the version of a Composition that was read.

    Its id is made of that version and the reader: who thinks again changes what they said.
    """
    read = f"{reference_of(composition)}/_history/{version_of(composition)}"
    key = uuid.uuid5(uuid.NAMESPACE_URL, f"{canonical.SUMMARY_VERSIONS}/{read}/{name}")
    version = {"system": canonical.SUMMARY_VERSIONS, "value": read}
    said = {"system": canonical.FEEDBACK, "code": served.value, "display": _WORDS[served]}
    labels = [
        label
        for label in dicts(as_dict(composition.get("meta")).get("security"))
        if label.get("system") == canonical.CONFIDENTIALITY
    ]
    tags = (canonical.FEEDBACK_TAG, (canonical.FEEDBACK_ABOUT, str(composition.get("id", ""))))
    made: JsonObject = {
        "resourceType": "Communication",
        "id": str(key),
        "meta": {"tag": [{"system": system, "code": code} for system, code in tags]},
        "status": "completed",
        "category": [{"coding": [said]}],
        "about": [{"reference": reference_of(composition), "identifier": version}],
        "sent": when,
        "sender": {"display": name},
    }
    if labels:
        made["meta"]["security"] = labels
    if subject := as_dict(composition.get("subject")):
        made["subject"] = subject
    if makers := named_outside(composition):
        made["recipient"] = makers
    return made


class Reviews:
    """Keeps what readers say on one server."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    async def attest(self, reference: str, version: str, name: str, when: str) -> None:
        """Attests the version of a summary that somebody read.

        Raises:
            ReviewError: it has another version by now, or is not one that can be attested.
            FhirAdapterError: as the client raises it.
        """
        composition = await self._read(reference, version)
        if composition.get("status") not in _OPEN or ended_because(composition):
            raise ReviewError("This summary has ended and cannot be attested.")
        try:
            await self._client.update(attested(composition, name, when), if_match=version)
        except ConflictError:
            raise ReviewError("Somebody has changed this summary meanwhile.") from None

    async def tell(self, reference: str, version: str, served: Served, name: str, when: str) -> None:
        """Keeps how a summary served its reader; raises as `attest`."""
        composition = await self._read(reference, version)
        await self._client.update(feedback(composition, served, name, when))

    async def _read(self, reference: str, version: str) -> JsonObject:
        composition = await self._client.read(reference)
        if not has_tag(composition, canonical.SUMMARY_TAG):
            raise ReviewError("This is no summary of this software.")
        if version_of(composition) != version:
            raise ReviewError("Somebody has changed this summary meanwhile.")
        return composition
