"""Create, read, update and delete (hl7.org/fhir/R4/http.html), each inside a session of the caller."""

import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fhir_adapter.lenient import as_dict, as_list
from fhir_adapter.sandbox.embedded.jsontext import Json
from fhir_adapter.sandbox.embedded.narrative import check_narratives
from fhir_adapter.sandbox.embedded.outcome import (
    RequestRefusedError,
    gone,
    invalid,
    not_found,
    precondition_failed,
)
from fhir_adapter.sandbox.embedded.parameters import RESOURCE_TYPES
from fhir_adapter.sandbox.embedded.references import strip_versions
from fhir_adapter.sandbox.embedded.search import Pairs, Searcher
from fhir_adapter.sandbox.embedded.session import Session, Version, keep_labels, same_content
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write did: HTTP status 200 or 201 (204 for a deletion) and the version that now stands."""

    status: int
    version: Version | None


def check_type(resource_type: str) -> None:
    """Raises 404 for what is no resource type of R4."""
    if resource_type not in RESOURCE_TYPES:
        raise not_found("This is not a resource type of FHIR R4.")


def check_id(id_: str) -> None:
    """Raises 400 for what cannot be an id."""
    if not _ID.fullmatch(id_):
        raise invalid("An id has 1 to 64 letters, digits, hyphens and full stops.")


def check_resource(resource: Json, resource_type: str) -> None:
    """Raises 400 for a resource of another type, or with parts that the server itself must understand.

    Everything else is stored as it came.
    """
    given = resource.get("resourceType")
    if not isinstance(given, str):
        raise invalid("The resource has no resourceType.")
    if given != resource_type:
        raise invalid(f"The resource is not a {resource_type}, as its address says.")
    if not isinstance(resource.get("meta", {}), dict):
        raise invalid("The resource's meta is not an object.")


def criteria_pairs(criteria: str) -> Pairs:
    """The parameters of `If-None-Exist`, `ifNoneExist` or a conditional URL, with or without `Type?`."""
    return parse_qsl(criteria.rpartition("?")[2], keep_blank_values=True)


class Interactions:
    """The single-resource interactions, by the settings. A resource that is handed in may be changed."""

    def __init__(self, settings: SandboxSettings, searcher: Searcher) -> None:
        self._settings = settings
        self._searcher = searcher

    @property
    def gives_own_ids(self) -> bool:
        """An id that a client asks for is not given."""
        return Quirk.OWN_IDS in self._settings.quirks

    def read(self, session: Session, resource_type: str, id_: str) -> Version:
        """The current version.

        Raises:
            RequestRefusedError: 404 never there, 410 deleted.
        """
        check_type(resource_type)
        current = session.current(resource_type, id_)
        if current is None:
            raise not_found(f"There is no such {resource_type}.")
        if current.body is None:
            raise gone(f"This {resource_type} was deleted.")
        return current

    def vread(self, session: Session, resource_type: str, id_: str, version: str) -> Version:
        """One version.

        Raises:
            RequestRefusedError: 404 never there, 410 the version is a deletion.
        """
        check_type(resource_type)
        plain = version.isascii() and version.isdigit() and len(version) < 10
        found = session.version(resource_type, id_, int(version)) if plain else None
        if found is None:
            raise not_found(f"There is no such version of this {resource_type}.")
        if found.body is None:
            raise gone("This version is a deletion.")
        return found

    def match(self, session: Session, resource_type: str, pairs: Pairs) -> Version | None:
        """The one match of criteria, or None.

        Raises:
            RequestRefusedError: 412, several match; 400, the criteria cannot be read.
        """
        matches = self._searcher.matches(session, resource_type, pairs)
        if len(matches) > 1:
            raise precondition_failed(f"More than one {resource_type} matches the criteria.")
        return matches[0] if matches else None

    def create(
        self, session: Session, resource_type: str, resource: Json, if_none_exist: str | None = None
    ) -> WriteResult:
        """Creates under an id of the server's choice, unless the criteria match something already there."""
        check_type(resource_type)
        check_resource(resource, resource_type)
        if if_none_exist is not None and Quirk.IGNORE_CONDITIONS not in self._settings.quirks:
            existing = self.match(session, resource_type, criteria_pairs(if_none_exist))
            if existing is not None:
                return WriteResult(200, existing)
        return self.write_new(session, resource_type, new_id(), resource, "POST")

    def update(
        self, session: Session, resource_type: str, id_: str, resource: Json, if_match: str | None = None
    ) -> WriteResult:
        """Updates, or creates under the client's id where the settings allow it.

        Unchanged content makes no new version. Tags and security labels add up, as on HAPI: those of the
        version before stay.

        Raises:
            RequestRefusedError: 400 the id is bad or not the one in the body, 405 such a resource must
                be created first, 412 `If-Match` names another version.
        """
        check_type(resource_type)
        check_id(id_)
        check_resource(resource, resource_type)
        if resource.get("id") is None:
            raise invalid("The body of an update must contain the id that stands in its address.")
        if resource["id"] != id_:
            raise invalid("The id in the body is not the one in the address.")
        current = session.current(resource_type, id_)
        check_if_match(current, if_match)
        if current is None and self.gives_own_ids:
            return self.write_new(session, resource_type, new_id(), resource, "POST")
        self._check_filed(current)
        gives_ids = Quirk.DOCUMENTS_ONLY in self._settings.quirks or not self._settings.update_create
        if current is None and gives_ids:
            raise RequestRefusedError(
                405, "not-supported", "This server assigns the ids itself: create the resource with a POST."
            )
        if current is None or current.body is None:
            return self.write_new(session, resource_type, id_, resource, "PUT")
        self._prepare(resource)
        keep_labels(resource, current.body)
        if same_content(resource, current.body) and Quirk.NO_OP_VERSIONS not in self._settings.quirks:
            return WriteResult(200, current)
        return WriteResult(200, session.put(resource_type, id_, resource, "PUT"))

    def update_conditional(
        self,
        session: Session,
        resource_type: str,
        pairs: Pairs,
        resource: Json,
        if_match: str | None = None,
    ) -> WriteResult:
        """Updates the one match of the criteria, or creates where none matches (R4 conditional update)."""
        check_type(resource_type)
        check_resource(resource, resource_type)
        existing = self.match(session, resource_type, pairs)
        given = resource.get("id")
        if existing is not None:
            if given is not None and given != existing.id:
                raise invalid("The id in the body is not that of the match.")
            return self.update(session, resource_type, existing.id, {**resource, "id": existing.id}, if_match)
        if given is not None:
            return self.update(session, resource_type, str(given), resource, if_match)
        check_if_match(None, if_match)
        return self.write_new(session, resource_type, new_id(), resource, "POST")

    def delete(
        self, session: Session, resource_type: str, id_: str, if_match: str | None = None
    ) -> WriteResult:
        """Deletes; what is not there is deleted already."""
        check_type(resource_type)
        current = session.current(resource_type, id_)
        check_if_match(current, if_match)
        self._check_filed(current)
        if current is None or current.body is None:
            return WriteResult(204, current)
        return WriteResult(204, session.delete(current))

    def _check_filed(self, current: Version | None) -> None:
        """Raises 405 where what was created stays as it is."""
        if Quirk.FILED_ONCE in self._settings.quirks and current and current.method == "POST":
            raise RequestRefusedError(405, "not-supported", "What is filed here is not changed.")

    def write_new(
        self, session: Session, resource_type: str, id_: str, resource: Json, method: str
    ) -> WriteResult:
        """Writes what does not stand there yet, or was deleted; the caller has checked it."""
        self._prepare(resource)
        return WriteResult(201, session.put(resource_type, id_, resource, method))

    def _prepare(self, resource: Json) -> None:
        """The last checks and changes before a resource is compared and written."""
        if Quirk.PATIENT_PARTITIONS in self._settings.quirks:
            check_partition(resource)
        if self._settings.check_narrative:
            check_narratives(resource)
        if not self._settings.keep_reference_versions:
            strip_versions(resource)


