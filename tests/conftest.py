"""What all tests share."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="rewrites what is written for the demo's notes")


@pytest.fixture
def renew(pytestconfig: pytest.Config) -> bool:
    """Whether expectations kept in files are to be written anew."""
    return bool(pytestconfig.getoption("--renew"))
