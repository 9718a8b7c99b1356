"""What is known of this build: version, model, settings, figures; each from where it is kept."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from jobs.runtime import make_summarizer, software_version
from jobs.settings import Settings
from summarizer.encoder.files import PRETRAINED
from summarizer.pinned.rules import rule_versions

NOT_KNOWN = "Not known to this software."
_PROJECT = "clinical-ai-summarizer"


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the running build.

    Attributes:
        model: name of the model that chooses; `sha256` of its weights, or "".
        card: the sections of the model's card by their title; empty where the model has none.
        measured: the section of the README that states figures with their commands, or "".
        settings: those that decide what is chosen, by name.
        rules: id and version of each rule that pins lines.
        made: when this was asked, to the second.
    """

    version: str
    engine: str
    model: str
    sha256: str
    card: dict[str, str]
    measured: str
    settings: dict[str, str]
    rules: tuple[tuple[str, int], ...]
    made: str

    def said(self, section: str) -> str:
        """A section of the model's card, or that nothing is known."""
        return self.card.get(section) or f"{NOT_KNOWN} The model's card has no section “{section}”."


def facts_of(settings: Settings, now: datetime | None = None) -> Facts:
    """Reads what the build says of itself; loads no weights.

    Raises:
        SummarizerError: the model that the settings name cannot be used.
    """
    model = make_summarizer(settings, defer=True).model
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    return Facts(
        version=software_version(),
        engine=model.engine,
        model=model.name,
        sha256=model.sha256,
        card=_card(settings),
        measured=sections(_readme()).get("Measured", ""),
        settings={
            "ENGINE": settings.engine,
            "BUDGET": settings.budget,
            "PIPELINE": settings.pipeline,
            "AI_LABEL": settings.ai_label,
            "CONSENT": str(settings.consent).lower(),
            "AUDIT_EVENTS": str(settings.audit_events).lower(),
        },
        rules=rule_versions(),
        made=moment.isoformat(),
    )


def sections(page: str) -> dict[str, str]:
    """The parts of a Markdown page under headings of the second level, by these."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {title.strip(): text.strip() for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def _card(settings: Settings) -> dict[str, str]:
    """Of the model's folder; a model that is no folder here, and an engine without one, have none."""
    if settings.engine != "bertsum":
        return {}
    folder = Path(settings.model).expanduser() if settings.model else PRETRAINED
    try:
        return sections((folder / "README.md").read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def _readme() -> str:
    """Beside the packages in a checkout; else as the installed distribution carries it."""
    path = Path(__file__).parents[2] / "README.md"
    if path.is_file():
        return path.read_text("utf-8")
    try:
        return str(metadata(_PROJECT).json.get("description") or "")
    except PackageNotFoundError:
        return ""
