"""The database: what lasts, what is atomic, what order the stamps have."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from fhir_adapter.sandbox.embedded import session as session_module
from fhir_adapter.sandbox.embedded.store import Store
from fhir_adapter.sandbox.settings import SandboxError
from tests.unit.fhir_adapter.sandbox.builders import Serve, found, patient, put


def test_resources_outlive_the_server(serve: Serve, tmp_path: Path) -> None:
    database = tmp_path / "kept.sqlite"
    first = serve(database=database)
    put(first, patient("a"), patient("a", gender="female"))
    first.delete("Patient/a")
    second = serve(database=database)
    assert second.get("Patient/a").status_code == 410
    put(second, patient("a", gender="male"))
    assert second.get("Patient/a").json()["meta"]["versionId"] == "4"
    assert found(second, "Patient?gender=male") == ["a"]


def test_a_temporary_database_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store(None)
    with store.writing() as session:
        session.put("Patient", "a", patient("a"), "PUT")
    assert list(tmp_path.iterdir())
    store.close()
    assert not list(tmp_path.iterdir())


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "foreign.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(SandboxError, match="another program"):
        Store(database)


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "old.sqlite"
    Store(database).close()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SandboxError, match="another version"):
        Store(database)


@pytest.mark.parametrize("content", [None, b"this is no database, however long one reads in it" * 100])
def test_what_cannot_be_opened(tmp_path: Path, content: bytes | None) -> None:
    database = tmp_path / "folder" / "x.sqlite" if content is None else tmp_path / "x.sqlite"
    if content is not None:
        database.write_bytes(content)
    with pytest.raises(SandboxError, match="cannot be opened"):
        Store(database)


def test_an_exception_undoes_everything() -> None:
    store = Store(None)

    def write_and_fail() -> None:
        with store.writing() as session:
            session.put("Patient", "a", patient("a"), "PUT")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with store.reading() as session:
        assert session.current("Patient", "a") is None
    with store.writing() as session:
        assert session.put("Patient", "a", patient("a"), "PUT").version == 1
    store.close()


def test_readers_see_one_state_while_a_writer_writes() -> None:
    store = Store(None)
    with store.reading() as reader, store.writing() as writer:
        assert reader.current("Patient", "a") is None
        writer.put("Patient", "a", patient("a"), "PUT")
        assert reader.current("Patient", "a") is None
    with store.reading() as reader:
        assert reader.current("Patient", "a") is not None
    store.close()


def test_stamps_do_not_go_back_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(None)
    stamps = []
    for number, clock in enumerate((5_000, 3_000, 7_000)):
        monkeypatch.setattr(session_module, "now_milliseconds", lambda clock=clock: clock)
        with store.writing() as session:
            stamps.append(session.put("Patient", f"p{number}", patient("p"), "PUT").updated)
    assert stamps == [5_000, 5_000, 7_000]
    store.close()


def test_many_clients_create_one_and_the_same_once(server: httpx.Client) -> None:
    device = {"resourceType": "Device", "identifier": [{"value": "raced"}]}

    def create(number: int) -> int:
        if number % 2:
            return server.put("Device?identifier=raced", json=device).status_code
        return server.post("Device", json=device, headers={"If-None-Exist": "identifier=raced"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(32)))
    assert statuses == [200] * 31 + [201]
    assert len(found(server, "Device?identifier=raced")) == 1


def test_a_poll_misses_nothing_while_others_write(fresh: httpx.Client) -> None:
    """`_lastUpdated=ge` of the newest stamp seen finds all that was committed after it was seen."""
    seen: set[str] = set()

    def write(number: int) -> None:
        put(fresh, *(patient(f"w{number}-{n}") for n in range(10)))

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(8)]
        watermark = "2000-01-01T00:00:00Z"
        while True:
            finished = all(writer.done() for writer in writers)
            query = {"_lastUpdated": f"ge{watermark}", "_sort": "_lastUpdated", "_count": "1000"}
            for one in fresh.get("Patient", params=query).json().get("entry", []):
                seen.add(one["resource"]["id"])
                watermark = one["resource"]["meta"]["lastUpdated"]
            if finished:
                break
    for writer in writers:
        writer.result()
    assert len(seen) == 80
