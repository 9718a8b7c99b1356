"""What can be said of an engine before its weights are loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from summarizer import Summarizer
from summarizer.engines.registry import ENGINES, EngineOptions, engine_model, make_engine
from summarizer.errors import EngineError, UnsupportedModelError
from summarizer.types import Budget

_WITHOUT_TORCH = """
import sys
from summarizer import Summarizer
from summarizer.engines.registry import EngineOptions, engine_model
info = engine_model("bertsum", EngineOptions())
assert Summarizer.from_pretrained(defer=True).model == info
assert len(info.sha256) == 64
print([name for name in ("torch", "transformers", "sklearn") if name in sys.modules])
"""


@pytest.mark.parametrize("name", ENGINES)
def test_the_model_is_known_before_it_is_loaded(name: str) -> None:
    engine = make_engine(name, EngineOptions(device="cpu"))
    assert engine_model(name, EngineOptions()) == engine.model
    assert Summarizer.from_pretrained(engine=name, defer=True).model == engine.model


def test_naming_the_model_that_ships_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_TORCH], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_deferred_engine_scores_as_the_engine_itself() -> None:
    text = "Fever for two days. No cough. Plan: paracetamol."
    at_once, later = (Summarizer.from_pretrained(engine="lead", defer=late) for late in (False, True))
    assert later.summarize([text], Budget(sentences=1)) == at_once.summarize([text], Budget(sentences=1))
    assert (later.device, later.precision) == (at_once.device, at_once.precision)


def test_what_is_wrong_with_the_files_is_said_at_once(tiny_model: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="not a BERTSum model"):
        Summarizer.from_pretrained(tiny_model, defer=True)
    with pytest.raises(EngineError, match="no engine 'none'"):
        Summarizer.from_pretrained(engine="none", defer=True)
