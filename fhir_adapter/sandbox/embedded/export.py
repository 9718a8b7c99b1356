"""`$export` of the sandbox: what is there when it is asked for, as files of NDJSON.

Of everything, of all patients, or of a Group's (FHIR Bulk Data Access 2.0). Exports live in memory, as rows
of versions, so that their files hold what was there, whatever is written meanwhile.
"""

import secrets
import time
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_adapter.lenient import as_dict, as_text, dicts
from fhir_adapter.sandbox.embedded.jsontext import read_object, write_json
from fhir_adapter.sandbox.embedded.outcome import (
    RequestRefusedError,
    invalid,
    not_found,
    operation_outcome,
    unsupported,
)
from fhir_adapter.sandbox.embedded.parameters import RESOURCE_TYPES
from fhir_adapter.sandbox.embedded.session import Session, Version
from fhir_adapter.sandbox.embedded.when import instant_text, range_of
from fhir_adapter.sandbox.settings import ExportSettings

_KEPT = 100
_AT_ONCE = 200
_FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
_SUBJECTS = ("subject", "patient", "beneficiary")


@dataclass(slots=True)
class File:
    """One file: rows of versions, or lines that are there already."""

    place: str
    kind: str
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    lines: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Lines."""
        return len(self.rows) + len(self.lines)


@dataclass(slots=True)
class Export:
    """One export.

    Attributes:
        asked: the address that asked for it.
        taken: milliseconds; what it is the state of.
        ready: seconds of the monotonic clock.
        busy: questions that are still answered with 429.
        ended: manifests whose addresses have ended when they come.
        names: of its files by their keys; None where the address has ended.
    """

    asked: str
    taken: int
    ready: float
    busy: int
    files: list[File]
    ended: int = 0
    names: dict[str, File | None] = field(default_factory=dict)


class Exports:
    """The exports of one server.

    Args:
        settings: how they behave.
    """

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings
        self._exports: OrderedDict[str, Export] = OrderedDict()

    def begin(
        self,
        session: Session,
        asked: str,
        params: Sequence[tuple[str, str]],
        level: str = "",
        group: str = "",
    ) -> str:
        """Takes down what is there now; returns the name of the export.

        Args:
            session: on the database.
            asked: the address.
            params: of the request.
            level: "" for everything, `Patient`, or `Group`.
            group: id of the Group.

        Raises:
            RequestRefusedError: a parameter that is not known, or no such Group.
        """
        types, since = _wanted(params)
        patients = _members(session, group) if level == "Group" else None
        files: list[File] = []
        lost = self._settings.lost
        for kind in sorted(types):
            kept = array("q")
            for version in _current(session, kind, since):
                if level and not _belongs(read_object(version.body or "{}"), patients):
                    continue
                lost -= 1
                if lost < 0:
                    kept.append(version.row)
            size = self._settings.file_lines
            files += [File("output", kind, kept[start : start + size]) for start in range(0, len(kept), size)]
        if self._settings.lost:
            outcome = operation_outcome("exception", "A resource could not be exported.")
            files.append(File("error", "OperationOutcome", lines=[write_json(outcome)] * self._settings.lost))
        deleted = [write_json(_deletion(version)) for version in _deleted(session, types, since)]
        if deleted and since is not None and not level:
            files.append(File("deleted", "Bundle", lines=deleted))
        name = secrets.token_urlsafe(12)
        ready = time.monotonic() + self._settings.seconds
        busy, ended = self._settings.busy, self._settings.ended
        self._exports[name] = Export(asked, session.stamp(), ready, busy, files, ended)
        while len(self._exports) > _KEPT:
            self._exports.popitem(last=False)
        return name

    def status(self, name: str, address: str) -> dict[str, Any] | None:
        """The manifest; None while the export is made.

        Args:
            name: of the export.
            address: below which its files are.

        Raises:
            RequestRefusedError: no such export, or it is asked for too often.
        """
        export = self._export(name)
        if export.busy > 0:
            export.busy -= 1
            raise RequestRefusedError(429, "throttled", "Ask again later.")
        if time.monotonic() < export.ready:
            return None
        found: dict[str, Any] = {
            "transactionTime": instant_text(export.taken),
            "request": export.asked,
            "requiresAccessToken": True,
            "output": [],
            "error": [],
        }
        export.ended -= 1
        for number, file in enumerate(export.files):
            key = f"{number}-{secrets.token_urlsafe(6)}"
            export.names[key] = file if export.ended < 0 else None
            # The address of a file stays the same but for its key, as those that a store signs.
            entry = {"type": file.kind, "url": f"{address}/{number}?key={key}", "count": file.count}
            found.setdefault(file.place, []).append(entry)
        return found

    def delete(self, name: str) -> None:
        """Forgets an export. Raises RequestRefusedError: no such export."""
        self._export(name)
        del self._exports[name]

    def lines(self, session: Session, name: str, key: str) -> Iterator[str]:
        """The lines of a file, without their ends.

        Raises:
            RequestRefusedError: no such file, or its address has ended.
        """
        names = self._export(name).names
        if key not in names:
            raise not_found("There is no such file.")
        file = names[key]
        if file is None:
            raise RequestRefusedError(403, "forbidden", "The address of this file has ended.")
        yield from file.lines
        for start in range(0, len(file.rows), _AT_ONCE):
            for version in session.versions(file.rows[start : start + _AT_ONCE]):
                yield version.body or "{}"

    def _export(self, name: str) -> Export:
        if name not in self._exports:
            raise not_found("There is no such export.")
        return self._exports[name]


def _wanted(params: Sequence[tuple[str, str]]) -> tuple[set[str], int | None]:
    types: set[str] = set()
    since = None
    for name, value in params:
        if name == "_type":
            types.update(part for part in value.split(",") if part)
        elif name == "_since":
            found = range_of(value)
            if found is None:
                raise invalid("_since must be an instant.")
            since = found.low
        elif name == "_outputFormat":
            if value.replace(" ", "+") not in _FORMATS:
                raise unsupported("This server exports application/fhir+ndjson.")
        else:
            raise unsupported("This server knows _type, _since and _outputFormat.")
    if not types <= RESOURCE_TYPES:
        raise invalid("_type names a type that R4 has not.")
    return types or set(RESOURCE_TYPES), since


def _current(session: Session, kind: str, since: int | None) -> Iterator[Version]:
    rows = session.rows(
        "SELECT row FROM resource WHERE type = ? AND NOT deleted AND updated >= ? ORDER BY row",
        (kind, since if since is not None else -1),
    )
    for start in range(0, len(rows), _AT_ONCE):
        yield from session.resources(rows[start : start + _AT_ONCE])


def _deleted(session: Session, types: set[str], since: int | None) -> Iterator[Version]:
    if since is None:
        return
    for kind in sorted(types):
        query = "SELECT current FROM resource WHERE type = ? AND deleted AND updated >= ? ORDER BY row"
        yield from session.versions(session.rows(query, (kind, since)))


def _deletion(version: Version) -> dict[str, Any]:
    request = {"method": "DELETE", "url": version.reference}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": request}]}


def _members(session: Session, group: str) -> set[str]:
    found = session.current("Group", group)
    if found is None or found.body is None:
        raise not_found("There is no such Group.")
    members = dicts(read_object(found.body).get("member"))
    names = (as_text(as_dict(member.get("entity")).get("reference")) for member in members)
    return {name for name in names if name}


def _belongs(resource: dict[str, Any], patients: set[str] | None) -> bool:
    """Whether a resource is of one of the patients; None for any patient."""
    kind, ident = resource.get("resourceType"), resource.get("id")
    own = [f"Patient/{ident}"] if kind == "Patient" else []
    named = own + [str(as_dict(resource.get(name)).get("reference", "")) for name in _SUBJECTS]
    if patients is None:
        return any(name.startswith("Patient/") for name in named)
    return bool(patients & set(named))
