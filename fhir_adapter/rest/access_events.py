"""What this software did on a FHIR server, as AuditEvents after IHE's Basic Audit Log Patterns (BALP).

The profiles are Read, Query, Create and Update and their forms with a Patient
(https://profiles.ihe.net/ITI/BALP). They record what succeeded; ids, never a name or the text of a note. In
a query, a create and an update the client is the source of what is sent, in a read its destination.
"""

import base64
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

from fhir_adapter import canonical
from fhir_adapter.elements import labels
from fhir_adapter.lenient import JsonObject

_PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_EVENT_TYPE = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "Restful Operation",
}
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_SOURCE = {"system": _DICOM, "code": "110153", "display": "Source Role ID"}
_DESTINATION = {"system": _DICOM, "code": "110152", "display": "Destination Role ID"}
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
_MACHINE_NAME, _URI = "1", "5"  # codes of http://hl7.org/fhir/network-type
_PERSON = {"system": _ENTITY_TYPE, "code": "1", "display": "Person"}
_OBJECT = {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"}
_READER = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "code": "IRCP",
    "display": "information recipient",
}

acting: ContextVar[str] = ContextVar("acting", default="")
"""For whom this software acts in what follows, by name; "" for nobody but itself."""


class Interaction(Enum):
    """What was done: name of the BALP profile, code of the interaction, and action of the AuditEvent."""

    READ = ("Read", "read", "R")
    VREAD = ("Read", "vread", "R")
    QUERY = ("Query", "search", "E")
    CREATE = ("Create", "create", "C")
    UPDATE = ("Update", "update", "U")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done.

    Attributes:
        recorded: instant, UTC.
        what: `Type/id` with or without version; for a query, its address relative to the base.
        patient: `Patient/id` on the same server, or "".
        security: labels of what was read or written, as found.
        person: for whom it was done, by name, or "".
    """

    interaction: Interaction
    recorded: str
    what: str
    patient: str = ""
    security: tuple[JsonObject, ...] = ()
    person: str = ""


@dataclass(frozen=True, slots=True)
class Observer:
    """Who did it and wrote it down.

    Attributes:
        device: identifier of our Device.
        reference: `Device/id`, where it is known to be on the server.
        host: name of the machine.
        base_url: of the server.
    """

    device: str
    reference: str
    host: str
    base_url: str

    @property
    def who(self) -> JsonObject:
        """Our Device; a logical reference where the server does not have it."""
        identifier = {"system": canonical.DEVICES, "value": self.device}
        found: JsonObject = {"type": "Device", "identifier": identifier, "display": "Clinical AI Summarizer"}
        return {"reference": self.reference, **found} if self.reference else found


def audit_event(event: Event, observer: Observer) -> JsonObject:
    """The AuditEvent, without an id."""
    profile, interaction, action = event.interaction.value
    name = f"Patient{profile}" if event.patient else profile
    reading = event.interaction in (Interaction.READ, Interaction.VREAD)
    client, server = (_DESTINATION, _SOURCE) if reading else (_SOURCE, _DESTINATION)
    entities = [_queried(event) if event.interaction is Interaction.QUERY else _object(event)]
    if event.patient:
        role = {"system": _ROLE, "code": "1", "display": "Patient"}
        entities.append({"what": {"reference": event.patient}, "type": _PERSON, "role": role})
    return {
        "resourceType": "AuditEvent",
        "meta": {"profile": [f"{_PROFILES}{name}"]},
        "type": _EVENT_TYPE,
        "subtype": [{"system": _INTERACTION, "code": interaction, "display": interaction}],
        "action": action,
        "recorded": event.recorded,
        "outcome": "0",
        "agent": [
            {
                "type": {"coding": [client]},
                "who": observer.who,
                "requestor": not event.person,
                "network": {"address": observer.host, "type": _MACHINE_NAME},
            },
            {
                "type": {"coding": [server]},
                "who": {"identifier": {"system": canonical.URI, "value": observer.base_url}},
                "requestor": False,
                "network": {"address": observer.base_url, "type": _URI},
            },
            *_reader(event),
        ],
        "source": {
            "observer": observer.who,
            "type": [{"system": _SOURCE_TYPE, "code": "4", "display": "Application Server"}],
        },
        "entity": entities,
    }


def _reader(event: Event) -> list[JsonObject]:
    """The person who asked, who is then the one initiator (R4, AuditEvent.agent.requestor)."""
    if not event.person:
        return []
    who = {"type": {"coding": [_READER]}, "who": {"display": event.person}, "name": event.person}
    return [{**who, "requestor": True}]


def _object(event: Event) -> JsonObject:
    role = {"system": _ROLE, "code": "4", "display": "Domain Resource"}
    entity: JsonObject = {"what": {"reference": event.what}, "type": _OBJECT, "role": role}
    security = labels(event.security)
    return {**entity, "securityLabel": security} if security else entity


def _queried(event: Event) -> JsonObject:
    role = {"system": _ROLE, "code": "24", "display": "Query"}
    query = base64.b64encode(event.what.encode("utf-8", "replace")).decode("ascii")
    return {"type": _OBJECT, "role": role, "query": query}
