"""What comes from others: versions that exclude known faults, hashes, and the bill of materials."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.places import ROOT

PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
PINNED = {canonicalize_name(name): version for name, version in PINNED.items()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
TORCH = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["optional-dependencies"]["torch"])}


# The last version that has the fault.
FAULTS = [
    ("cryptography", "49.0.0", "CVE-2026-69247"),
    ("h11", "0.15.0", "CVE-2025-43859"),
    ("jinja2", "3.1.5", "CVE-2025-27516"),
    ("lxml", "6.0.2", "CVE-2026-41066"),
    ("lxml", "6.1.0", "CVE-2026-49825"),
    ("pyjwt", "2.11.0", "CVE-2026-32597"),
    ("pyjwt", "2.12.1", "CVE-2026-48526"),
    ("starlette", "1.0.0", "CVE-2026-48710"),
    ("starlette", "1.3.0", "CVE-2026-54283"),
    ("torch", "2.9.1", "CVE-2026-24747"),
    ("torch", "2.10.0", "PYSEC-2026-139"),
    ("transformers", "5.2.0", "CVE-2026-4372"),
    ("transformers", "5.4.0", "CVE-2026-5241"),
    ("transformers", "5.8.0", "CVE-2026-9856"),
]


@pytest.mark.parametrize(("name", "version", "fault"), FAULTS)
def test_no_version_with_a_known_fault_is_let_in(name: str, version: str, fault: str) -> None:
    assert version not in (REQUIRED | TORCH)[name].specifier, fault


def test_what_is_pinned_is_let_in() -> None:
    for name, requirement in (REQUIRED | TORCH).items():
        assert PINNED[name] in requirement.specifier, name


def test_every_hash_is_of_a_pinned_version() -> None:
    lines = (ROOT / "deploy/hashes-cp311-x86_64.txt").read_text().splitlines()
    assert lines[0].startswith("#")
    for line in lines[1:]:
        found = re.fullmatch(r"([\w.-]+)==(\S+) --hash=sha256:[0-9a-f]{64}", line)
        assert found, line
        assert PINNED[canonicalize_name(found[1])] == found[2]
    hashed = {canonicalize_name(line.split("==")[0]) for line in lines[1:]}
    assert set(REQUIRED) <= hashed


def test_what_works_on_a_processor_needs_no_torch() -> None:
    """Nor what torch brings: with CUDA an installation is eight times as large."""
    lines = (ROOT / "deploy/hashes-cp311-x86_64.txt").read_text().splitlines()[1:]
    hashed = {canonicalize_name(line.split("==")[0]) for line in lines}
    assert {"openvino", "tokenizers", "safetensors"} <= set(REQUIRED)
    assert not hashed & {"torch", "transformers", "triton"}
    assert not [name for name in hashed if name.startswith(("nvidia-", "cuda-"))]


def test_the_image_checks_the_hashes_of_all_but_torch(tmp_path: Path) -> None:
    steps = [
        line for line in (ROOT / "deploy/Dockerfile").read_text().splitlines() if line.startswith("RUN ")
    ]
    (choice,) = [step.removeprefix("RUN ") for step in steps if "/src/hashed.txt" in step and "sed" in step]
    (tmp_path / "hashes.txt").write_bytes((ROOT / "deploy/hashes-cp311-x86_64.txt").read_bytes())
    subprocess.run(["sh", "-c", choice.replace("/src/", f"{tmp_path}/")], check=True)
    chosen = (tmp_path / "hashed.txt").read_text().splitlines()
    names = {line.split("==")[0].lower() for line in chosen}
    assert "torch" not in names
    assert {"fastapi", "lxml", "openvino", "threadpoolctl"} <= names
    assert all(" --hash=sha256:" in line for line in chosen)
    assert [step for step in steps if "--require-hashes -r /src/hashed.txt" in step]


def test_the_bill_of_materials_names_what_is_installed(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        path = tmp_path / f"{number}.json"
        command = [
            sys.executable,
            "-m",
            "cyclonedx_py",
            "environment",
            "--pyproject",
            str(ROOT / "pyproject.toml"),
        ]
        command += ["--mc-type", "application", "--output-reproducible", "--output-format", "JSON"]
        command += ["--no-validate", "--output-file", str(path), sys.executable]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
        made.append(path.read_bytes())
    assert made[0] == made[1]
    bill = json.loads(made[0])
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == PROJECT["name"]
    named = {canonicalize_name(part["name"]): part for part in bill["components"]}
    for distribution in distributions():
        name = canonicalize_name(distribution.metadata["Name"])
        if name == PROJECT["name"]:
            continue
        assert named[name]["version"] == distribution.version
        kind, _, version = named[name]["purl"].partition("@")
        assert (canonicalize_name(kind.removeprefix("pkg:pypi/")), version) == (name, distribution.version)
    edges = {edge["ref"]: edge.get("dependsOn", []) for edge in bill["dependencies"]}
    assert edges[bill["metadata"]["component"]["bom-ref"]]


@pytest.mark.parametrize("file", ["Makefile", "deploy/Dockerfile"])
def test_the_build_makes_the_bill(file: str) -> None:
    text = (ROOT / file).read_text().replace("\\\n", " ")
    (line,) = [line for line in text.splitlines() if "cyclonedx-py environment" in line]
    assert {"--output-reproducible", "--pyproject"} <= set(line.split())
    assert "sbom.cdx.json" in line
