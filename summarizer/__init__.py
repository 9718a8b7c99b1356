"""Text in, scored sentences out; knows nothing of FHIR, databases or schedules.

Importing this package is light: OpenVINO, torch, transformers and scikit-learn load when they are first used.
"""

import os
from typing import TYPE_CHECKING

from summarizer.errors import (
    EngineError,
    HubError,
    ModelError,
    ModelNotFoundError,
    SummarizerError,
    UnsupportedModelError,
)
from summarizer.types import Budget, Document, ModelInfo, ScoredSentence, SelectedSentence, Summary

if TYPE_CHECKING:
    from summarizer.summarizer import Summarizer

# Read by OpenMP when torch loads. By default its threads spin while they wait for each other; where other
# processes want the same cores, that was measured to make scoring more than ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Read when numpy loads. Its products are small here: a second thread was measured to double their cost.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__all__ = [
    "Budget",
    "Document",
    "EngineError",
    "HubError",
    "ModelError",
    "ModelInfo",
    "ModelNotFoundError",
    "ScoredSentence",
    "SelectedSentence",
    "Summarizer",
    "SummarizerError",
    "Summary",
    "UnsupportedModelError",
]


def __getattr__(name: str) -> object:
    if name == "Summarizer":
        from summarizer.summarizer import Summarizer

        return Summarizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