# Of what is used here, the elements by which a resource is in the compartment of a patient.
_IN_COMPARTMENT = {
    "AuditEvent": ("agent", "entity"),
    "Communication": ("subject", "sender", "recipient"),
    "Composition": ("subject", "author", "attester"),
    "Device": ("patient",),
    "DiagnosticReport": ("subject",),
    "DocumentReference": ("subject", "author"),
    "Encounter": ("subject",),
    "Provenance": ("target",),
}


def check_partition(resource: Json) -> None:
    """Raises 405 for what may belong to a patient (R4, Patient compartment) and names none."""
    kind = str(resource.get("resourceType"))
    named = [part for name in _IN_COMPARTMENT.get(kind, ()) for part in as_list(resource.get(name))]
    whole = [as_dict(part) for part in named]
    inner = [one.get(name) for one in whole for name in ("party", "who", "what")]
    references = [str(as_dict(part).get("reference")) for part in (*whole, *inner)]
    if kind in _IN_COMPARTMENT and not any("Patient/" in reference for reference in references):
        words = f"HAPI-1326: Resource of type {kind} has no values placing it in the Patient compartment"
        raise RequestRefusedError(405, "processing", words)


def new_id() -> str:
    """An id for a resource whose client leaves the choice to the server."""
    return str(uuid.uuid4())


def check_if_match(current: Version | None, if_match: str | None) -> None:
    """Raises 412 where `If-Match` names another version than the current one, or nothing is there."""
    if if_match is None:
        return
    wanted = [part.strip().removeprefix("W/").strip('"') for part in if_match.split(",")]
    there = current is not None and current.body is not None
    if not there or ("*" not in wanted and str(current.version if current else 0) not in wanted):
        raise precondition_failed("The current version is not the one that If-Match names.")
