import subprocess
import sys

import pytest

import summarizer

HEAVY = {"torch", "transformers", "sklearn", "spacy", "scipy", "numpy", "huggingface_hub", "tokenizers"}


def modules_after(code: str) -> set[str]:
    """Top-level modules loaded in a fresh interpreter that ran `code`."""
    program = f"import sys\n{code}\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_public_names_are_sorted_and_resolve() -> None:
    assert summarizer.__all__ == sorted(summarizer.__all__)
    assert all(getattr(summarizer, name).__name__ == name for name in summarizer.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Summarizr"):
        summarizer.Summarizr  # noqa: B018


def test_importing_the_package_is_light() -> None:
    assert not modules_after("import summarizer; summarizer.Budget(sentences=3)") & HEAVY


def test_lead_needs_neither_torch_nor_transformers() -> None:
    code = (
        "from summarizer import Summarizer\n"
        "assert Summarizer.from_pretrained(engine='lead').summarize_sentences([['Fever.']])[0].summary"
    )
    assert not modules_after(code) & {"torch", "transformers", "sklearn"}
