"""One settings object per process: environment, `.env`, `--set`, validated at start.

Every name carries the prefix `CLINSUM_` in the environment. `clinsum doctor` shows the values as resolved.
"""

import hashlib
import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fhir_adapter.reading.patients import is_patient_name
from fhir_adapter.stamps import nanoseconds
from jobs.values import (
    default_database_url,
    default_health_file,
    parse_budget,
    parse_duration,
    read_secret,
)
from summarizer.limits import NoteLimits
from summarizer.types import Budget

Names = Annotated[tuple[str, ...], NoDecode]
Auth = Literal["none", "basic", "bearer", "smart-backend", "client-secret"]

_NEEDED = {
    "basic": ("username", "password"),
    "bearer": ("token",),
    "smart-backend": ("client_id", "private_key_file"),
    "client-secret": ("client_id", "client_secret"),
}


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that says what to change."""


class Settings(BaseSettings):
    """All settings. A line under each says what it does."""

    model_config = SettingsConfigDict(
        env_prefix="CLINSUM_", env_file=".env", extra="ignore", str_strip_whitespace=True
    )

    fhir_base_url: str = Field("http://127.0.0.1:8080/fhir", description="Base of the FHIR R4 server.")
    auth: Auth = Field("none", description="How to log in there.")
    username: str = Field("", description="For AUTH=basic.")
    password: SecretStr = Field(SecretStr(""), description="For AUTH=basic.")
    password_file: str = Field("", description="A file that holds it instead.")
    token: SecretStr = Field(SecretStr(""), description="For AUTH=bearer.")
    token_file: str = Field("", description="A file that holds it instead.")
    client_id: str = Field("", description="For AUTH=smart-backend and client-secret.")
    client_secret: SecretStr = Field(SecretStr(""), description="For AUTH=client-secret.")
    client_secret_file: str = Field("", description="A file that holds it instead.")
    client_secret_in_body: bool = Field(False, description="Whether the secret goes as a form field.")
    private_key_file: str = Field(
        "", description="For AUTH=smart-backend: PEM or JSON Web Key, RSA (RS384) or P-384 (ES384)."
    )
    key_id: str = Field("", description="Its `kid`; else what the key says, else its thumbprint.")
    published_key_files: Names = Field(
        (), description="Further keys that `clinsum keys` and `clinsum serve` publish: the next, the former."
    )
    token_url: str = Field("", description="Token endpoint, where the server's SMART configuration has none.")
    token_audience: str = Field("", description="What a signed statement is for, if not the endpoint.")
    token_resource: str = Field("", description="The field `resource` for endpoints that want it.")
    scope: str = Field("", description="What to ask for; for smart-backend what is needed, unless set.")
    ca_file: str = Field("", description="PEM file of further authorities to trust.")
    client_certificate: str = Field("", description="PEM file of the certificate to show (mutual TLS).")
    client_certificate_key: str = Field("", description="PEM file of its key, if not in the same file.")
    proxy: SecretStr = Field(
        SecretStr(""),
        description="The proxy to the FHIR server and its login: http://host:port, none, or empty for what "
        "HTTPS_PROXY and its like say.",
    )
    write_base_url: str = Field(
        "", description="Base of another server for what is written; FHIR_BASE_URL is then only read."
    )
    write_auth: Auth = Field("none", description="How to log in there.")
    write_username: str = Field("", description="For WRITE_AUTH=basic.")
    write_password: SecretStr = Field(SecretStr(""), description="For WRITE_AUTH=basic.")
    write_password_file: str = Field("", description="A file that holds it instead.")
    write_token: SecretStr = Field(SecretStr(""), description="For WRITE_AUTH=bearer.")
    write_token_file: str = Field("", description="A file that holds it instead.")
    write_client_id: str = Field("", description="For WRITE_AUTH=smart-backend and client-secret.")
    write_client_secret: SecretStr = Field(SecretStr(""), description="For WRITE_AUTH=client-secret.")
    write_client_secret_file: str = Field("", description="A file that holds it instead.")
    write_private_key_file: str = Field("", description="For WRITE_AUTH=smart-backend.")
    write_key_id: str = Field("", description="As KEY_ID.")
    write_token_url: str = Field("", description="As TOKEN_URL.")
    write_scope: str = Field("", description="As SCOPE.")
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
    audit_events: bool = Field(
        False, description="Whether reads and writes are recorded on the FHIR server as AuditEvents."
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Which are shown.")
    service_token: SecretStr = Field(
        SecretStr(""),
        description="What clients of `clinsum serve` show as bearer token: several by comma, each at least "
        "24 characters, or `sha256:` and its hash in hex.",
    )
    session_secret: SecretStr = Field(
        SecretStr(""),
        description="What the sessions of browsers are signed with, at least 32 characters, the same in "
        "every replica; empty for one that each process makes for itself.",
    )
    oidc_issuer: str = Field("", description="Takes tokens (JWT) of this OpenID Connect issuer as well.")
    oidc_audience: str = Field("", description="The audience that these tokens must name.")
    cds_clients: Names = Field((), description="EHRs that call `/cds-services`: issuer|its JWK Set.")
    serve_proxy: Names = Field((), description="Addresses or networks of the proxy in front of the service.")
    serve_certificate: str = Field("", description="PEM file of the service's TLS certificate chain.")
    serve_key: str = Field("", description="PEM file of its private key.")
    serve_batch_tokens: int = Field(
        4096, ge=1, le=1_000_000, description="The model is given about so many tokens at a time."
    )
    serve_wait: float = Field(
        5.0, ge=0, le=1000, description="Milliseconds that a request waits for others to fill a batch."
    )
    serve_queue: int = Field(
        64, ge=1, le=100_000, description="Requests that may wait for the model; beyond these: 503."
    )
    serve_queue_tokens: int = Field(
        200_000, ge=1, le=1_000_000_000, description="About so many tokens may wait for the model."
    )
    serve_timeout: float = Field(60.0, gt=0, description="Seconds that one request may take.")
    serve_rate: int = Field(600, ge=0, description="Requests a minute of one client; 0 sets no limit.")
    serve_connections: int = Field(
        1024, ge=1, le=1_000_000, description="Connections at a time; a new one ends the longest silent."
    )
    serve_client_connections: int = Field(
        128, ge=1, le=1_000_000, description="Of these, from one address, unless it is the proxy's."
    )
    serve_silence: float = Field(
        20.0, gt=0, description="Seconds for a request's head to come, and for an answer to be taken on."
    )
    serve_batch_items: int = Field(
        256, ge=1, le=100_000, description="Texts in one call of `/v1/summaries:batch`."
    )

    @field_validator(
        "allowed_hosts",
        "resource_types",
        "serve_proxy",
        "cds_clients",
        "published_key_files",
        "note_types",
        "note_categories",
        "note_authors",
        "note_statuses",
        "patients",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

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

    @field_validator("serve_proxy")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            try:
                ip_network(item)
            except ValueError:
                raise ValueError(f"{item!r} is no address or network such as 10.0.0.0/8") from None
        return value

    @field_validator("fhir_base_url", "write_base_url", "wake_url")
    @classmethod
    def _http_url(cls, value: str, info: ValidationInfo) -> str:
        named = value or info.field_name == "fhir_base_url"
        if named and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise ValueError("it must be an http:// or https:// address")
        return value.rstrip("/")

    @field_validator("token_url", "write_token_url")
    @classmethod
    def _no_credentials_in_it(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/@?#]+([/?][^\s#]*)?", value):
            raise ValueError("it must be an http:// or https:// address without credentials")
        return value

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
    def _from_files(self) -> Self:
        """Secrets out of files, as orchestrators mount them; a file beside the value itself is a mistake."""
        secrets = ("password", "token", "client_secret")
        for name in (*secrets, *(f"write_{name}" for name in secrets)):
            path = getattr(self, f"{name}_file")
            if not path:
                continue
            if getattr(self, name).get_secret_value():
                upper = name.upper()
                raise ValueError(f"set CLINSUM_{upper} or CLINSUM_{upper}_FILE, not both")
            setattr(self, name, SecretStr(read_secret(path)))
        return self

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        for prefix in ("", "write_"):
            kind = getattr(self, f"{prefix}auth")
            missing = [name for name in _NEEDED.get(kind, ()) if not self._given(prefix, name)]
            if missing:
                needed = " and ".join(f"CLINSUM_{prefix}{name}".upper() for name in _NEEDED[kind])
                raise ValueError(f"{prefix.upper()}AUTH={kind} needs {needed}")
        return self

    def _given(self, prefix: str, name: str) -> bool:
        value = getattr(self, f"{prefix}{name}")
        shown = name == "client_secret" and self.client_certificate
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value) or bool(shown)

    @model_validator(mode="after")
    def _two_servers(self) -> Self:
        """Summaries of another server's notes may stand on the one that is written to, so names differ."""
        if self.write_base_url and self.audit_events:
            raise ValueError("AUDIT_EVENTS=true is for one server alone, without CLINSUM_WRITE_BASE_URL")
        if self.write_base_url == self.fhir_base_url:
            raise ValueError("WRITE_BASE_URL is CLINSUM_FHIR_BASE_URL; leave it empty for one server")
        if self.write_base_url:
            digest = hashlib.sha256(self.fhir_base_url.encode()).hexdigest()[:8]
            self.pipeline = f"{self.pipeline.removesuffix(f'-{digest}')}-{digest}"
        return self

    @property
    def server_named(self) -> bool:
        """Whether somebody named the FHIR server, as against the default."""
        return "fhir_base_url" in self.model_fields_set

    @model_validator(mode="after")
    def _somebody_to_wake(self) -> Self:
        if self.wake_url and not self.run_address:
            raise ValueError("WAKE_URL needs CLINSUM_RUN_ADDRESS, where it leads to")
        return self

    @property
    def written_to(self) -> str:
        """Base of the server that summaries are written to."""
        return self.write_base_url or self.fhir_base_url

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
