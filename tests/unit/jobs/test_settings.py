from datetime import timedelta
from pathlib import Path

import pytest

from jobs.settings import Settings, SettingsError, load_settings
from jobs.values import parse_budget, parse_duration
from summarizer.types import Budget


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` and no settings of the machine."""
    import os

    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CLINSUM_"):
            monkeypatch.delenv(name)


def test_environment_file_and_option_in_rising_precedence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CLINSUM_PAGE_SIZE=10\nCLINSUM_CONCURRENCY=2\nCLINSUM_RETRIES=1\n")
    monkeypatch.setenv("CLINSUM_CONCURRENCY", "3")
    monkeypatch.setenv("CLINSUM_RETRIES", "4")

    settings = load_settings({"RETRIES": "5"})

    assert (settings.page_size, settings.concurrency, settings.retries) == (10, 3, 5)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSUM_ALLOWED_HOSTS", "a.example.org, b.example.org:8443")

    assert load_settings().allowed_hosts == ("a.example.org", "b.example.org:8443")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FHIR_BASE_URL", "fhir.example.org", "CLINSUM_FHIR_BASE_URL: it must be an http"),
        ("BUDGET", "many", "CLINSUM_BUDGET: 'many' is not a budget"),
        ("INTERVAL", "soon", "CLINSUM_INTERVAL: 'soon' is not a duration"),
        ("PAGE_SIZE", "0", "CLINSUM_PAGE_SIZE"),
        ("AUTH", "basic", "needs CLINSUM_USERNAME"),
        ("AUTH", "bearer", "needs CLINSUM_TOKEN"),
        ("AUTH", "kerberos", "CLINSUM_AUTH"),
        ("RESOURCE_TYPES", "Observation", "CLINSUM_RESOURCE_TYPES"),
        ("AI_LABEL", "AIAST", "CLINSUM_AI_LABEL: it must be system|code"),
        ("NO_SUCH", "1", "There is no setting NO_SUCH"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({name: value})

    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_secrets_do_not_show() -> None:
    settings = load_settings({"AUTH": "bearer", "TOKEN": "hush"})

    assert "hush" not in repr(settings)
    assert "hush" not in str(settings)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("5", Budget(sentences=5)),
        ("5 sentences", Budget(sentences=5)),
        ("120w", Budget(words=120)),
        ("120 words", Budget(words=120)),
        ("15%", Budget(ratio=0.15)),
        ("auto", None),
        ("", None),
    ],
)
def test_budgets(text: str, budget: Budget | None) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["0", "0w", "0%", "101%", "-1", "5x"])
def test_impossible_budgets(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|not a budget"):
        parse_budget(text)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("60s", 60), ("5m", 300), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


def test_every_setting_says_what_it_does() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("name", ["PASSWORD", "TOKEN", "CLIENT_SECRET"])
def test_secrets_come_out_of_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hush\n", "utf-8")
    settings = load_settings({f"{name}_FILE": str(path)})
    assert getattr(settings, name.lower()).get_secret_value() == "hush"

    for wrong in ({f"{name}_FILE": str(path), name: "other"}, {f"{name}_FILE": str(tmp_path / "none")}):
        with pytest.raises(SettingsError) as caught:
            load_settings(wrong)
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"AUTH": "smart-backend"},
        {"AUTH": "smart-backend", "CLIENT_ID": "c"},
        {"AUTH": "client-secret", "CLIENT_ID": "c"},
        {"AUTH": "client-secret", "CLIENT_SECRET": "hush"},
    ],
)
def test_a_login_without_what_it_needs_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=f"AUTH={given['AUTH']} needs") as caught:
        load_settings(given)
    assert "hush" not in str(caught.value)
