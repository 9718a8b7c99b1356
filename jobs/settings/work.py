"""What a pass works with and how: ledger, model, limits, which notes; and what is said of it."""

import re
from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from fhir_adapter.reading.patients import is_patient_name
from fhir_adapter.stamps import nanoseconds
from jobs.settings.base import Names, SettingsGroup, http_address
from jobs.values import default_database_url, default_health_file, parse_budget, parse_duration
from summarizer.limits import NoteLimits
from summarizer.types import Budget


class WorkSettings(SettingsGroup):
    """Of a pass, wherever it runs."""

    database_url: str = Field(
        default_factory=default_database_url,
        description="The ledger: sqlite:///... or postgresql+psycopg://...",
    )
    engine: Literal["lead", "kmeans", "lexrank", "bertsum"] = Field("bertsum", description="What chooses.")
    model: str = Field("", description="A model folder, hub name or `.pt` file; empty for what ships.")
    model_encoder: str = Field("", description="Of a `.pt`: the folder or hub name of its encoder.")
    device: str = Field("auto", description="auto, cpu or cuda.")
    precision: Literal["auto", "fp32", "bf16", "mixed"] = Field(
        "auto",
        description="fp32, bf16, or mixed: bf16 where the processor has it, and a note again in fp32 where "
        "its selection hangs by a hair. auto: mixed in passes, fp32 where people change the length.",
    )
    budget: str = Field("auto", description="5 (sentences), 120w (words), 15% (of the note) or auto.")
    pipeline: str = Field("extractive", description="Names the kind of summary; one per note and name.")
    interval: str = Field("60s", description="Pause between two passes of `clinsum run`.")
    reconcile: str = Field("24h", description="How often `clinsum run` walks over everything; 0 for never.")
    health_file: str = Field(
        default_factory=default_health_file,
        description="Where `clinsum run` leaves its signs of life, which `clinsum health` reads.",
    )
    run_address: str = Field(
        "", description="Where `clinsum run` serves metrics and health: 127.0.0.1:9464; empty for nowhere."
    )
    wake_url: str = Field("", description="RUN_ADDRESS as the FHIR server reaches it, to wake `clinsum run`.")
    overlap: str = Field("10m", description="How far each pass looks back behind the last stamp it saw.")
    page_size: int = Field(50, ge=1, le=1000, description="Resources in one page of the server's answers.")
    concurrency: int = Field(8, ge=1, le=64, description="Requests to the server at a time.")
    timeout: float = Field(30.0, gt=0, description="Seconds to wait for an answer of the server.")
    retries: int = Field(5, ge=0, le=20, description="Repeats of a failed request.")
    max_bytes: int = Field(20_000_000, ge=1, description="Largest attachment that is read.")
    note_characters: int = Field(2_000_000, ge=1, description="Longest text of a note, in characters.")
    note_sentences: int = Field(5_000, ge=1, description="Most sentences of a note.")
    note_tokens: int = Field(100_000, ge=1, description="Most tokens of a note, about as many as words.")
    note_seconds: float = Field(
        60.0, gt=0, description="Seconds that cutting a note into sentences may take, and scoring them."
    )
    allowed_hosts: Names = Field(
        (),
        description="Other hosts that attachments may be fetched from: host (the usual port) or host:port.",
    )
    allow_private: bool = Field(
        False, description="Whether those hosts may have private addresses, as a hospital's own do."
    )
    resource_types: Names = Field(
        ("DocumentReference", "DiagnosticReport"), description="Which resources hold notes."
    )
    note_types: Names = Field(
        (), description="Only notes of these types (of a report: codes), as system|code or code."
    )
    note_categories: Names = Field((), description="Only notes of these categories, written likewise.")
    note_authors: Names = Field((), description="Only notes of these authors (of a report: performers).")
    note_statuses: Names = Field(
        (), description="Only documents with these values of docStatus, and reports with these of status."
    )
    note_since: str = Field("", description="Only notes whose own date is not before: 2026-01-31.")
    note_until: str = Field("", description="Only notes whose own date is not after.")
    patients: Names = Field(
        (), description="Search patient by patient: ids, system|value, Group/id, open-encounters, seen."
    )
    consent: bool = Field(True, description="Whether a patient's Consent that forbids it is obeyed.")
    ai_label: str = Field(
        "http://terminology.hl7.org/CodeSystem/v3-ObservationValue|AIAST",
        description="Security label of what is written, as system|code.",
    )
    author: Literal["auto", "device", "contained"] = Field(
        "auto",
        description="How summaries name what made them: device, one on the server; contained, one in each "
        "summary. auto: device, and contained where the server keeps a partition for each patient.",
    )
    audit_events: bool = Field(
        False, description="Whether reads and writes are recorded on the FHIR server as AuditEvents."
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Which are shown.")

    @field_validator("resource_types")
    @classmethod
    def _known_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or set(value) - {"DocumentReference", "DiagnosticReport"}:
            raise ValueError("only DocumentReference and DiagnosticReport hold notes")
        return value

    @field_validator("note_since", "note_until")
    @classmethod
    def _date(cls, value: str) -> str:
        if value and nanoseconds(value) is None:
            raise ValueError(f"{value!r} is no date such as 2026-01-31")
        return value

    @field_validator("patients")
    @classmethod
    def _patients(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(is_patient_name(item) for item in value):  # not shown: it may name a person
            raise ValueError("each must be an id, system|value, Group/id, open-encounters or seen")
        return value

    @field_validator("wake_url")
    @classmethod
    def _wake_address(cls, value: str) -> str:
        return http_address(value)

    @field_validator("run_address")
    @classmethod
    def _address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value and not (colon and host.strip("[]") and port.isdecimal() and int(port) < 65536):
            raise ValueError("it must be an address and a port, such as 127.0.0.1:9464")
        return value

    @field_validator("budget")
    @classmethod
    def _budget(cls, value: str) -> str:
        parse_budget(value)
        return value

    @field_validator("reconcile")
    @classmethod
    def _duration_or_never(cls, value: str) -> str:
        if value != "0":
            parse_duration(value)
        return value

    @field_validator("interval", "overlap")
    @classmethod
    def _duration(cls, value: str) -> str:
        parse_duration(value)
        return value

    @field_validator("ai_label")
    @classmethod
    def _label(cls, value: str) -> str:
        if not re.fullmatch(r"[^|\s]+\|[^|\s]+", value):
            raise ValueError("it must be system|code")
        return value

    @model_validator(mode="after")
    def _somebody_to_wake(self) -> Self:
        if self.wake_url and not self.run_address:
            raise ValueError("WAKE_URL needs CLINSUM_RUN_ADDRESS, where it leads to")
        return self

    @property
    def reconcile_every(self) -> timedelta | None:
        """How often everything is walked over; None for never."""
        return None if self.reconcile == "0" else parse_duration(self.reconcile)

    @property
    def note_limits(self) -> NoteLimits:
        """What one note may cost behind its extraction."""
        return NoteLimits(self.note_characters, self.note_sentences, self.note_tokens, self.note_seconds)

    @property
    def summary_budget(self) -> Budget | None:
        """The budget as the summarizer takes it."""
        return parse_budget(self.budget)
