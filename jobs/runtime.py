"""Builds the parts of a pass from the settings, once per process, and takes them down again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from fhir_adapter import canonical
from fhir_adapter.filing.client import FilingClient
from fhir_adapter.reading.attachment import FetchLimits
from fhir_adapter.reading.patients import Patients
from fhir_adapter.reading.policy import Policy
from fhir_adapter.reading.selection import Selection
from fhir_adapter.reading.source import Source
from fhir_adapter.rest.auth import Credentials, auth_from
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.proxies import Proxies
from fhir_adapter.rest.recording_client import AuditedClient, Trail
from fhir_adapter.rest.tls import tls_context
from fhir_adapter.rest.token_endpoint import Web
from fhir_adapter.rest.two_servers import TwoServers
from fhir_adapter.text import Extractor, Limits
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.writer import Writer
from jobs.known_patients import PatientsOfLedger
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.passes.parts import Parts
from jobs.passes.scoring import Scorer, Summarizing
from jobs.settings import Settings, SettingsError
from jobs.values import parse_duration, read_secret
from summarizer import Summarizer
from summarizer.pinned.rules import rule_versions

log = structlog.get_logger("clinsum.runtime")


def software_version() -> str:
    """The installed version, or `0` where the code runs without being installed."""
    try:
        return version("clinical-ai-summarizer")
    except PackageNotFoundError:
        return "0"


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """A person whose own rights count in the place of this software's.

    Attributes:
        server: that the person's token is for: the one that is written to, else it stands for the one read.
        auth: shows that token.
        recorder: writes the AuditEvents, since such a token seldom may.
    """

    server: str
    auth: httpx.Auth
    recorder: FhirClient


def make_client(settings: Settings, retries: int | None = None, behalf: OnBehalf | None = None) -> FhirClient:
    """The FHIR client; nothing is sent yet.

    Args:
        settings: address, credentials and limits.
        retries: instead of the settings' number, where somebody waits for the answer.
        behalf: for whom, where that is not this software itself.

    Raises:
        SettingsError: the address or the credentials are not usable.
    """
    if behalf and behalf.server != settings.write_base_url:
        settings = settings.model_copy(update={"fhir_base_url": behalf.server})
    try:
        build: Callable[..., FhirClient] = partial(FhirClient, settings.fhir_base_url)
        if settings.audit_events:
            device = f"clinsum-{software_version().replace('.', '-')}"
            through = behalf.recorder if behalf else None
            build = partial(
                AuditedClient, settings.fhir_base_url, device=device, report=_report_trail, through=through
            )
        if settings.write_base_url:
            options = _options(settings, settings.write_base_url, "write_", retries, behalf)
            written = _filing(settings, FhirClient(settings.write_base_url, **options))
            build = partial(TwoServers, settings.fhir_base_url, written=written)
        client = build(**_options(settings, settings.fhir_base_url, "", retries, behalf))
    except ValueError as error:
        raise SettingsError(f"CLINSUM_FHIR_BASE_URL, the proxy or the credentials: {error}.") from None
    client = client if settings.write_base_url else _filing(settings, client)
    return client if behalf else _knowing(settings, client)


def _knowing(settings: Settings, client: FhirClient) -> FhirClient:
    """The client, which knows whom to ask for where a server wants a patient in each search."""
    ledger = partial(ledger_if_there, settings)
    client.patients = PatientsOfLedger(client, settings.patients, ledger)
    if isinstance(client, TwoServers):
        base = client.base_url
        client.written.patients = PatientsOfLedger(
            client, settings.patients, ledger, lambda name: f"{base}/{name}"
        )
    return client


def _filing(settings: Settings, server: FhirClient) -> FhirClient:
    """The server that is written to, in the form in which summaries stand there."""
    return FilingClient(server, settings.pipeline) if settings.write_as == "document" else server


def make_web(settings: Settings) -> Web:
    """How addresses of a login are reached; raises ValueError for what cannot be used."""
    tls = tls_context(settings.ca_file, settings.client_certificate, settings.client_certificate_key)
    return Web(tls, settings.timeout, proxies=Proxies(settings.proxy.get_secret_value()))


def _options(
    settings: Settings, base_url: str, prefix: str, retries: int | None, behalf: OnBehalf | None
) -> dict[str, Any]:
    """How one server is reached. Raises ValueError as `credentials`, and for what cannot be used."""
    web = make_web(settings)
    theirs = behalf.auth if behalf and behalf.server == base_url else None
    return {
        "auth": theirs or auth_from(credentials(settings, prefix), base_url, web),
        "tls": web.tls,
        "proxies": web.proxies,
        "timeout": settings.timeout,
        "retries": settings.retries if retries is None else retries,
        "max_connections": 2 * settings.concurrency,
    }


def credentials(settings: Settings, prefix: str = "") -> Credentials:
    """What the settings say about logging in.

    Args:
        settings: of the process.
        prefix: `write_` for the server that is written to, where it is another one.

    Raises:
        ValueError: the file of the private key cannot be read.
    """

    def value(name: str) -> str:
        found = getattr(settings, f"{prefix}{name}")
        return found.get_secret_value() if isinstance(found, SecretStr) else str(found)

    return Credentials(
        kind=getattr(settings, f"{prefix}auth"),
        username=value("username"),
        password=value("password"),
        token=value("token"),
        client_id=value("client_id"),
        client_secret=value("client_secret"),
        private_key=read_secret(value("private_key_file")) if value("auth") == "smart-backend" else "",
        key_id=value("key_id"),
        token_url=value("token_url"),
        scope=value("scope"),
        audience=settings.token_audience,
        resource=settings.token_resource,
        in_body=settings.client_secret_in_body,
        certified=bool(settings.client_certificate),
        documents=settings.write_as == "document" and (bool(prefix) or not settings.write_base_url),
    )


def _report_trail(trail: Trail) -> None:
    say = log.warning if trail.failed else log.info
    say("audit-events", written=trail.written, failed=trail.failed, error=trail.error or None)


def act_as(client: FhirClient, pipeline: Pipeline) -> None:
    """Names the pipeline's Device in the AuditEvents that follow, where these are switched on."""
    if isinstance(client, AuditedClient):
        client.observe(pipeline.device_id)


