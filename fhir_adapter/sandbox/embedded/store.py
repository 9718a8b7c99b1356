"""The database: one SQLite file in WAL mode, one writer at a time, readers beside it."""

import queue
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fhir_adapter.sandbox.embedded.session import Session
from fhir_adapter.sandbox.settings import SandboxError

_APPLICATION_ID = 0x46484952
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE resource (
    row INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    current INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    UNIQUE (type, id)
);
CREATE INDEX resource_updated ON resource (type, deleted, updated);
CREATE TABLE version (
    row INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    method TEXT NOT NULL,
    body TEXT,
    UNIQUE (type, id, version)
);
CREATE TABLE token (
    key TEXT NOT NULL, value TEXT NOT NULL, system TEXT NOT NULL, resource INTEGER NOT NULL,
    PRIMARY KEY (key, value, system, resource)
) WITHOUT ROWID;
CREATE INDEX token_resource ON token (resource);
CREATE TABLE reference (
    key TEXT NOT NULL, tail TEXT NOT NULL, whole TEXT NOT NULL, resource INTEGER NOT NULL,
    PRIMARY KEY (key, tail, whole, resource)
) WITHOUT ROWID;
CREATE INDEX reference_resource ON reference (resource);
CREATE TABLE date (
    key TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, resource INTEGER NOT NULL,
    PRIMARY KEY (key, low, high, resource)
) WITHOUT ROWID;
CREATE INDEX date_resource ON date (resource);
CREATE TABLE string (
    key TEXT NOT NULL, folded TEXT NOT NULL, exact TEXT NOT NULL, resource INTEGER NOT NULL,
    PRIMARY KEY (key, folded, exact, resource)
) WITHOUT ROWID;
CREATE INDEX string_resource ON string (resource);
"""


class Store:
    """Opens sessions on the database. Safe to use from several threads.

    Args:
        database: the file; None for a temporary one that `close` removes.

    Raises:
        SandboxError: the file cannot be opened, or is no database of this sandbox.
    """

    def __init__(self, database: Path | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fhir-sandbox-") if database is None else None
        self._path = Path(self._folder.name) / "sandbox.sqlite" if self._folder else Path(str(database))
        self._durable = database is not None
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._lock = threading.Lock()
        try:
            self._writer = self._connect()
            self._prepare()
        except sqlite3.Error as error:
            raise SandboxError(f"the sandbox database cannot be opened: {error}") from None

    def close(self) -> None:
        """Closes all connections; no session may be open."""
        with self._lock:
            self._writer.close()
            while not self._readers.empty():
                self._readers.get_nowait().close()
            if self._folder is not None:
                self._folder.cleanup()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout."""
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            connection.execute("BEGIN")
            yield Session(connection)
        finally:
            connection.rollback()
            self._readers.put(connection)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose writes become visible together at the end, or not at all on an exception."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield Session(self._writer)
                self._writer.commit()
            except BaseException:
                self._writer.rollback()
                raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'NORMAL' if self._durable else 'OFF'}")
        connection.execute("PRAGMA cache_size = -16000")
        return connection

    def _prepare(self) -> None:
        (application,) = self._writer.execute("PRAGMA application_id").fetchone()
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        (tables,) = self._writer.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            self._writer.executescript(_SCHEMA)
            self._writer.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._writer.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif application != _APPLICATION_ID:
            raise SandboxError("the file is a database of another program")
        elif version != _SCHEMA_VERSION:
            raise SandboxError("the database was made by another version of the sandbox; load it anew")
