"""What `clinsum doctor` asks of a FHIR server: the requests that a pass will make, one by one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fhir_adapter.errors import (
    FhirAdapterError,
    HttpStatusError,
    LoginError,
    PolicyError,
    RefusedError,
    ServerUnreachableError,
    UnconfirmedError,
)
from fhir_adapter.filing.client import filing, survey
from fhir_adapter.profiles import VERSION
from fhir_adapter.profiles.upload import is_loaded
from fhir_adapter.reading.source import Source
from fhir_adapter.rest.capability import Capability
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.proxies import Proxies
from fhir_adapter.rest.searching import search_by
from fhir_adapter.rest.smart import missing, needed
from fhir_adapter.rest.tokens import TokenAuth
from fhir_adapter.rest.two_servers import TwoServers
from fhir_adapter.writing.label_trial import FALLBACK, LabelVerdict, Trial, try_label
from fhir_adapter.writing.lifecycle import read_existing
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.recall import RecalledError, authors
from fhir_adapter.writing.server_trial import TransactionTrial, try_transaction
from fhir_adapter.writing.writer import Writer
from jobs.exits import say
from jobs.forms import said_of_form
from jobs.ledger.looks import some_held
from jobs.ledger.rows import LedgerError
from jobs.passes.deletions import LOOK as KNOWN_LOOKED_AT
from jobs.passes.standing import LOOK, Stand, stand
from jobs.runtime import make_client, make_source, open_ledger
from jobs.searches import ignored_searches, refused_searches
from jobs.settings import Settings

Verdict = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, the verdict, what was seen, and what to do about it."""

    name: str
    status: Verdict
    value: str
    remedy: str = ""


_NAME = "FHIR server"
_GRANT = "Grant these credentials read and search of {}."
_WANTS_MORE = (
    "The server does not take this search, which a pass needs. If it wants a patient in every search, set "
    "CLINSUM_PATIENTS."
)
_NOBODY = "DocumentReference/clinsum-doctor"


async def server_checks(
    settings: Settings, pipeline: Pipeline | None, *, write: bool
) -> tuple[list[Check], bool]:
    """Asks what a pass asks; the first check says whether the server is there at all.

    Args:
        settings: of the process.
        pipeline: the author that a pass would register; None where the model cannot be used.
        write: also write what a pass writes before its first note, and a Composition that is deleted again.

    Returns:
        The checks, and whether a FHIR server answers there, be it only to refuse us.
    """
    proxies = Proxies(settings.proxy.get_secret_value())
    try:
        async with make_client(settings, retries=1) as client:
            way = Check("proxy", "ok", proxies.words(settings.fhir_base_url))
            other = await _written_to(client)
            if any(check.status == "failure" for check in other):
                return other, False
            capability = await client.capability()
            software = f"{capability.software or 'unnamed software'} {capability.software_version or ''}"
            checks = [
                Check(_NAME, "ok", f"{software.strip()}, FHIR {capability.fhir_version}"),
                way,
                *other,
                *_login(client),
            ]
            try:
                checks += [check async for check in _asked(settings, client, capability, pipeline, write)]
            except ServerUnreachableError as error:
                checks.append(Check("answers", "failure", say(error), "See the server's own log."))
            return checks, True
    except RefusedError as error:
        return [_refused(error)], True
    except LoginError as error:
        return [Check("login", "failure", say(error), "See docs/servers.md for what to set.")], True
    except FhirAdapterError as error:
        remedy = "Check CLINSUM_FHIR_BASE_URL, the proxy and that the server is up."
        return [Check(_NAME, "failure", say(error), remedy), way], False


async def _written_to(client: FhirClient) -> list[Check]:
    """Of the other server, where summaries are written to one."""
    if not isinstance(client, TwoServers):
        return []
    name = "server written to"
    try:
        capability = await client.written.capability()
    except FhirAdapterError as error:
        return [Check(name, "failure", say(error), "Check CLINSUM_WRITE_BASE_URL and CLINSUM_WRITE_AUTH.")]
    software = f"{capability.software or 'unnamed software'} {capability.software_version or ''}"
    value = f"{software.strip()}; notes stand under {client.base_url} in what is written there"
    return [Check(name, "ok", value), *_login(client.written)]


