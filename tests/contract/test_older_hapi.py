"""The HAPIs of years ago, as hospitals run them: they validate what they are sent, and know fewer codes."""

import pytest

from fhir_adapter.sandbox.hapi import HapiSettings, Version
from tests.contract import older_hapi
from tests.contract.contract_fhir import hapi_or_skip


@pytest.mark.hapi(server="its own")
@pytest.mark.parametrize("version", ["7.2.0", "6.4.0"])
def test_what_is_written_is_taken_and_proven(version: Version) -> None:
    settings = HapiSettings(version=version, validate_requests=True, placeholders=False, start_seconds=1200)
    with hapi_or_skip(settings) as hapi:
        older_hapi.main(hapi.base_url, version)
