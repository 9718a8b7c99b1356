"""`clinsum doctor`: the settings as resolved and each part tried, with the remedy where one is wrong."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import typer
from pydantic import SecretStr

from fhir_adapter.errors import FhirAdapterError, HttpStatusError, LoginError
from fhir_adapter.profiles import VERSION
from fhir_adapter.profiles.upload import is_loaded
from fhir_adapter.rest.capability import Capability
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.smart import NEEDED, missing
from fhir_adapter.rest.tokens import TokenAuth
from fhir_adapter.writing.label_trial import FALLBACK, LabelVerdict, Trial, try_label
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, say
from jobs.ledger.rows import LedgerError
from jobs.runtime import make_client, make_source, make_summarizer, open_ledger, software_version
from jobs.settings import Settings
from summarizer.errors import SummarizerError

Verdict = Literal["ok", "warning", "failure"]
_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, the verdict, what was seen, and what to do about it."""

    name: str
    status: Verdict
    value: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum doctor --set FHIR_BASE_URL=http://127.0.0.1:8080/fhir")(doctor)


def doctor(json: AsJson = False, sets: Sets = None) -> None:
    """Shows the settings as resolved and tries every part."""
    settings = settings_from(sets)
    server = list(asyncio.run(_server(settings)))
    database = list(_database(settings))
    checks = [*server, *database, *_model(settings)]
    shown = _shown(settings)
    if json:
        print_json({"settings": shown, "checks": [asdict(check) for check in checks]})
    else:
        out = console()
        out.print(f"clinsum {software_version()}")
        for name, value in shown.items():
            out.print(f"  CLINSUM_{name.upper()} = {value}", markup=False)
        for check in checks:
            mark = f"[{_COLOURS[check.status]}]{check.status:<8}[/]"
            out.print(f"{mark} {check.name}: {check.value}")
            if check.remedy:
                out.print(f"         {check.remedy}", markup=False)
    unreachable = any(c.status == "failure" for c in (server[0], database[0]))
    failed = any(c.status == "failure" for c in checks)
    raise typer.Exit(Exit.UNREACHABLE if unreachable else Exit.SOMETHING_FAILED if failed else Exit.DONE)


def _shown(settings: Settings) -> dict[str, str]:
    shown = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = "***" if value.get_secret_value() else ""
        elif isinstance(value, tuple):
            value = ",".join(value)
        shown[name] = str(value)
    shown["database_url"] = _without_password(settings.database_url)
    return shown


def _without_password(url: str) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "***"


async def _server(settings: Settings) -> list[Check]:
    name = "FHIR server"
    try:
        async with make_client(settings, retries=1) as client:
            capability = await client.capability()
            software = f"{capability.software or 'unnamed software'} {capability.software_version or ''}"
            checks = [Check(name, "ok", f"{software.strip()}, FHIR {capability.fhir_version}")]
            checks += _login(client)
            checks += _writing(capability)
            checks += await _searching(settings, client)
            trial = await try_label(client, *settings.ai_label.split("|", 1))
            checks.append(await _label(settings, client, trial))
            checks.append(await _profiles(client, trial))
            return checks
    except LoginError as error:
        return [Check("login", "failure", say(error), "See docs/servers.md for what to set.")]
    except FhirAdapterError as error:
        return [Check(name, "failure", say(error), "Check CLINSUM_FHIR_BASE_URL and that the server is up.")]


def _login(client: FhirClient) -> Iterator[Check]:
    """Whether the token in hand allows what a pass does, where its endpoint says what it allows."""
    if not isinstance(client.auth, TokenAuth):
        return
    granted = client.auth.tokens.scope
    lacking = missing(granted, NEEDED.items())
    if not lacking:
        yield Check("login", "ok", "a token with all scopes" if granted else "a token; scopes are not stated")
        return
    value = f"a token without {', '.join(lacking)}"
    yield Check("login", "warning", value, "Have the client registered for these, and see CLINSUM_SCOPE.")


