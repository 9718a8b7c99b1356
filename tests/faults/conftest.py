"""How many damaged files a run reads, and how often it kills."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutations", type=int, default=None, help="damaged files to read (300 unless told)")
    parser.addoption("--kills", type=int, default=None, help="times that a poller is killed (2 unless told)")
    parser.addoption("--costly", choices=["all"], default=None, help="every costly note, with the model")


@pytest.fixture(scope="session")
def mutations(pytestconfig: pytest.Config) -> int:
    """`--mutations N`, else the environment's CLINSUM_MUTATIONS, else 300."""
    asked = pytestconfig.getoption("--mutations", default=None)
    return int(asked or os.environ.get("CLINSUM_MUTATIONS", "300"))