def make_summarizer(settings: Settings, *, defer: bool = False) -> Summarizer:
    """Loads the model. A bare `.pt` is put onto the encoder that ships.

    Args:
        settings: which model.
        defer: load weights when the first text has to be scored; a `.pt` is loaded at once.

    Raises:
        SummarizerError: the summarizer's own.
    """
    if settings.engine == "bertsum" and settings.model.endswith(".pt"):
        from summarizer.encoder.runtime import need_torch

        need_torch("A .pt")
        from summarizer.checkpoint import load_checkpoint

        return Summarizer(load_checkpoint(settings.model, settings.model_encoder or None, settings.device))
    precision = "mixed" if settings.precision == "auto" else settings.precision
    return Summarizer.from_pretrained(
        settings.model or None, settings.engine, settings.device, precision, defer=defer
    )


def for_readers(settings: Settings) -> Settings:
    """The settings where people change a summary's length: each length must come of the same scores."""
    return settings.model_copy(update={"precision": "fp32"}) if settings.precision == "auto" else settings


def make_plan(settings: Settings) -> str:
    """What computes, with which precision, and why, in words; errors as for `make_summarizer`."""
    if settings.engine == "lead":
        return "cpu: the first sentences need no model"
    from summarizer.encoder.files import find_model
    from summarizer.encoder.runtime import choose
    from summarizer.engines.registry import EngineOptions, quick_precision

    bare = settings.model.endswith(".pt")
    model = (settings.model_encoder if bare else settings.model) or None
    plain = settings.precision if settings.precision in ("fp32", "bf16") else "fp32"
    choice = choose(find_model(model), settings.device, plain, "torch" if bare else None)
    precision = choice.precision
    if settings.precision in ("auto", "mixed") and not bare:
        quick = quick_precision(settings.engine, EngineOptions(model, settings.device))
        precision = f"{quick}, and fp32 where a selection hangs by a hair" if quick != "fp32" else quick
    return f"{choice.device}: {choice.runtime}, {precision} ({choice.why})"