def _writing(capability: Capability) -> Iterator[Check]:
    if capability.update_create("Composition"):
        yield Check("ids from clients", "ok", "updateCreate")
    else:
        value = "updateCreate is not stated; the first pass tries, and writes by identifier if need be"
        yield Check("ids from clients", "ok", value)
    if capability.transaction:
        yield Check("transactions", "ok", "supported")
    else:
        value = "the server does not say that it takes transactions"
        yield Check("transactions", "failure", value, "Summaries are written by transactions only.")


async def _searching(settings: Settings, client: FhirClient) -> list[Check]:
    checks = []
    source = make_source(settings, client)
    for resource_type in settings.resource_types:
        name = f"changes of {resource_type}"
        strategy = await source.strategy(resource_type)
        if strategy.fallback:
            checks.append(Check(name, "warning", strategy.fallback))
            continue
        try:
            async for page in client.search(resource_type, [("_count", "1"), ("_sort", "_lastUpdated")]):
                seen = "there are some" if page.resources else "there are none yet"
                checks.append(Check(name, "ok", f"by _lastUpdated; {seen}"))
                break
        except HttpStatusError as error:
            checks.append(Check(name, "failure", say(error), "Grant these credentials search and read."))
    return checks


async def _label(settings: Settings, client: FhirClient, trial: Trial) -> Check:
    name, code = "label", settings.ai_label.rpartition("|")[2]
    if trial.left_behind:
        value = f"{trial.left_behind}, made to try the label {code}, could not be deleted"
        return Check(name, "warning", value, "Delete it; it concerns nobody.")
    if trial.verdict is LabelVerdict.TAKEN:
        return Check(name, "ok", f"{code} is taken ({trial.way})")
    if trial.verdict is LabelVerdict.UNTRIED:
        value = f"{code} was not tried: the server offers neither $validate nor deletion"
        return Check(
            name, "warning", value, "If writes are refused, set CLINSUM_AI_LABEL to a code it knows."
        )
    system, other = FALLBACK
    remedy = "Set CLINSUM_AI_LABEL to a code that it knows, as system|code."
    if (await try_label(client, system, other)).verdict is LabelVerdict.TAKEN:
        remedy = f"Set CLINSUM_AI_LABEL={system}|{other}, which it takes."
    if trial.verdict is LabelVerdict.REFUSED:
        return Check(name, "failure", f"the server refuses what carries {code}", remedy)
    value = f"the server does not know {code}, and refuses it if it validates what is written"
    return Check(name, "warning", value, remedy)


async def _profiles(client: FhirClient, trial: Trial) -> Check:
    name = "profiles"
    try:
        loaded = await is_loaded(client)
    except HttpStatusError:
        loaded = False
    if loaded:
        return Check(name, "ok", f"loaded, ours are of version {VERSION}")
    if trial.way != "$validate":
        return Check(name, "ok", "not loaded, and the server does not validate")
    value = "not loaded; a server that validates what is written refuses profiles that it does not know"
    return Check(name, "warning", value, "Load them: clinsum profiles --load")


def _database(settings: Settings) -> Iterator[Check]:
    try:
        with open_ledger(settings) as ledger:
            rows = sum(ledger.counts().values())
            marks = [ledger.watermark(t) for t in settings.resource_types]
    except LedgerError as error:
        yield Check("database", "failure", say(error), "Check CLINSUM_DATABASE_URL.")
    else:
        newest = max((m for m in marks if m), default="none yet")
        yield Check("database", "ok", f"{rows} notes known, watermark {newest}")


def _model(settings: Settings) -> Iterator[Check]:
    try:
        summarizer = make_summarizer(settings)
    except SummarizerError as error:
        yield Check("model", "failure", say(error), "Check CLINSUM_MODEL and CLINSUM_ENGINE.")
        return
    model = summarizer.model
    digest = f", weights {model.sha256[:12]}" if model.sha256 else ""
    yield Check("model", "ok", f"{model.engine}: {model.name}{digest}")
    yield Check("device", "ok", summarizer.device)