def _login(client: FhirClient) -> Iterator[Check]:
    """Whether the token in hand allows what a pass does, where its endpoint says what it allows."""
    if not isinstance(client.auth, TokenAuth):
        return
    granted = client.auth.tokens.scope
    if lacking := missing(granted, needed(documents=bool(filing(client))).items()):
        value = f"a token without {', '.join(lacking)}"
        yield Check("login", "warning", value, "Have the client registered for these, and see CLINSUM_SCOPE.")
    else:
        yield Check("login", "ok", "a token with all scopes" if granted else "a token; scopes are not stated")


def _refused(error: RefusedError) -> Check:
    """The server is up, and does not let us in."""
    value = f"it is up and refuses these credentials: {say(error)}"
    return Check(_NAME, "failure", value, "Check CLINSUM_AUTH and the credentials that go with it.")


async def _asked(
    settings: Settings, client: FhirClient, capability: Capability, pipeline: Pipeline | None, write: bool
) -> AsyncIterator[Check]:
    if form := await said_of_form(client):
        yield Check("form of summaries", *form)
    if not filing(client):
        trial = await _transaction(client) if write else None
        for check in _writing(capability, trial):
            yield check
    yield await _tried("authors", "Device", lambda: _authors(client))
    for resource_type in settings.resource_types:
        yield await _changes(settings, client, resource_type)
    async for check in _parameters(client):
        yield check
    if by_patient := await _partitions(settings, client):
        yield by_patient
    for check_name, look in _summaries(client, pipeline):
        yield await _tried(check_name, "Composition" if check_name == "summaries" else "Provenance", look)
    if pipeline and (known := await _known(settings, client)):
        yield known
    try:
        label = await try_label(client, *settings.ai_label.split("|", 1), write=write)
        yield await label_check(settings, client, label, write=write)
        yield await profiles_check(client, label)
    except RefusedError as error:
        yield Check("label", "warning", f"not tried: {say(error)}", "Grant $validate of Composition.")
    if write and pipeline:
        yield await _write_test(settings, client, pipeline)


async def _tried(name: str, resource_type: str, look: Callable[[], Awaitable[str]]) -> Check:
    """One request of a pass; what went wrong, and the remedy that fits it."""
    try:
        return Check(name, "ok", await look())
    except RefusedError as error:
        return Check(name, "failure", say(error), _GRANT.format(resource_type))
    except HttpStatusError as error:
        remedy = _WANTS_MORE if error.status < 500 else "See the server's own log."
        return Check(name, "failure", say(error), remedy)
    except FhirAdapterError as error:
        if isinstance(error, ServerUnreachableError):
            raise
        return Check(name, "failure", say(error), "A pass needs an answer of FHIR here.")


async def _authors(client: FhirClient) -> str:
    await survey(client)
    found = await authors(client)
    recalled = sum(bool(author.recalled) for author in found)
    return f"{len(found)} pipeline versions have written here, {recalled} of them recalled"


def _summaries(
    client: FhirClient, pipeline: Pipeline | None
) -> Iterator[tuple[str, Callable[[], Awaitable[str]]]]:
    async def chains() -> str:
        if pipeline is None:
            await _first(client, "Composition", [("_count", "1")])
        else:
            await Writer(client, pipeline).chains([_NOBODY])
        await client.read_if_there("Composition/clinsum-doctor")  # as before each write
        return "searched by id, and read"

    async def provenances() -> str:
        if client.lacking.has("Provenance", "entity"):
            await _first(client, "Provenance", [("_count", "1")])  # or is it that none may be read at all?
            return "not searched by source: a recall goes by Compositions alone"
        await _first(client, "Provenance", [("entity", _NOBODY), ("_count", "1")])
        return "searched by source, as `clinsum withdraw` does"

    yield "summaries", chains
    yield "provenances", provenances


