"""Bytes and a media type in, the text that offsets point into out; one file per format."""

from fhir_adapter.text.guard import Limits
from fhir_adapter.text.recipe import recipe
from fhir_adapter.text.workers.pool import Extractor, extract

__all__ = ["Extractor", "Limits", "extract", "recipe"]
