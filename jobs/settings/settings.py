"""All settings of a process, and how they are read."""

import hashlib
from typing import Self

from pydantic import ValidationError, model_validator

from jobs.settings.base import SettingsError
from jobs.settings.servers import ServerSettings
from jobs.settings.web import WebSettings
from jobs.settings.work import WorkSettings


class Settings(WebSettings, WorkSettings, ServerSettings):
    """All settings.

    Of several bases pydantic takes the fields of the last one first; a validator takes the place of one of
    the same name in a base after it, so that each has a name of its own.
    """

    @property
    def launching_servers(self) -> tuple[str, ...]:
        """Base addresses of the servers whose records may launch the patient page."""
        return self.smart_servers or (self.fhir_base_url,)

    @model_validator(mode="after")
    def _two_servers(self) -> Self:
        """Summaries of another server's notes may stand on the one that is written to, so names differ."""
        if self.write_base_url and self.audit_events:
            raise ValueError("AUDIT_EVENTS=true is for one server alone, without CLINSUM_WRITE_BASE_URL")
        if self.write_as == "document" and self.audit_events:
            raise ValueError("AUDIT_EVENTS=true is for CLINSUM_WRITE_AS=composition alone")
        if self.write_base_url == self.fhir_base_url:
            raise ValueError("WRITE_BASE_URL is CLINSUM_FHIR_BASE_URL; leave it empty for one server")
        if self.write_base_url:
            digest = hashlib.sha256(self.fhir_base_url.encode()).hexdigest()[:8]
            self.pipeline = f"{self.pipeline.removesuffix(f'-{digest}')}-{digest}"
        return self


def load_settings(overrides: dict[str, str] | None = None) -> Settings:
    """Reads and checks the settings.

    Args:
        overrides: from `--set NAME=VALUE`, with or without the prefix, any case.

    Raises:
        SettingsError: with one sentence naming the setting and what is wrong with it.
    """
    given = {name.lower().removeprefix("clinsum_"): value for name, value in (overrides or {}).items()}
    unknown = sorted(set(given) - set(Settings.model_fields))
    if unknown:
        raise SettingsError(f"There is no setting {unknown[0].upper()}; see `clinsum doctor` for the names.")
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        name = f"CLINSUM_{where.upper()}" if where else "Settings"
        raise SettingsError(f"{name}: {problem['msg'].removeprefix('Value error, ')}.") from None
