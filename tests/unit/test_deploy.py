"""What is in deploy/: it parses, promises what is documented, and its steps are the project's own."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from fhir_adapter.sandbox.hapi import IMAGE as HAPI_IMAGE
from jobs.cli import build
from jobs.demo.notes import note_file
from jobs.settings import Settings, load_settings
from jobs.web.guard.access import access_from, check_exposure
from summarizer import Summarizer
from tests.places import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILES = ["Dockerfile", "huggingface/Dockerfile"]


def instructions(name: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions: (name, rest), with continued lines joined and comments left out."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / name).read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(None, 1)[1].strip()) for line in lines if line.strip()]


def of(name: str, kind: str) -> list[str]:
    return [rest for instruction, rest in instructions(name) if instruction == kind]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return found


def manifests(kind: str) -> list[dict[str, Any]]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))
    return [document for document in documents if document["kind"] == kind]


def check_command(arguments: list[str]) -> None:
    """The command line takes these arguments."""
    group: Any = get_command(build())
    command = group.commands[arguments[0]]
    with command.make_context(arguments[0], list(arguments[1:])):
        pass


def check_settings(names: set[str]) -> None:
    """Every CLINSUM_ variable is a setting."""
    ours = {name.removeprefix("CLINSUM_").lower() for name in names if name.startswith("CLINSUM_")}
    assert ours <= set(Settings.model_fields)


# The images.


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_is_well_formed_small_and_without_root(name: str) -> None:
    known = {"ARG", "FROM", "ENV", "RUN", "COPY", "LABEL", "USER", "WORKDIR", "EXPOSE", "HEALTHCHECK"}
    found = instructions(name)
    assert {kind for kind, _ in found} <= known | {"STOPSIGNAL", "ENTRYPOINT", "CMD"}
    users = of(name, "USER")
    assert users
    assert int(users[-1].split(":")[0]) > 0
    last = [kind for kind, _ in found]
    assert last.index("USER") < last.index("CMD")
    default = dict(rest.split("=", 1) for rest in of(name, "ARG") if "=" in rest)
    bases = [image.replace("${BASE}", default.get("BASE", "")) for image in of(name, "FROM")]
    assert all(re.search(r"-slim-\w+@sha256:[0-9a-f]{64}( AS build)?$", image) for image in bases)
    assert any("PIP_NO_CACHE_DIR=1" in rest for rest in of(name, "ENV"))
    assert of(name, "HEALTHCHECK")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_shell_understands_every_step(name: str) -> None:
    for step in of(name, "RUN"):
        done = subprocess.run(["sh", "-n", "-c", step], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{step}\n{done.stderr}"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_command_of_an_image_is_one_of_ours(name: str) -> None:
    (command,) = of(name, "CMD")
    words = json.loads(command)
    if not of(name, "ENTRYPOINT"):
        assert words.pop(0) == "clinsum"
    check_command(words)
    check_settings(set(re.findall(r"\b(CLINSUM_\w+)=", (DEPLOY / name).read_text("utf-8"))))
    port = words[words.index("--port") + 1]
    assert of(name, "EXPOSE") == [port]
    assert f":{port}/health/live" in of(name, "HEALTHCHECK")[0]


def test_the_image_has_torch_by_an_argument() -> None:
    arguments = of("Dockerfile", "ARG")
    assert "VARIANT=cpu" in arguments
    (torch,) = [step for step in of("Dockerfile", "RUN") if "TORCH_INDEX" in step]
    (ours,) = [step for step in of("Dockerfile", "RUN") if "/src[" in step]
    for variant, index, from_index, extras in [
        ("cpu", "an-index", False, "postgres,kmeans"),
        ("torch", "an-index", True, "postgres,kmeans,torch"),
        ("torch", "", False, "postgres,kmeans,torch"),
        ("cuda", "an-index", False, "postgres,kmeans,torch"),
    ]:
        environment = {"PATH": os.environ["PATH"], "VARIANT": variant, "TORCH_INDEX": index}
        said = [
            subprocess.run(
                ["sh", "-c", step.replace("/opt/clinsum/bin/pip", "echo pip")],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for step in (torch, ours)
        ]
        assert ("--index-url an-index" in said[0]) is from_index
        assert f"/src[{extras}]" in said[1]


def test_what_an_image_copies_is_there_and_let_through() -> None:
    through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for rest in of("Dockerfile", "COPY"):
        if rest.startswith("--from="):
            continue
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in through


def test_the_torch_of_the_image_is_the_one_that_was_tested(tmp_path: Path) -> None:
    (step,) = [step for step in of("Dockerfile", "RUN") if step.startswith("grep")]
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    subprocess.run(["sh", "-c", step.replace("/src/", f"{tmp_path}/")], check=True)
    assert re.fullmatch(r"torch==[\d.]+\n", (tmp_path / "torch.txt").read_text())


def test_the_package_that_an_image_installs_holds_pages_and_migrations(tmp_path: Path) -> None:
    """The image's own step, with what it copies, as a plain command; without what it would download."""
    for rest in of("Dockerfile", "COPY"):
        if not rest.startswith("--from="):
            *sources, target = rest.split()
            for source in sources:
                place = tmp_path / Path(target).relative_to("/src")
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, place)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, f"--wheel-dir={tmp_path / 'out'}", str(tmp_path)], check=True, timeout=600)
    (wheel,) = (tmp_path / "out").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = ["jobs/web/templates", "jobs/web/static", "jobs/ledger/migrations", "jobs/demo/notes"]
    for folder in wanted:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert str(path.relative_to(ROOT)) in names


# One machine.


