"""The HAPI of two years ago, as hospitals run it: it validates what it is sent, and knows fewer codes."""

import pytest

from fhir_adapter.sandbox.hapi import HapiSettings
from tests.contract import older_hapi
from tests.contract.contract_fhir import hapi_or_skip


@pytest.mark.hapi(server="its own")
def test_what_is_written_is_taken_and_proven_by_7_2() -> None:
    settings = HapiSettings(version="7.2.0", validate_requests=True, placeholders=False, start_seconds=1200)
    with hapi_or_skip(settings) as hapi:
        older_hapi.main(hapi.base_url)
