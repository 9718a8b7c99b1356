"""`clinsum doctor`: the settings as resolved and each part tried, with the remedy where one is wrong."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import SecretStr

from fhir_adapter.writing.pipeline import Pipeline
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.diagnosis import Check, server_checks
from jobs.exits import Exit, say
from jobs.ledger.rows import LedgerError
from jobs.runtime import make_pipeline, make_plan, make_summarizer, open_ledger, software_version
from jobs.settings import Settings
from jobs.unknown import unknown_settings
from summarizer.errors import SummarizerError

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum doctor --set FHIR_BASE_URL=http://127.0.0.1:8080/fhir")(doctor)


def doctor(
    write_test: Annotated[
        bool,
        typer.Option(
            "--write-test",
            help="Also write what a pass writes first, and a Composition that is deleted again.",
        ),
    ] = False,
    load_model: Annotated[
        bool, typer.Option("--load-model", help="Also load the model's weights, and say where it computes.")
    ] = False,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Shows the settings as resolved and tries every part, as a pass will. Writes nothing unless asked to."""
    settings = settings_from(sets)
    model, pipeline = _model(settings, load=load_model)
    server, reached = asyncio.run(server_checks(settings, pipeline, write=write_test))
    database = list(_database(settings))
    checks = [*server, *database, *model, *_names()]
    shown = _shown(settings)
    if json:
        print_json({"settings": shown, "checks": [asdict(check) for check in checks]})
    else:
        out = console()
        out.print(f"clinsum {software_version()}")
        for check in checks:
            mark = f"[{_COLOURS[check.status]}]{check.status:<8}[/]"
            out.print(f"{mark} {check.name}: ", end="")
            out.print(check.value, markup=False)
            if check.remedy:
                out.print(f"         {check.remedy}", markup=False)
        out.print("\nSettings as resolved:")
        for name, value in shown.items():
            out.print(f"  CLINSUM_{name.upper()} = {value}", markup=False)
    unreachable = not reached or database[0].status == "failure"
    failed = any(c.status == "failure" for c in checks)
    raise typer.Exit(Exit.UNREACHABLE if unreachable else Exit.SOMETHING_FAILED if failed else Exit.DONE)


def _names() -> Iterator[Check]:
    """Names of the environment that nothing reads."""
    found = list(unknown_settings())
    for unknown in found:
        remedy = "Take it out, or write it as a setting is named." if not unknown.nearest else ""
        yield Check("names of settings", "warning", unknown.words, remedy)
    if not found:
        yield Check("names of settings", "ok", "each CLINSUM_ variable is a setting")


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


def _model(settings: Settings, *, load: bool) -> tuple[list[Check], Pipeline | None]:
    """The checks of the model, and the author of summaries that it makes."""
    try:
        summarizer = make_summarizer(settings, defer=not load)
        if load:
            summarizer.summarize(["Fever for two days."])
        computing = make_plan(settings)
    except SummarizerError as error:
        return [Check("model", "failure", say(error), "Check CLINSUM_MODEL and CLINSUM_ENGINE.")], None
    model = summarizer.model
    digest = f", weights {model.sha256[:12]}" if model.sha256 else ""
    checks = [
        Check("model", "ok", f"{model.engine}: {model.name}{digest}"),
        Check("device", "ok", computing if load else f"{computing}; --load-model tries it"),
    ]
    return checks, make_pipeline(settings, summarizer)