def test_compose_has_the_whole_and_publishes_it_here_alone() -> None:
    services = compose()["services"]
    assert set(services) == {"postgres", "hapi", "passes", "web"}
    from fhir_adapter.sandbox.hapi import IMAGE

    assert services["hapi"]["image"] == IMAGE
    for name, service in services.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
        assert not service["image"].endswith(":latest")
    for name in ("passes", "web"):
        service = services[name]
        check_command([str(word) for word in service["command"]])
        check_settings(set(service["environment"]))
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["mem_limit"]
        assert service["environment"]["CLINSUM_DATABASE_URL"].startswith("postgresql+psycopg://")
        dockerfile = DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]
        assert dockerfile.resolve() == DEPLOY / "Dockerfile"
        assert set(service["build"]["args"]) <= {rest.split("=")[0] for rest in of("Dockerfile", "ARG")}


def test_what_is_pulled_is_named_by_tag_and_digest() -> None:
    pulled = {
        name: service["image"]
        for name, service in compose()["services"].items()
        if service["image"] != "clinsum"
    }
    assert set(pulled) == {"postgres", "hapi"}
    assert all(re.fullmatch(r"[\w/]+:[\w.-]+@sha256:[0-9a-f]{64}", image) for image in pulled.values())
    assert pulled["hapi"] == HAPI_IMAGE
    assert of("Dockerfile", "ARG")[0].removeprefix("BASE=") == of("huggingface/Dockerfile", "FROM")[0]


def test_no_secret_of_compose_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    for name in ("POSTGRES_PASSWORD", "CLINSUM_SERVICE_TOKEN"):
        used = re.findall(rf"\$\{{{name}(.{{2}})", text)
        assert used
        assert set(used) == {":?"}


def test_the_proxy_of_compose_is_the_gateway_of_its_network() -> None:
    found = compose()
    (network,) = found["networks"]["inside"]["ipam"]["config"]
    environment = found["services"]["web"]["environment"]
    assert environment["CLINSUM_SERVE_PROXY"] == network["gateway"]
    settings = load_settings({"serve_proxy": network["gateway"], "service_token": "t" * 48})
    check_exposure("0.0.0.0", settings, access_from(settings))


# systemd.

UNITS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))


def test_there_is_a_unit_for_each_process() -> None:
    assert UNITS == ["clinsum-run.service", "clinsum-serve.service"]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_one_of_our_commands_locked_in(name: str) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "systemd" / name)
    service = parser["Service"]
    program, *arguments = service["ExecStart"].split()
    assert Path(program).name == "clinsum"
    check_command(arguments)
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "DynamicUser"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["EnvironmentFile"]
    assert service["Restart"] == "on-failure"
    assert service["MemoryMax"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(name: str, tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / name).read_text().replace("/opt/clinsum/bin/clinsum", sys.executable)
    (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if name in line]
    assert not said


# Kubernetes.


def test_kubernetes_has_probes_limits_and_no_root() -> None:
    deployments = manifests("Deployment")
    assert [d["metadata"]["name"] for d in deployments] == ["clinsum-web", "clinsum-passes"]
    for deployment in deployments:
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert deployment["spec"]["selector"]["matchLabels"].items() <= (
            deployment["spec"]["template"]["metadata"]["labels"].items()
        )
        (container,) = pod["containers"]
        check_command([str(word) for word in container["args"]])
        check_settings({item["name"] for item in container["env"]})
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}


def test_the_probes_ask_what_the_service_answers() -> None:
    (container,) = manifests("Deployment")[0]["spec"]["template"]["spec"]["containers"]
    paths = {kind: container[kind]["httpGet"]["path"] for kind in container if kind.endswith("Probe")}
    assert paths == {
        "startupProbe": "/health/live",
        "readinessProbe": "/health/ready",
        "livenessProbe": "/health/live",
    }
    (port,) = container["ports"]
    assert str(port["containerPort"]) in container["args"]


def test_the_parts_of_kubernetes_name_each_other() -> None:
    (config,), (service,), (ingress,) = manifests("ConfigMap"), manifests("Service"), manifests("Ingress")
    check_settings(set(config["data"]))
    labels = manifests("Deployment")[0]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] == service["spec"]["ports"][0]["name"]
    assert ingress["spec"]["tls"][0]["hosts"] == [ingress["spec"]["rules"][0]["host"]]


# The Space.


def front_matter() -> dict[str, Any]:
    text = (DEPLOY / "huggingface/README.md").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_the_space_says_what_it_is_and_where_it_listens() -> None:
    found = front_matter()
    assert found["sdk"] == "docker"
    assert str(found["app_port"]) in of("huggingface/Dockerfile", "EXPOSE")
    assert found["license"] == "apache-2.0"
    assert len(found["short_description"]) <= 60
    (command,) = of("huggingface/Dockerfile", "CMD")
    assert "--demo" in json.loads(command)


def test_the_demo_note_of_the_space_can_be_summarised_and_is_nobodys() -> None:
    text = (DEPLOY / "huggingface/README.md").read_text("utf-8")
    (note,) = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    summary = Summarizer.from_pretrained(engine="lead").summarize([note])[0]
    assert len(summary.sentences) > 10
    assert note.encode() != note_file("copd-ed-note.txt")


def test_the_space_is_put_together_from_the_project(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    subprocess.run([str(DEPLOY / "huggingface/assemble.sh"), str(tmp_path / "space")], check=True)
    space = tmp_path / "space"
    assert (space / "README.md").read_text("utf-8").startswith("---\ntitle:")
    assert (space / "Dockerfile").read_bytes() == (DEPLOY / "huggingface/Dockerfile").read_bytes()
    for name in ("pyproject.toml", "constraints.txt", "jobs/cli.py", "summarizer/__init__.py"):
        assert (space / name).exists()