async def _known(settings: Settings, client: FhirClient) -> Check | None:
    """Whether the server still has summaries that the ledger knows; None where the ledger says nothing."""
    name, gone = "known summaries", 0
    try:
        with open_ledger(settings) as ledger:
            rows = await asyncio.to_thread(some_held, ledger, LOOK)
        for row in rows:
            there = await client.read_if_there(f"Composition/{row.composition}")
            chain = (read_existing(there),) if there else ()
            gone += stand(row, chain) is Stand.LOST
    except (LedgerError, HttpStatusError):
        return None  # said by the checks of the database and of the summaries
    if not gone:
        return Check(name, "ok", f"{len(rows)} looked at, all as they were written") if rows else None
    value = f"of {len(rows)} looked at the server lacks {gone}, or has them of an earlier version"
    return Check(
        name, "warning", value, "Was it restored from a backup? The next pass writes again what is gone."
    )


async def _first(client: FhirClient, resource_type: str, params: list[tuple[str, str]]) -> bool:
    async for page in search_by(client, resource_type, [params], walk=True):
        return bool(page.resources)
    return False


async def _changes(settings: Settings, client: FhirClient, resource_type: str) -> Check:
    """The first page of a pass, just as a pass asks for it."""
    name, source = f"changes of {resource_type}", make_source(settings, client)

    async def look() -> str:
        there = "none yet"
        async for page in source.changed_since(resource_type, None):
            there = "some" if page.notes else "none yet"
            break
        async for _ in source.changed_since(resource_type, datetime.now(UTC).isoformat()):
            break  # with a bound, as from the second pass on
        return f"by _lastUpdated; there are {there}; {await _deletions(source, resource_type)}"

    try:
        strategy = await source.strategy(resource_type)
    except RefusedError as error:
        return Check(name, "failure", say(error), _GRANT.format(resource_type))
    except HttpStatusError as error:
        return Check(name, "failure", say(error), _WANTS_MORE)
    check = await _tried(name, resource_type, look)
    strategy = await source.strategy(resource_type)  # the look may have shown that it has to be another
    if check.status == "ok" and strategy.fallback:
        return Check(name, "warning", strategy.fallback)
    return check


async def _deletions(source: Source, resource_type: str) -> str:
    """How a pass learns that notes were deleted."""
    try:
        if await source.names_deleted(resource_type):
            await source.deleted_since(resource_type, datetime.now(UTC).isoformat())
            return "deletions by _history"
    except HttpStatusError as error:
        if error.passing:
            raise
    return f"deletions by a look at {KNOWN_LOOKED_AT} known notes in each pass"


async def _write_test(settings: Settings, client: FhirClient, pipeline: Pipeline) -> Check:
    name = "writing"
    try:
        await Writer(client, pipeline, author=settings.author).register()
    except PolicyError as error:
        return Check(name, "failure", say(error), "Change what its words name, or ask its operators.")
    except RecalledError as error:
        return Check(name, "failure", say(error))
    except RefusedError as error:
        return Check(name, "failure", say(error), "Grant write of Device, DocumentReference, Composition.")
    except HttpStatusError as error:
        return Check(name, "failure", say(error), "See the server's own log.")
    return Check(name, "ok", "what names the author of summaries is there, as a pass needs it")


async def _transaction(client: FhirClient) -> TransactionTrial | None:
    """What the server makes of a transaction; None where it takes none of these, as `writing` will say."""
    try:
        return await try_transaction(client)
    except (HttpStatusError, UnconfirmedError):
        return None


