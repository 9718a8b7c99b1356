"""The FHIR servers that the product is held to: every test here runs against each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.profiles.package import build
from fhir_adapter.sandbox.hapi import Hapi, HapiSettings
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from tests.contract.contract_fhir import Fhir, FhirServer, hapi_or_skip, new_id
from tests.contract.filed import HEEDLESS, ONCE, Ward, filing_site
from tests.contract.lives import of_its_own
from tests.contract.logins import Login, logging_in
from tests.contract.passes import Site
from tests.contract.statements import read_once


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our profiles as a FHIR package."""
    path = tmp_path_factory.mktemp("profiles") / "package.tgz"
    path.write_bytes(build())
    return path


@pytest.fixture(scope="session")
def hapi_process(package: Path) -> Iterator[Hapi]:
    """The process in which all HAPIs of the session run, each with a database of its own."""
    settings = HapiSettings(
        placeholders=False,
        packages=(package,),
        bulk_export=True,
        subscriptions=True,
        heap="1536m",
        start_seconds=1200,  # a busy machine is no finding
    )
    with hapi_or_skip(settings) as hapi, read_once(hapi.base_url):
        yield hapi


@pytest.fixture(scope="session")
def hapi_server(hapi_process: Hapi) -> FhirServer:
    """HAPI as strict as a hospital's, targets must exist, with our profiles installed as a package."""
    return FhirServer("hapi", hapi_process.base_url)


@pytest.fixture
def hapi(hapi_server: FhirServer) -> Iterator[Fhir]:
    fhir = Fhir(hapi_server)
    with fhir.http:
        yield fhir


@pytest.fixture(scope="session", params=["embedded", pytest.param("hapi", marks=pytest.mark.hapi)])
def fhir_server(request: pytest.FixtureRequest) -> Iterator[FhirServer]:
    """One server of each kind for the whole session."""
    if request.param == "hapi":
        yield request.getfixturevalue("hapi_server")
        return
    with running_embedded() as base_url:
        yield FhirServer("embedded", base_url)


@pytest.fixture
def fhir(fhir_server: FhirServer) -> Iterator[Fhir]:
    fhir = Fhir(fhir_server)
    with fhir.http:
        yield fhir


@pytest.fixture
def patient(fhir: Fhir) -> str:
    """`Patient/id` of a new Patient."""
    return f"Patient/{fhir.put({'resourceType': 'Patient', 'id': new_id('patient')})['id']}"


@pytest.fixture
def device(fhir: Fhir) -> str:
    """`Device/id` of a new Device."""
    return f"Device/{fhir.put({'resourceType': 'Device', 'id': new_id('device')})['id']}"


@pytest.fixture(scope="session")
def assigning_hapi(hapi_process: Hapi, package: Path) -> Iterator[FhirServer]:
    """HAPI that gives out all ids itself (no `updateCreate`) and refuses what does not validate.

    The profiles that our resources claim must be there: to such a server an unknown one is an error.
    """
    settings = HapiSettings(
        placeholders=False,
        client_ids="NOT_ALLOWED",
        validate_requests=True,
        packages=(package,),
    )
    with hapi_process.another(settings) as base_url, read_once(base_url):
        yield FhirServer("hapi", base_url)


@pytest.fixture(scope="session")
def assigning_embedded() -> Iterator[FhirServer]:
    """The embedded sandbox where it gives out all ids itself."""
    with running_embedded(SandboxSettings(update_create=False)) as base_url:
        yield FhirServer("embedded", base_url)


@pytest.fixture
def site(fhir: Fhir, tmp_path: Path) -> Site:
    """A poller with a ledger and a pipeline of its own."""
    return of_its_own(Site(fhir, tmp_path / "ledger.sqlite"))


@pytest.fixture(scope="session")
def login() -> Iterator[Login]:
    """Keycloak, with clients of ours and an app that people sign in at."""
    with logging_in() as found:
        yield found


@pytest.fixture(params=[(), ONCE, HEEDLESS], ids=["well-behaved", "filed-once", "ignore-conditions"])
def ward(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ward]:
    with filing_site(tmp_path, *request.param) as sites:
        yield Ward(*sites)
