"""Options that several commands share."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from jobs.logs import configure_logging
from jobs.settings import Settings, SettingsError, load_settings
from jobs.unknown import unknown_settings

log = structlog.get_logger("clinsum.settings")

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting, as CLINSUM_NAME would give it. Repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else there.")]


def settings_from(sets: Iterable[str] | None, **also: str | None) -> Settings:
    """The settings of this process, with logging set up by them.

    Args:
        sets: values of `--set`.
        also: settings that a command's own options give; None where the option was not used.

    Raises:
        SettingsError: one sentence naming what to change.
    """
    overrides: dict[str, str] = {}
    for item in sets or ():
        name, equals, value = item.partition("=")
        if not equals:
            raise SettingsError(f"--set takes NAME=VALUE, and {name!r} has no '='.")
        overrides[name.strip()] = value
    overrides |= {name: value for name, value in also.items() if value is not None}
    settings = load_settings(overrides)
    configure_logging(settings.log_format, settings.log_level)
    for unknown in unknown_settings():
        log.warning("unknown-setting", message=unknown.words)
    return settings


def print_json(line: Mapping[str, Any]) -> None:
    """One JSON document on one line of standard output, at once."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """Where people read: standard output, or error, as wide as the terminal or 100 columns."""
    width = None if sys.stdout.isatty() else 100
    return Console(width=width, highlight=False, stderr=stderr)
