"""Reading and writing versions of resources within one database transaction.

Only names that stand in this package are spliced into SQL; what a client sent is always bound.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_adapter.sandbox.embedded.index import index_rows
from fhir_adapter.sandbox.embedded.jsontext import Json, read_object, write_json
from fhir_adapter.sandbox.embedded.when import instant_text, now_milliseconds

_VERSION = (
    "version.row, version.type, version.id, version.version, version.updated, version.method, version.body"
)
_INDEX_TABLES = ("token", "reference", "date", "string")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one resource.

    Attributes:
        row: its place in the order of all writes.
        updated: milliseconds since 1970, the stamp of the transaction that wrote it.
        method: POST, PUT or DELETE.
        body: the resource as JSON text with its meta; None for a deletion.
    """

    row: int
    type: str
    id: str
    version: int
    updated: int
    method: str
    body: str | None

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"

    @property
    def location(self) -> str:
        """`Type/id/_history/n`."""
        return f"{self.reference}/_history/{self.version}"

    @property
    def etag(self) -> str:
        """Weak entity tag, `W/"n"`."""
        return f'W/"{self.version}"'


class Session:
    """Works on one connection inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._stamp: int | None = None

    def current(self, resource_type: str, id_: str) -> Version | None:
        """The newest version, which may be a deletion; None where there never was one."""
        return self._one(
            f"SELECT {_VERSION} FROM resource JOIN version ON version.row = resource.current "  # noqa: S608
            "WHERE resource.type = ? AND resource.id = ?",
            (resource_type, id_),
        )

    def version(self, resource_type: str, id_: str, version: int) -> Version | None:
        """One version; None where it never was."""
        return self._one(
            f"SELECT {_VERSION} FROM version WHERE type = ? AND id = ? AND version = ?",  # noqa: S608
            (resource_type, id_, version),
        )

    def rows(self, sql: str, args: Sequence[object]) -> "array[int]":
        """The first column of a query, eight bytes a row."""
        return array("q", (row[0] for row in self._connection.execute(sql, args)))

    def count(self, sql: str, args: Sequence[object]) -> int:
        """The number that a counting query gives."""
        (number,) = self._connection.execute(sql, args).fetchone()
        return int(number)

    def resources(self, rows: Iterable[int]) -> list[Version]:
        """The current versions of resources by their rows, in that order, without the deleted."""
        found = self._by_row(
            f"SELECT resource.row, {_VERSION} FROM json_each(?) JOIN resource ON resource.row = value "  # noqa: S608
            "JOIN version ON version.row = resource.current WHERE NOT resource.deleted",
            rows,
        )
        return list(found)

    def versions(self, rows: Iterable[int]) -> list[Version]:
        """Versions by their own rows, in that order."""
        found = self._by_row(
            f"SELECT version.row, {_VERSION} FROM json_each(?) JOIN version ON version.row = value",  # noqa: S608
            rows,
        )
        return list(found)

    def targets(self, key: str, rows: Iterable[int]) -> list[Version]:
        """The current resources that the given rows refer to by a reference parameter."""
        wholes = self._connection.execute(
            "SELECT DISTINCT whole FROM json_each(?) JOIN reference ON resource = value "
            "WHERE reference.key = ?",
            (write_json(list(rows)), key),
        )
        found = (self.current(*whole.split("/", 1)) for (whole,) in wholes.fetchall() if "/" in whole)
        return [version for version in found if version is not None and version.body is not None]

    def referrers(self, key: str, references: Iterable[str]) -> list[Version]:
        """The current resources that refer to any of the given `Type/id` by a reference parameter."""
        rows = self.rows(
            "SELECT DISTINCT reference.resource FROM json_each(?) JOIN reference ON whole = value "
            "AND tail = substr(value, instr(value, '/') + 1) WHERE reference.key = ?",
            (write_json(list(references)), key),
        )
        return self.resources(rows)

    def put(self, resource_type: str, id_: str, resource: Json, method: str) -> Version:
        """Writes a new version. The caller has compared it with the current one.

        Args:
            resource_type: of the resource.
            id_: its id.
            resource: as it came; its id, `meta.versionId` and `meta.lastUpdated` are replaced.
            method: POST or PUT, for the history.
        """
        stamp = self.stamp()
        row, version = self._next(resource_type, id_)
        stored = stamped(resource, id_, version, stamp)
        written = self._append(resource_type, id_, version, method, write_json(stored))
        if row is None:
            row = self._insert_resource(written)
        else:
            self._point(row, written, deleted=False)
            self._remove_index(row)
        self._add_index(row, stored)
        return written

    def delete(self, current: Version) -> Version:
        """Writes a deletion over the current version."""
        row, version = self._next(current.type, current.id)
        written = self._append(current.type, current.id, version, "DELETE", None)
        if row is not None:
            self._point(row, written, deleted=True)
            self._remove_index(row)
        return written

    def stamp(self) -> int:
        """The `lastUpdated` of everything this transaction writes: never before that of an earlier one."""
        if self._stamp is None:
            last = self._connection.execute(
                "SELECT updated FROM version ORDER BY row DESC LIMIT 1"
            ).fetchone()
            self._stamp = max(now_milliseconds(), last[0] if last else 0)
        return self._stamp

    def _one(self, sql: str, args: Sequence[object]) -> Version | None:
        row = self._connection.execute(sql, args).fetchone()
        return Version(*row) if row else None

    def _by_row(self, sql: str, rows: Iterable[int]) -> Iterator[Version]:
        wanted = list(rows)
        found = {row: Version(*rest) for row, *rest in self._connection.execute(sql, (write_json(wanted),))}
        return (found[row] for row in wanted if row in found)

    def _next(self, resource_type: str, id_: str) -> tuple[int | None, int]:
        found = self._connection.execute(
            "SELECT resource.row, version.version FROM resource "
            "JOIN version ON version.row = resource.current WHERE resource.type = ? AND resource.id = ?",
            (resource_type, id_),
        ).fetchone()
        return (found[0], found[1] + 1) if found else (None, 1)

    def _append(self, resource_type: str, id_: str, version: int, method: str, body: str | None) -> Version:
        stamp = self.stamp()
        cursor = self._connection.execute(
            "INSERT INTO version (type, id, version, updated, method, body) VALUES (?, ?, ?, ?, ?, ?)",
            (resource_type, id_, version, stamp, method, body),
        )
        return Version(int(cursor.lastrowid or 0), resource_type, id_, version, stamp, method, body)

    def _insert_resource(self, written: Version) -> int:
        cursor = self._connection.execute(
            "INSERT INTO resource (type, id, current, updated, deleted) VALUES (?, ?, ?, ?, 0)",
            (written.type, written.id, written.row, written.updated),
        )
        return int(cursor.lastrowid or 0)

    def _point(self, row: int, written: Version, *, deleted: bool) -> None:
        self._connection.execute(
            "UPDATE resource SET current = ?, updated = ?, deleted = ? WHERE row = ?",
            (written.row, written.updated, deleted, row),
        )

    def _remove_index(self, row: int) -> None:
        for table in _INDEX_TABLES:
            self._connection.execute(f"DELETE FROM {table} WHERE resource = ?", (row,))  # noqa: S608

    def _add_index(self, row: int, resource: Json) -> None:
        for table, entries in index_rows(resource).by_table():
            if entries:
                self._connection.executemany(
                    f"INSERT INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608
                    [(*entry, row) for entry in entries],
                )


def stamped(resource: Json, id_: str, version: int, stamp: int) -> Json:
    """The resource as it is stored: resourceType, id and meta first, then the rest as it came."""
    meta = {"versionId": str(version), "lastUpdated": instant_text(stamp)}
    given = resource.get("meta")
    for key, value in given.items() if isinstance(given, dict) else ():
        meta.setdefault(key, value)
    rest = {key: value for key, value in resource.items() if key not in ("resourceType", "id", "meta")}
    return {"resourceType": resource["resourceType"], "id": id_, "meta": meta, **rest}


def keep_labels(resource: Json, body: str) -> None:
    """Adds the tags and security labels of a stored version that a resource has not, in place."""
    before = read_object(body)["meta"]
    for name in ("tag", "security"):
        old, new = before.get(name), resource.get("meta", {}).get(name, [])
        if not isinstance(old, list) or not isinstance(new, list):
            continue
        known = [_coding(label) for label in old]
        both = [*old, *(label for label in new if _coding(label) not in known)]
        if both:
            resource.setdefault("meta", {})[name] = both


def _coding(label: Any) -> tuple[Any, Any]:
    return (label.get("system"), label.get("code")) if isinstance(label, dict) else (None, label)


def same_content(resource: Json, body: str) -> bool:
    """True where a resource differs from a stored one in nothing but what the server sets."""
    return _content(resource) == _content(read_object(body))


def _content(resource: Json) -> str:
    meta = {k: v for k, v in (resource.get("meta") or {}).items() if k not in ("versionId", "lastUpdated")}
    rest = {key: value for key, value in resource.items() if key not in ("id", "meta")}
    return write_json({**rest, "meta": meta}, sort_keys=True)
