"""What the HAPI sandbox says when a tool is missing or fails, and the commands it builds."""

import json
from pathlib import Path
from typing import get_args

import pytest

from fhir_adapter.sandbox.hapi import HapiSettings, Version, docker_command, java_command, running_hapi
from fhir_adapter.sandbox.hapi_build import (
    BuildError,
    HapiError,
    ToolMissingError,
    cache_dir,
    find_tools,
    sources,
)
from fhir_adapter.sandbox.settings import SandboxError


class Machine:
    """A machine whose only programs are the scripts put there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()

    def install(self, name: str, script: str = "") -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("CLINSUM_CACHE", str(tmp_path / "cache"))
    return machine


def java(version: str) -> str:
    return f"echo 'openjdk version \"{version}\" 2025-04-15' >&2"


@pytest.mark.parametrize(
    ("programs", "words"),
    [
        ({}, "needs a Java 17 JDK and none was found"),
        ({"java": java("11.0.2"), "javac": ""}, "needs Java 17 or newer, found 11"),
        ({"java": java("1.8.0_402"), "javac": ""}, "needs Java 17 or newer, found 8"),
        ({"java": java("17.0.15")}, "has no compiler"),
        ({"java": java("21"), "javac": ""}, "needs Maven and none was found"),
    ],
    ids=["nothing", "Java 11", "Java 8", "JRE only", "no Maven"],
)
def test_a_missing_tool_is_named_with_the_remedy(
    machine: Machine, programs: dict[str, str], words: str
) -> None:
    for name, script in programs.items():
        machine.install(name, script)
    with pytest.raises(ToolMissingError, match=words) as raised, running_hapi():
        pass
    assert "apt install" in str(raised.value)


def test_java_home_comes_first(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.install("java", java("11"))
    machine.install("mvn")
    home = tmp_path / "jdk"
    home.mkdir()
    jdk = Machine(home)
    jdk.install("java", java("17.0.1"))
    jdk.install("javac")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert find_tools().java == jdk.bin / "java"
    assert find_tools().home == home


def test_a_failed_build_names_mavens_log(machine: Machine) -> None:
    machine.install("java", java("17.0.1"))
    machine.install("javac")
    machine.install("mvn", "echo no route to the repository; exit 1")
    with pytest.raises(BuildError, match=r"hapi-build\.log") as raised, running_hapi():
        pass
    assert "\n" not in str(raised.value)
    log = cache_dir() / "hapi-build.log"
    assert log.read_text() == "no route to the repository\n"
    assert not list(cache_dir().glob("hapi-build-*"))


def test_docker_asked_for_and_not_there(machine: Machine) -> None:
    with (
        pytest.raises(ToolMissingError, match="No Docker engine answers"),
        running_hapi(HapiSettings(way="docker")),
    ):
        pass


def test_the_published_image_is_of_one_version(machine: Machine) -> None:
    with (
        pytest.raises(ToolMissingError, match=r"HAPI 7\.2\.0 is built"),
        running_hapi(HapiSettings(way="docker", version="7.2.0")),
    ):
        pass


@pytest.mark.parametrize("version", get_args(Version))
def test_each_version_is_built_from_its_own_names_and_files(version: str) -> None:
    found = sources(version)
    code = b"".join(found.values())
    javas = [place.name for place in found if place.suffix == ".java"]
    assert javas.count("Release.java") == 1
    assert len(javas) == len(set(javas)) > 5
    assert (b"import javax.persistence" in code) is (b"DaoConfig" in code) is (version == "6.4.0")
    assert (b"import jakarta.persistence" in code) is (b"jetty.ee10" in code) is (version != "6.4.0")


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CLINSUM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "clinsum"
    monkeypatch.setenv("CLINSUM_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"


@pytest.mark.parametrize("wrong", [{"port": 70000}, {"page_size": 0}, {"page_size": 20, "max_page_size": 10}])
def test_wrong_settings(wrong: dict[str, int]) -> None:
    with pytest.raises(HapiError, match=next(iter(wrong))) as raised:
        HapiSettings(**wrong)  # type: ignore[arg-type]
    assert isinstance(raised.value, SandboxError)


def test_settings_become_system_properties(tmp_path: Path) -> None:
    settings = HapiSettings(
        port=8081,
        database=tmp_path,
        client_ids="NOT_ALLOWED",
        placeholders=False,
        keep_reference_versions=("Provenance.target", "Provenance.entity.what"),
        heap="512m",
    )
    command = java_command(settings, "/jdk/bin/java")
    assert command[:2] == ["/jdk/bin/java", "-Xmx512m"]
    assert command[-1] == "clinsum.sandbox.Main"
    assert {
        "-Dclinsum.port=8081",
        f"-Dclinsum.jdbc=jdbc:h2:file:{tmp_path}/h2;DB_CLOSE_DELAY=-1",
        "-Dclinsum.clientIds=NOT_ALLOWED",
        "-Dclinsum.placeholders=false",
        "-Dclinsum.referentialIntegrity=true",
        "-Dclinsum.keepReferenceVersions=Provenance.target,Provenance.entity.what",
    } <= set(command)


def test_settings_reach_the_container() -> None:
    command = docker_command(HapiSettings(client_ids="ALPHANUMERIC", max_page_size=300), 8081)
    assert command[:5] == ["docker", "run", "--rm", "--publish", "127.0.0.1:8081:8080"]
    assert command[-1].startswith("hapiproject/hapi:v")
    given = next(one for one in command if one.startswith("SPRING_APPLICATION_JSON=")).partition("=")[2]
    fhir = json.loads(given)["hapi"]["fhir"]
    assert fhir["client_id_strategy"] == "ALPHANUMERIC"
    assert fhir["auto_create_placeholder_reference_targets"] is True
    assert fhir["max_page_size"] == 300
