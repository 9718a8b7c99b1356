"""The parts that every pass of a process works with."""

from dataclasses import dataclass

from fhir_adapter.reading.attachment import FetchLimits
from fhir_adapter.reading.source import Source
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.writer import Writer
from jobs.ledger.ledger import Ledger
from jobs.passes.scoring import Scorer
from jobs.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once (`jobs.runtime.runtime`), shared by all passes.

    Attributes:
        limits: what one attachment may cost.
    """

    settings: Settings
    client: FhirClient
    source: Source
    extractor: Extractor
    scorer: Scorer
    writer: Writer
    ledger: Ledger
    pipeline: Pipeline
    limits: FetchLimits
