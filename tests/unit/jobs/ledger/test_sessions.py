"""What was ended stands in the ledger, for every server and pipeline, until it would have ended by itself."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from jobs.ledger.launches import (
    KeptState,
    change_state,
    drop_state,
    keep_state,
    reserve_state,
    serial_kept,
    state_kept,
    take_state,
)
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import ended_session
from jobs.ledger.sessions import end_session, session_ended


def test_what_one_ended_another_knows(database_url: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    with (
        Ledger(database_url, server="http://a/fhir", pipeline="one") as one,
        Ledger(database_url, server="http://b/fhir", pipeline="two") as other,
    ):
        end_session(one, "token-1|9|first", until)
        end_session(other, "token-1|9|first", until)  # twice is once
        assert session_ended(other, "token-1|9|first")
        assert not session_ended(other, "token-1|9|second")
        with one.transaction() as connection:
            kept = connection.execute(sa.select(ended_session.c.session_sha256)).scalars().all()
    assert len(kept) == 1
    assert "token-1" not in kept[0]


def test_what_is_over_by_itself_is_kept_no_longer(database_url: str) -> None:
    now = datetime.now(UTC)
    with Ledger(database_url, server="http://a/fhir", pipeline="one") as ledger:
        end_session(ledger, "over", now - timedelta(seconds=1))
        end_session(ledger, "new", now + timedelta(hours=1))
        assert not session_ended(ledger, "over")
        assert session_ended(ledger, "new")


def test_a_state_is_taken_and_changed_by_one_alone_and_the_oldest_of_many_go(database_url: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    with (
        Ledger(database_url, server="http://a/fhir", pipeline="one") as one,
        Ledger(database_url, server="http://b/fhir", pipeline="two") as other,
    ):
        for minute in range(4):
            later = until + timedelta(minutes=minute)
            keep_state(one, f"{minute}" * 64, "begun", b"\x00sealed", later, most=3)
        keep_state(one, "f" * 64, "session", b"first", until, most=3)
        assert state_kept(other, "0" * 64) is None
        assert take_state(other, "1" * 64) == KeptState(b"\x00sealed", 1)
        assert take_state(one, "1" * 64) is None
        assert reserve_state(one, "f" * 64, 1, 60)
        assert not reserve_state(other, "f" * 64, 1, 60)
        assert change_state(one, "f" * 64, b"second", 1)
        assert not change_state(other, "f" * 64, b"third", 1)
        assert state_kept(other, "f" * 64) == KeptState(b"second", 2)
        assert reserve_state(other, "f" * 64, 2, -1)
        assert reserve_state(one, "f" * 64, 2, 60)  # the other's has run out
        drop_state(one, "f" * 64)
        assert serial_kept(other, "f" * 64) is None
        keep_state(one, "e" * 64, "session", b"", datetime.now(UTC) - timedelta(seconds=1), most=3)
        assert state_kept(one, "e" * 64) is None  # over
