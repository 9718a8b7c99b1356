"""What a database says of itself, in one sentence each: the cause, and nothing of the address."""

import os

import pytest
import sqlalchemy as sa

from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError


@pytest.mark.postgres
def test_what_postgresql_refuses_is_one_sentence_with_its_cause() -> None:
    given = os.environ.get("CLINSUM_TEST_POSTGRES_URL")
    if not given:
        pytest.skip("CLINSUM_TEST_POSTGRES_URL is not set")
    url = sa.make_url(given)
    causes = {
        "there is no database of that name": url.set(database="hush_hush"),
        "no database answers there": url.set(host="127.0.0.1", port=9),
        "there is no host of that name": url.set(host="hush-hush.invalid"),
    }
    for words, wrong in causes.items():
        with pytest.raises(LedgerError) as raised:
            Ledger(wrong.render_as_string(hide_password=False), server="s", pipeline="p")
        assert f"({words})" in str(raised.value)
        assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL: password authentication failed for user "hush"', "the password or the user name is refused"),
        ("ERROR: could not extend file base/1: No space left on device", "the database's disk is full"),
        ('FATAL: no pg_hba.conf entry for host "10.0.0.9", user "hush"', "does not let this machine"),
        ("FATAL: sorry, too many clients already", "no connection left"),
        ("something that nobody has seen: hush", "OperationalError"),
    ],
)
def test_words_of_the_driver_become_a_cause(said: str, words: str) -> None:
    from jobs.ledger.database import plain_errors

    class OperationalError(Exception):
        pass

    with pytest.raises(LedgerError) as raised, plain_errors():
        raise sa.exc.OperationalError("SELECT", {}, OperationalError(said)) from OperationalError(said)
    assert words in str(raised.value)
    assert "hush" not in str(raised.value)
