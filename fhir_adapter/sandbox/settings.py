"""How the embedded sandbox behaves: its one settings object."""

from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.errors import FhirAdapterError


class SandboxError(FhirAdapterError):
    """The sandbox cannot start: bad settings, a port in use, a database that is not its own."""


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

    def __post_init__(self) -> None:
        if not 1 <= self.page_size <= self.max_page_size:
            raise SandboxError("page_size must be at least 1 and at most max_page_size")
        if self.page_ttl < 0 or self.search_cache < 0:
            raise SandboxError("page_ttl and search_cache are seconds and cannot be negative")
        if self.max_body < 1:
            raise SandboxError("max_body must be at least 1 byte")
        if not self.base_path.startswith("/") or self.base_path.endswith("/"):
            raise SandboxError("base_path must begin with a slash and end without one, as in /fhir")
