"""Where the service may listen, and with what before it."""

from pathlib import Path

import pytest

from jobs.settings import SettingsError, load_settings
from jobs.web.guard.access import Access, Scope, access_from, check_exposure, is_loopback
from tests.unit.jobs.web.web_parts import MakeSettings

TOKEN = "correct-horse-battery-staple-42"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine(host: str, make_settings: MakeSettings) -> None:
    assert is_loopback(host)
    check_exposure(host, make_settings(), Access())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example.org", ""])
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "SERVICE_TOKEN"),
        ({"serve_proxy": "10.0.0.1"}, "SERVICE_TOKEN"),
        ({"service_token": TOKEN}, "SERVE_CERTIFICATE"),
        ({"oidc_issuer": "https://id.example.org", "oidc_audience": "clinsum"}, "SERVE_PROXY"),
    ],
)
def test_other_addresses_need_credentials_and_encryption(
    host: str, given: dict[str, str], named: str, make_settings: MakeSettings
) -> None:
    assert not is_loopback(host)
    settings = make_settings(**given)
    with pytest.raises(SettingsError, match=named):
        check_exposure(host, settings, access_from(settings))


@pytest.mark.parametrize(
    "given",
    [
        {"service_token": TOKEN, "serve_proxy": "10.0.0.0/8"},
        {"service_token": TOKEN, "serve_certificate": "a.pem", "serve_key": "b.pem"},
        {
            "oidc_issuer": "https://id.example.org",
            "oidc_audience": "clinsum",
            "serve_proxy": "10.0.0.1,fd00::/8",
        },
    ],
)
def test_with_both_any_address_is_served(given: dict[str, str], make_settings: MakeSettings) -> None:
    settings = make_settings(**given)
    check_exposure("0.0.0.0", settings, access_from(settings))


def test_the_demo_is_for_anyone_since_it_reads_nothing(make_settings: MakeSettings) -> None:
    settings = make_settings()
    access = access_from(settings, demo=True)
    check_exposure("0.0.0.0", settings, access, demo=True)
    assert access.default is not None
    assert access.default.scopes == {Scope.SUMMARISE}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"service_token": "short"}, "SERVICE_TOKEN"),
        ({"service_token": f"{TOKEN},short"}, "SERVICE_TOKEN"),
        ({"service_token": "sha256:" + "a" * 63}, None),
        ({"oidc_issuer": "https://id.example.org"}, "OIDC_AUDIENCE"),
        ({"oidc_issuer": "http://id.example.org", "oidc_audience": "a"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "id.example.org", "oidc_audience": "a"}, "OIDC_ISSUER"),
    ],
)
def test_settings_that_cannot_be_right(
    given: dict[str, str], named: str | None, make_settings: MakeSettings
) -> None:
    if named is None:  # a token like any other: nothing says that it was meant as a hash
        assert access_from(make_settings(**given)).asks
        return
    with pytest.raises(SettingsError, match=named):
        access_from(make_settings(**given))


def test_proxies_are_addresses_or_networks() -> None:
    with pytest.raises(SettingsError, match="SERVE_PROXY"):
        load_settings({"serve_proxy": "nginx"})


def test_half_a_certificate(make_settings: MakeSettings) -> None:
    settings = make_settings(service_token=TOKEN, serve_certificate="a.pem")
    with pytest.raises(SettingsError, match="SERVE_KEY"):
        check_exposure("127.0.0.1", settings, access_from(settings))


async def test_a_certificate_that_is_not_there(tmp_path: Path, make_settings: MakeSettings) -> None:
    from jobs.web.server import run

    settings = make_settings(serve_certificate=str(tmp_path / "none.pem"), serve_key=str(tmp_path / "k.pem"))
    with pytest.raises(SettingsError, match=r"none\.pem"):
        run(settings, host="127.0.0.1", port=0)
