"""What was ended stands in the ledger, for every server and pipeline, until it would have ended by itself."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

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
