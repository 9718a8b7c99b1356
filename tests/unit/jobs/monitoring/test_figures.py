"""The passes in figures: of the ledger, the server and the tokens, and the metrics that name them."""

import asyncio
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from fhir_adapter.rest.auth import BearerAuth
from fhir_adapter.rest.expiry import seconds_left
from fhir_adapter.rest.tokens import Token, TokenAuth, Tokens
from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.monitoring.figures import Figures, Moments, Observer, in_known_words
from jobs.passes.one_pass import Pass
from jobs.runtime import make_client, open_ledger, runtime
from jobs.settings import Settings, load_settings
from jobs.web.metrics import Metrics
from tests.places import ROOT
from tests.unit.jobs.test_cli import put

MONITORING = ROOT / "deploy" / "monitoring"


def settings_of(base_url: str, tmp_path: Path, **more: str) -> Settings:
    given = {
        "fhir_base_url": base_url,
        "database_url": f"sqlite:///{tmp_path / 'l.sqlite'}",
        "engine": "lead",
    }
    return load_settings(given | {"retries": "0", "health_file": str(tmp_path / "run.prom")} | more)


async def looked(settings: Settings) -> Figures:
    async with make_client(settings) as client:
        with open_ledger(settings) as opened:

            async def ledger() -> Ledger:
                return opened

            return await Observer(settings, client, ledger, lambda: Moments(1000.0, 2000.0)).figures()


async def polled(settings: Settings) -> None:
    with open_ledger(settings) as ledger:
        async with runtime(settings, ledger) as parts:
            await Pass(parts, lambda _: None, asyncio.Event()).run(settings.resource_types)


async def test_the_lag_is_how_long_the_oldest_unhandled_change_has_waited(tmp_path: Path) -> None:
    first, second = generated_notes(2)
    with running_embedded() as base_url:
        settings = settings_of(base_url, tmp_path)
        put(base_url, first)
        time.sleep(1.1)
        assert 1.0 < (await looked(settings)).lag["DocumentReference"] < 60
        await polled(settings)
        seen = await looked(settings)
        assert seen.lag == {"DocumentReference": 0.0, "DiagnosticReport": 0.0}
        assert seen.notes == {("written", ""): 1}
        assert seen.up == {"ledger": True, "server": True}
        assert seen.moments == Moments(1000.0, 2000.0)
        time.sleep(1.1)
        begun = time.time()
        put(base_url, second)
        lag = (await looked(settings)).lag["DocumentReference"]
        assert 0 <= lag < time.time() - begun + 1  # and not the age of the watermark, which is 1.1 s more
        put(base_url, first | {"description": "amended"})
        assert (await looked(settings)).lag["DocumentReference"] > 0

    gone = await looked(settings)
    assert gone.up == {"ledger": True, "server": False}
    assert gone.lag == {}


async def test_a_ledger_that_fails_is_told_and_harms_nothing(tmp_path: Path) -> None:
    async def ledger() -> Ledger:
        raise LedgerError("gone")

    settings = settings_of("http://127.0.0.1:9/fhir", tmp_path)
    async with make_client(settings) as client:
        seen = await Observer(settings, client, ledger, Moments).figures()
    assert seen.up == {"ledger": False}


async def test_a_token_says_when_it_ends(tmp_path: Path) -> None:
    async def fetch() -> Token:
        return Token("secret", 300.0)

    tokens = Tokens(fetch)
    assert seconds_left(TokenAuth(tokens)) is None
    await tokens.current()
    assert 290 < (seconds_left(TokenAuth(tokens)) or 0) <= 300
    fixed = jwt.encode({"exp": int(time.time()) + 60}, "k" * 32)
    assert 55 < (seconds_left(BearerAuth(fixed)) or 0) <= 60
    for other in ("opaque", "a.b.c", jwt.encode({"exp": "soon"}, "k" * 32, headers={"x": 1}), "e30.W10.x"):
        assert seconds_left(BearerAuth(other)) is None
    assert seconds_left(None) is None

    given = settings_of("http://127.0.0.1:9/fhir", tmp_path, auth="bearer", token=fixed)
    assert list((await looked(given)).tokens) == ["read"]


def test_the_page_holds_every_figure() -> None:
    figures = Figures(
        notes={("written", ""): 118, ("failed", "timeout"): 2},
        moments=Moments(datetime(2026, 5, 1, tzinfo=UTC).timestamp(), None),
        lag={"DocumentReference": 12.5},
        tokens={"read": 1.7e9},
        up={"ledger": True, "server": False},
    )
    page = Metrics().page(figures).decode()
    for line in (
        'clinsum_notes{reason="timeout",status="failed"} 2.0',
        'clinsum_lag_seconds{resource_type="DocumentReference"} 12.5',
        'clinsum_token_expiry_timestamp_seconds{server="read"} 1.7e+09',
        'clinsum_part_up{part="server"} 0.0',
        "clinsum_last_good_pass_timestamp_seconds 1.7775936e+09",
        "clinsum_model_loaded 0.0",
    ):
        assert line in page.splitlines(), line
    assert not [line for line in page.splitlines() if line.startswith("clinsum_last_sign_of_life")]


def names(expression: str) -> set[str]:
    return set(re.findall(r"\bclinsum_\w+", expression))


def known_names() -> set[str]:
    found = set()
    for family in Metrics().registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(
            family.type, ("",)
        )
        found.update(f"{family.name}{suffix}" for suffix in suffixes)
    return found


def expressions(found: Any) -> list[str]:
    if isinstance(found, dict):
        own = [found["expr"]] if isinstance(found.get("expr"), str) else []
        return own + [text for value in found.values() for text in expressions(value)]
    return [text for value in found for text in expressions(value)] if isinstance(found, list) else []


def test_the_dashboard_and_the_alerts_name_metrics_that_exist() -> None:
    known = known_names()
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text("utf-8"))
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    for what in (board, rules):
        asked = expressions(what)
        assert len(asked) >= 8
        assert set().union(*map(names, asked)) <= known
        assert all(names(text) for text in asked)
    assert names(json.dumps(board["templating"])) <= known


def test_every_alert_leads_to_a_page_that_is_there() -> None:
    from tests.unit.test_docs import slugs

    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    for rule in rules:
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert anchor in slugs((ROOT / path).read_text("utf-8")), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")


@pytest.mark.parametrize("value", ["9464", "127.0.0.1", "host:port", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_refused(value: str) -> None:
    from jobs.settings import SettingsError

    with pytest.raises(SettingsError, match="RUN_ADDRESS"):
        load_settings({"run_address": value})


def test_what_is_no_code_of_ours_is_no_label() -> None:
    told = {("failed", "not-found"): 2, ("written", ""): 5, ("failed", "Jo Roe"): 1, ("failed", "x" * 9): 3}
    assert in_known_words(told) == {("failed", "not-found"): 2, ("written", ""): 5, ("failed", "other"): 4}
    assert in_known_words({("Jo Roe", "timeout"): 1}) == {("other", "timeout"): 1}
