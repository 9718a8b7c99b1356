"""How the embedded sandbox behaves: its one settings object."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fhir_adapter.errors import FhirAdapterError


class SandboxError(FhirAdapterError):
    """The sandbox cannot start: bad settings, a port in use, a database that is not its own."""


class Quirk(StrEnum):
    """Something that servers were seen to do, and that the embedded one does when asked to."""

    IGNORE_PARAMETERS = "ignore-parameters"
    OFFSET_PAGES = "offset-pages"
    BATCHES = "batches"
    OWN_IDS = "own-ids"
    NO_OP_VERSIONS = "no-op-versions"
    PATIENT_PARTITIONS = "patient-partitions"
    DOCUMENTS_ONLY = "documents-only"
    FILED_ONCE = "filed-once"
    IGNORE_CONDITIONS = "ignore-conditions"
    PATIENT_SEARCHES = "patient-searches"

    @property
    def words(self) -> str:
        """What it does, and where it was seen."""
        return _QUIRKS[self]


_QUIRKS = {
    Quirk.IGNORE_PARAMETERS: (
        "Searches by _id and _lastUpdated alone and ignores every other parameter with 200, whatever Prefer "
        "says; the self link shows what it understood. Seen of Helios 0.2.7 without its file of parameters."
    ),
    Quirk.OFFSET_PAGES: (
        "Pages by offset and searches anew for each page, so that notes that change meanwhile make others "
        "slip from page to page. medplum#4608, hapi-fhir#616."
    ),
    Quirk.BATCHES: (
        "Runs a transaction as a batch: each entry for itself, and no fullUrl in a reference is resolved. "
        "medplum#9477, spark#1370."
    ),
    Quirk.OWN_IDS: (
        "States updateCreate, and gives what is put to a new id an id of its own. hapi-fhir#2218, "
        "LinuxForHealth/FHIR#4102."
    ),
    Quirk.NO_OP_VERSIONS: "Keeps an update that changes nothing as a new version. Seen of Helios 0.2.7.",
    Quirk.PATIENT_PARTITIONS: (
        "Keeps one partition for each patient: refuses a Device, a Provenance or a document that names none, "
        "a chain in a search, the history of a type. HAPI-1326, HAPI-1322 and HAPI-0953, seen of HAPI 8.8."
    ),
    Quirk.DOCUMENTS_ONLY: (
        "Takes summaries as documents alone: has no Composition, Provenance, Device or List and no "
        "transactions or batches, gives out the ids, and answers a write without a body. US Core 9."
    ),
    Quirk.FILED_ONCE: (
        "Refuses to change or delete what was created by a POST. US Core 9 asks servers for the creation of "
        "documents alone."
    ),
    Quirk.IGNORE_CONDITIONS: "Takes no notice of If-None-Exist: a POST always creates.",
    Quirk.PATIENT_SEARCHES: (
        "Wants a patient in every search of documents, reports and Compositions, and searches them by "
        "nothing that names one itself, as EHRs do whose capability statements are of US Core."
    ),
}


ON_DOCUMENTS = frozenset(
    {Quirk.DOCUMENTS_ONLY, Quirk.FILED_ONCE, Quirk.IGNORE_CONDITIONS, Quirk.PATIENT_SEARCHES}
)
"""Those of servers to which summaries are written as documents."""

NOT_THERE = frozenset({"Composition", "Provenance", "Device", "DeviceDefinition", "List"})
"""The types that a server with `documents-only` does not have."""


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How `$export` behaves.

    Attributes:
        offered: False acts as a server without it.
        seconds: until an export is made.
        busy: so many questions for it are answered with 429 first.
        ended: manifests, of the first ones, whose addresses of files have ended when they come.
        lost: so many resources are left out, and named by an error file.
        file_lines: resources in one file.
    """

    offered: bool = True
    seconds: float = 0.0
    busy: int = 0
    ended: int = 0
    lost: int = 0
    file_lines: int = 10_000


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of the embedded server. The defaults make a well-behaved one; the switches make others.

    Attributes:
        database: SQLite file that keeps the resources; None for a temporary one, gone with the server.
        base_path: path of the FHIR base on the host.
        page_size: matches on a page where the client names no `_count`.
        max_page_size: a larger `_count` is silently cut to this, as HAPI does.
        page_ttl: seconds for which the pages of a search can be fetched; then they answer 410 Gone.
        max_body: bytes of a request body; a larger one answers 413.
        update_create: False acts as a server that refuses a PUT to an id it does not know (405).
        last_updated_search: False acts as a server that cannot search or sort by `_lastUpdated` (400).
        check_narrative: False stores narratives that are not well-formed XHTML; True refuses them (400), as
            HAPI does.
        refuse_unmatched: True refuses a transaction with a conditional reference that matches nothing (404),
            as R4 says; False stores the reference as it came, since integrity is not enforced either.
        keep_reference_versions: True keeps `/_history/n` in references; False strips it, as HAPI does.
        search_cache: seconds for which an identical search gets the earlier matches (`X-Cache: HIT`)
            unless it says `Cache-Control: no-cache`. HAPI's are 60; 0 turns it off.
        quirks: what it does otherwise than a well-behaved server.
        refused: search parameters that it refuses though it states them, as `Type.parameter`, or `parameter`
            for all types; `Prefer` is that header.
        refusal: the HTTP status with which it does.
        ignored: likewise, parameters that it takes no notice of, as its self link shows.
        export: how `$export` behaves.
    """

    database: Path | None = None
    base_path: str = "/fhir"
    page_size: int = 20
    max_page_size: int = 1000
    page_ttl: float = 3600.0
    max_body: int = 256 * 1024 * 1024
    update_create: bool = True
    last_updated_search: bool = True
    check_narrative: bool = True
    refuse_unmatched: bool = False
    keep_reference_versions: bool = False
    search_cache: float = 0.0
    quirks: frozenset[Quirk] = frozenset()
    refused: frozenset[str] = frozenset()
    refusal: int = 400
    ignored: frozenset[str] = frozenset()
    export: ExportSettings = ExportSettings()

    def __post_init__(self) -> None:
        if not 1 <= self.page_size <= self.max_page_size:
            raise SandboxError("page_size must be at least 1 and at most max_page_size")
        if self.page_ttl < 0 or self.search_cache < 0:
            raise SandboxError("page_ttl and search_cache are seconds and cannot be negative")
        if self.max_body < 1:
            raise SandboxError("max_body must be at least 1 byte")
        if not self.base_path.startswith("/") or self.base_path.endswith("/"):
            raise SandboxError("base_path must begin with a slash and end without one, as in /fhir")
