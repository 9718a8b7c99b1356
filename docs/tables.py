"""Writes the tables of README.md, settings.md, reference.md and profiles.md that state what the code states.

Run it from the project's folder as `.venv/bin/python docs/tables.py`; the tests say when it is due.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from fhir_adapter.audit.findings import Finding
from fhir_adapter.profiles import definitions
from fhir_adapter.profiles.describe import ElementRow, rows
from fhir_adapter.profiles.examples import examples
from fhir_adapter.reasons import Reason
from jobs.settings import Settings
from jobs.settings.servers import ServerSettings
from jobs.settings.web import WebSettings
from jobs.settings.work import WorkSettings
from jobs.values import default_health_file
from jobs.web.problems import CODES

ROOT = Path(__file__).parent.parent


# What nearly everybody sets, for the first page.
FIRST_SETTINGS = (
    "fhir_base_url",
    "auth",
    "database_url",
    "budget",
    "engine",
    "interval",
    "resource_types",
    "note_types",
    "patients",
    "audit_events",
    "service_token",
)
# Each group of settings by the name of its place in settings.md.
GROUPS = {"servers": ServerSettings, "work": WorkSettings, "web": WebSettings}


def settings_table(names: Iterable[str]) -> str:
    """One row for each of these settings."""
    rows = [
        (f"`{Settings.model_config['env_prefix']}{name.upper()}`", _default(field), _meaning(field))
        for name in names
        for field in [Settings.model_fields[name]]
    ]
    return _table(("setting", "default", "what it does"), rows)


def reasons_table() -> str:
    """One row for each reason code, decisions before faults."""
    rows = [
        (
            f"`{reason.value}`",
            "failed" if reason.failure else "skipped",
            "" if not reason.failure else "at once" if reason.transient else "in six hours",
            reason.words,
        )
        for reason in Reason
    ]
    return _table(("code", "status", "again by itself", "in plain words"), rows)


def findings_table() -> str:
    """One row for each finding of the audit."""
    return _table(("code", "in plain words"), [(f"`{f.value}`", f.words) for f in Finding])


def profile_tables() -> dict[str, str]:
    """For each profile one row for each element that it explains, by the profile's id."""
    head = ("element", "how many", "holds", "example")
    return {
        identifier: _table(head, [_row(row) for row in rows(identifier, found)])
        for identifier, found in examples().items()
    }


def _row(row: ElementRow) -> tuple[str, ...]:
    example = row.example.replace("|", "\\|")
    return (f"`{row.element}`", row.cardinality, row.words, f"`{example}`" if example else "")


def codes_table() -> str:
    """One row for each code of our own."""
    return _table(
        ("code system", "code", "means"),
        [
            (f"`{resource['url']}`", f"`{concept['code']}`", concept["definition"])
            for resource in definitions()
            for concept in resource.get("concept", ())
        ],
    )


def problems_table() -> str:
    """One row for each problem of the web service."""
    rows = [(f"`{code}`", str(status), words) for code, (status, words) in CODES.items()]
    return _table(("code", "status", "in plain words"), rows)


def _default(field: FieldInfo) -> str:
    if field.default_factory is default_health_file:
        return "`run.prom` in the user's state folder"
    if field.default_factory is not None:  # the other default that depends on the machine
        return "SQLite in the user's state folder"
    value: Any = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`".replace("|", "\\|") if value != "" else ""


def _meaning(field: FieldInfo) -> str:
    text = (field.description or "").replace("|", "\\|")
    if get_origin(field.annotation) is Literal:
        text += " One of " + ", ".join(f"`{choice}`" for choice in get_args(field.annotation)) + "."
    return text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def filled(page: str, name: str, table: str) -> str:
    """The page with the table between the comments `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: the page has no such place.
    """
    place = re.compile(f"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    if not place.search(page):
        raise ValueError(f"there is no place for {name}")
    return place.sub(lambda _: f"{table}\n", page)


def pages() -> dict[Path, str]:
    """Each page as it should be."""
    readme, reference = ROOT / "README.md", ROOT / "docs" / "reference.md"
    settings, profiles = ROOT / "docs" / "settings.md", ROOT / "docs" / "profiles.md"
    every = settings.read_text("utf-8")
    for place, group in GROUPS.items():
        every = filled(every, place, settings_table(group.model_fields))
    page = filled(profiles.read_text("utf-8"), "codes", codes_table())
    for identifier, table in profile_tables().items():
        page = filled(page, identifier, table)
    tables = filled(reference.read_text("utf-8"), "reasons", reasons_table())
    return {
        readme: filled(readme.read_text("utf-8"), "settings", settings_table(FIRST_SETTINGS)),
        settings: every,
        reference: filled(filled(tables, "findings", findings_table()), "problems", problems_table()),
        profiles: page,
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, "utf-8")
