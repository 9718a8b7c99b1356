"""What all tests share: one profile of Hypothesis, and how tests are dealt out to several processes.

Helpers of the tests are imported by their full name (`from tests.contract.passes import Site`), never from a
`conftest.py`: those hold fixtures, and pytest alone reads them.
"""

import gc
import os
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.places import ROOT

# Models here are tiny and processes share the cores: threads that wait for each other would take them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is no finding: nothing here is judged by the clock.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_transports = httpx._transports.default
_made = _transports.create_ssl_context
_shared = cache(_made)


def _context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    """Clients of the tests share the public authorities, which take 17 ms to read."""
    return (_shared if verify is True and not trust_env else _made)(verify, cert, trust_env)


_transports.create_ssl_context = _context


def pytest_configure(config: pytest.Config) -> None:
    """Groups are dealt out in the order of their tests, not by how many they have."""
    config.option.loadscopereorder = False


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is imported and collected stays to the end, so nobody looks through it for garbage."""
    gc.disable()
    try:
        _begin_elsewhere(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _begin_elsewhere(config: pytest.Config) -> None:
    """Each of several processes imports the files from another on, so that each is rewritten by one of them.

    What asserts become is kept on the disk, and all of them collect everything.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    places = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    files = [path.relative_to(ROOT) for place in places for path in sorted(place.rglob("test_*.py"))]
    first = int(worker["workerid"].removeprefix("gw")) * len(files) // worker["workercount"]
    for path in files[first:]:
        with suppress(Exception, pytest.skip.Exception):  # what is wrong with it is told as it is collected
            import_module(".".join(path.with_suffix("").parts))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="rewrites what is written for the demo's notes")
    parser.addoption("--each-parameter", action="store_true", help="servers that refuse one search parameter")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes go by their argument: gzip stamps the time, and all processes must collect the same tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def renew(pytestconfig: pytest.Config) -> bool:
    """Whether expectations kept in files are to be written anew."""
    return bool(pytestconfig.getoption("--renew"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Tests that share something costly go to one process (`--dist loadgroup`).

    These are the tests on the HAPI that most share, those that start a HAPI of another kind, those in the
    browser, and otherwise the tests of one file. The groups that take longest begin, so that no process is
    left alone with one of them in the end.
    """
    for item in items:
        file = item.nodeid.partition("::")[0]
        hapi = item.get_closest_marker("hapi")
        if hapi:
            group = "hapi of its own" if hapi.kwargs.get("server") == "its own" else "hapi"
        elif file.startswith("tests/browser/"):
            group = "browser"
        else:
            group = file
        item.add_marker(pytest.mark.xdist_group(group))
    yield
    slow = {_group(item) for item in items if item.get_closest_marker("slow")}

    def rank(item: pytest.Item) -> int:
        group = _group(item)
        return next(number for number, holds in enumerate(_LONG) if holds(group, group in slow))

    items.sort(key=rank)


_LONG: tuple[Callable[[str, bool], bool], ...] = (
    lambda group, _: group == "hapi",
    lambda group, _: group == "hapi of its own",
    lambda group, _: group == "browser",
    lambda group, slow: slow or group.startswith("tests/faults/"),
    lambda group, _: group.startswith("tests/contract/"),
    lambda group, _: group.startswith("tests/unit/training/"),
    lambda group, _: group.startswith("tests/unit/jobs/"),
    lambda group, _: group.startswith("tests/unit/summarizer/"),
    lambda *_: True,
)


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    assert marker
    return str(marker.args[0])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without groups HAPI, Keycloak and what a file sets up are started in every process."""
    if getattr(session.config.option, "loadgroup", False) and session.items:
        group = session.items[0].get_closest_marker("xdist_group")
        if group is None or not session.items[0].nodeid.endswith(f"@{group.args[0]}"):
            raise pytest.UsageError("pytest-xdist does not group tests under this version of pytest.")