async def _parameters(client: FhirClient) -> AsyncIterator[Check]:
    """Whether the server searches by what passes, recalls and timelines ask for."""
    name = "search parameters"
    remedy = "Recalls and timelines read more than they need: have it index these."
    if value := await ignored_searches(client):
        yield Check(name, "warning", value, remedy)
    else:
        yield Check(name, "ok", "the server ignores none that is asked for")
    if value := refused_searches(client):
        remedy = "Passes, audits and recalls read more than they need: have it take these."
        yield Check("refused searches", "warning", value, remedy)


async def _partitions(settings: Settings, client: FhirClient) -> Check | None:
    """Whether the server written to keeps one partition for each patient, as HAPI can; None where not.

    Such a server refuses a chain behind a patient, without any other sign that nothing be written for. What a
    pass does there follows from `CLINSUM_AUTHOR`.
    """
    try:
        await _first(client, "Composition", [("subject.identifier", "clinsum-doctor"), ("_count", "1")])
    except HttpStatusError as error:
        if error.status == 405 and "compartment" in error.words:
            value = "one for each patient, so it takes no Device, which belongs to none"
            if settings.author == "device":
                remedy = "Set CLINSUM_AUTHOR=auto, or CLINSUM_WRITE_BASE_URL to another server."
                return Check("partitions", "failure", f"{value}, and CLINSUM_AUTHOR wants one", remedy)
            return Check("partitions", "ok", f"{value}; each summary contains its own")
    return None


def _writing(capability: Capability, trial: TransactionTrial | None) -> Iterator[Check]:
    stated = capability.update_create("Composition")
    if trial and trial.own_ids:
        value = "the server gives ids of its own to what is put; summaries are found by identifier"
        yield Check("ids from clients", "warning" if stated else "ok", value)
    elif stated:
        yield Check("ids from clients", "ok", "updateCreate")
    else:
        value = "updateCreate is not stated; the first pass tries, and writes by identifier if need be"
        yield Check("ids from clients", "ok", value)
    if trial and trial.as_batch:
        value = "the server runs them as batches: one note may be written in part until the next pass"
        yield Check("transactions", "warning", value, "Have it run them whole, where it can.")
    elif capability.transaction or trial:
        yield Check("transactions", "ok", "tried" if trial else "supported")
    else:
        value = "the server does not say that it takes transactions"
        yield Check("transactions", "failure", value, "Summaries are written by transactions only.")
    if trial and trial.left_behind:
        value = f"{', '.join(trial.left_behind)}, made to try a transaction, could not be deleted"
        yield Check("trial", "warning", value, "Delete them; they concern nobody.")


async def label_check(settings: Settings, client: FhirClient, trial: Trial, *, write: bool) -> Check:
    """Whether the server takes the label that says an AI asserted it."""
    name, code = "label", settings.ai_label.rpartition("|")[2]
    if trial.left_behind:
        value = f"{trial.left_behind}, made to try the label {code}, could not be deleted"
        return Check(name, "warning", value, "Delete it; it concerns nobody.")
    if trial.verdict is LabelVerdict.TAKEN:
        return Check(name, "ok", f"{code} is taken ({trial.way})")
    if trial.verdict is LabelVerdict.UNTRIED:
        how = "the server offers neither $validate nor deletion" if write else "--write-test would try it"
        value = f"{code} was not tried: {how}"
        return Check(
            name, "warning", value, "If writes are refused, set CLINSUM_AI_LABEL to a code it knows."
        )
    system, other = FALLBACK
    remedy = "Set CLINSUM_AI_LABEL to a code that it knows, as system|code."
    if (await try_label(client, system, other, write=write)).verdict is LabelVerdict.TAKEN:
        remedy = f"Set CLINSUM_AI_LABEL={system}|{other}, which it takes."
    if trial.verdict is LabelVerdict.REFUSED:
        return Check(name, "failure", f"the server refuses what carries {code}", remedy)
    value = f"the server does not know {code}, and refuses it if it validates what is written"
    return Check(name, "warning", value, remedy)


async def profiles_check(client: FhirClient, trial: Trial) -> Check:
    """Whether a server that validates knows the profiles of what is written."""
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