def make_pipeline(settings: Settings, summarizer: Summarizing) -> Pipeline:
    """Names everything that decides which sentences are chosen."""
    return Pipeline(
        name=settings.pipeline,
        software_version=software_version(),
        model=summarizer.model,
        settings=(("budget", settings.budget),),
        label=ai_label(settings),
        rules=rule_versions(),
    )


def ai_label(settings: Settings) -> tuple[str, str, str]:
    """The security label of what is written, as (system, code, display)."""
    system, code = settings.ai_label.split("|", 1)
    return system, code, "Artificial Intelligence asserted" if code == "AIAST" else ""


def fetch_limits(settings: Settings) -> FetchLimits:
    """What one attachment may cost."""
    return FetchLimits(
        max_bytes=settings.max_bytes,
        allowed_hosts=frozenset(settings.allowed_hosts),
        allow_private=settings.allow_private,
        timeout=max(settings.timeout, 1.0) * 4,
    )


def make_extractor(settings: Settings, patience: float | None = None) -> Extractor:
    """The text extraction with its workers, which start when needed; `patience` as in `Extractor`."""
    return Extractor(Limits(max_bytes=settings.max_bytes), patience=patience)


def make_source(settings: Settings, client: FhirClient) -> Source:
    """The walk over the server's notes."""
    return Source(
        client,
        derived_tag=canonical.EXTRACTED_TEXT_TAG,
        page_size=settings.page_size,
        overlap=parse_duration(settings.overlap),
        policy=make_policy(settings),
        selection=Selection(
            settings.note_types,
            settings.note_categories,
            settings.note_authors,
            settings.note_since,
            settings.note_until,
        ),
        patients=Patients(client, settings.patients) if settings.patients else None,
    )


def make_policy(settings: Settings) -> Policy:
    """Which statuses count as finished.

    They are looked at here and not asked of the server, so that a note that is taken back is still seen.
    """
    if not settings.note_statuses:
        return Policy()
    asked = frozenset(status.lower() for status in settings.note_statuses)
    return Policy(doc_statuses=asked, report_statuses=asked)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger of this server, or these two, and this pipeline."""
    server = " > ".join(filter(None, (settings.fhir_base_url, settings.write_base_url)))
    return Ledger(settings.database_url, server=server, pipeline=settings.pipeline)


@contextmanager
def ledger_if_there(settings: Settings) -> Iterator[Ledger | None]:
    """The ledger, or None: who only reads makes none, and may run where there is none."""
    url = sa.make_url(settings.database_url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file and file != ":memory:" and not Path(file).is_file():
        yield None
        return
    try:
        ledger = open_ledger(settings)
    except LedgerError:
        yield None
        return
    with ledger:
        yield ledger


@asynccontextmanager
async def runtime(
    settings: Settings, ledger: Ledger, loaded: Summarizing | None = None
) -> AsyncIterator[Parts]:
    """Reaches the server and loads the model, side by side.

    Args:
        settings: of the process.
        ledger: an open one.
        loaded: a model that is there already, instead of the settings'.

    Raises:
        ServerUnreachableError, NotFhirError, SettingsError, SummarizerError.
    """
    async with make_client(settings) as client, make_extractor(settings) as extractor:
        loading = asyncio.create_task(_loaded(settings, loaded))
        try:
            await client.capability()
        finally:
            summarizer = await loading
        pipeline = make_pipeline(settings, summarizer)
        act_as(client, pipeline)
        yield Parts(
            settings=settings,
            client=client,
            source=make_source(settings, client),
            extractor=extractor,
            scorer=Scorer(summarizer, settings.summary_budget, settings.note_limits),
            writer=Writer(client, pipeline, author=settings.author),
            ledger=ledger,
            pipeline=pipeline,
            limits=fetch_limits(settings),
        )


async def _loaded(settings: Settings, loaded: Summarizing | None) -> Summarizing:
    return await asyncio.to_thread(make_summarizer, settings, defer=True) if loaded is None else loaded
