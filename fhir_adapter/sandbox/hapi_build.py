"""Builds the HAPI sandbox (the Maven project in `hapi/`) once, into the cache folder.

What is kept there is small: our compiled classes and a list of paths into Maven's own repository, where
the HAPI jars stay. The folder is named after a hash of the sources, so an upgrade builds anew.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fhir_adapter.sandbox.settings import SandboxError

SOURCES = Path(__file__).with_name("hapi")
VERSION: Final = "8.8.0"
_JAVA_NEEDED = 17


class HapiError(SandboxError):
    """The HAPI sandbox cannot run; the message says what to do."""


class ToolMissingError(HapiError):
    """A program that the sandbox needs is not installed: a JDK, Maven or Docker."""


class BuildError(HapiError):
    """Maven could not build the sandbox."""


class StartError(HapiError):
    """HAPI did not come up, or ended by itself."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that build and run the sandbox.

    Attributes:
        java: the `java` of a JDK 17 or newer.
        home: its JDK, for Maven's `JAVA_HOME`.
        maven: `mvn`.
    """

    java: Path
    home: Path
    maven: Path


def cache_dir() -> Path:
    """Where builds and logs are kept: `CLINSUM_CACHE`, else the user's cache folder."""
    named = os.environ.get("CLINSUM_CACHE")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "clinsum"


def find_tools() -> Tools:
    """Finds a JDK (`JAVA_HOME` first, then the path) and Maven.

    Raises:
        ToolMissingError: naming what is missing and how to get it.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    remedy = "install one (Debian: apt install default-jdk-headless maven) or set JAVA_HOME"
    if java is None:
        raise ToolMissingError(
            f"The HAPI sandbox needs a Java {_JAVA_NEEDED} JDK and none was found; {remedy}."
        )
    real = Path(java).resolve()
    version = _java_version(real)
    if version < _JAVA_NEEDED:
        raise ToolMissingError(
            f"The HAPI sandbox needs Java {_JAVA_NEEDED} or newer, found {version}; {remedy}."
        )
    if not (real.parent / "javac").exists():
        raise ToolMissingError(f"The Java found has no compiler (a JRE, not a JDK); {remedy}.")
    maven = shutil.which("mvn")
    if maven is None:
        raise ToolMissingError(
            "The HAPI sandbox needs Maven and none was found; install it (Debian: apt install maven)."
        )
    return Tools(java=real, home=real.parent.parent, maven=Path(maven))


def _java_version(java: Path) -> int:
    asked = subprocess.run(  # noqa: S603 (the JDK that was found)
        [java, "-version"], capture_output=True, text=True, check=False, timeout=60
    )
    found = re.search(r'version "(?:1\.)?(\d+)', asked.stderr)
    return int(found.group(1)) if found else 0


def classpath(tools: Tools, version: str = VERSION) -> str:
    """The class path of the sandbox with a version of HAPI; builds it first where that is not done yet.

    The first build of a version downloads about 220 MB of jars into Maven's repository.

    Raises:
        BuildError: naming Maven's log.
    """
    built = cache_dir() / f"hapi-{_sources_hash(version)}"
    built.parent.mkdir(parents=True, exist_ok=True)
    with locked(built.with_suffix(".lock")):
        jars = _complete(built)
        if jars is None:
            shutil.rmtree(built, ignore_errors=True)
            _build(tools, built, version)
            jars = _complete(built)
    if jars is None:
        raise BuildError(
            f"Maven built the HAPI sandbox, yet {built} is not complete; remove it and try again."
        )
    return os.pathsep.join([str(built / "classes"), *jars])


def sources(version: str) -> dict[Path, bytes]:
    """Each file of the Maven project of a version, by its place.

    A release's own files stand in the place of the common ones; its `names.txt` has what it calls otherwise.
    """
    project, release = SOURCES / "src" / "main", SOURCES / "src" / f"release-{version.partition('.')[0]}"
    found = {Path("pom.xml"): SOURCES / "pom.xml"}
    for folder in (project, release):
        files = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
        found |= {Path("src", "main") / path.relative_to(folder): path for path in files}
    names = release / "names.txt"
    lines = names.read_text("utf-8").splitlines() if names.exists() else ()
    return {place: _renamed(path.read_bytes(), lines) for place, path in found.items()}


def _renamed(source: bytes, lines: Iterable[str]) -> bytes:
    """A file with the names of a release; a line is a common name and the release's."""
    for line in lines:
        common, own = line.encode().split()
        source = source.replace(common, own)
    return source


_SUFFIXES = frozenset({".java", ".json", ".xml"})


def _sources_hash(version: str) -> str:
    digest = hashlib.sha256(version.encode())
    for place, source in sources(version).items():
        digest.update(str(place).encode() + b"\0" + source + b"\0")
    return digest.hexdigest()[:16]


def _complete(built: Path) -> list[str] | None:
    """The jars of a build, or None where something of it is gone (a cleaned Maven repository)."""
    listing = built / "classpath"
    if not listing.exists():
        return None
    jars = listing.read_text(encoding="utf-8").strip().split(os.pathsep)
    return jars if all(Path(jar).exists() for jar in jars) else None


def _build(tools: Tools, built: Path, version: str) -> None:
    log = cache_dir() / "hapi-build.log"
    with tempfile.TemporaryDirectory(dir=built.parent, prefix="hapi-build-") as folder:
        project = Path(folder)
        for place, source in sources(version).items():
            copy = project / place
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source)
        command = [
            str(tools.maven),
            "--batch-mode",
            "--no-transfer-progress",
            f"-Dhapi.version={version}",
            "compile",
        ]
        environment = {**os.environ, "JAVA_HOME": str(tools.home)}
        with log.open("wb") as output:
            ended = subprocess.run(  # noqa: S603 (our own command)
                command,
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if ended.returncode != 0:
            raise BuildError(
                f"Maven could not build the HAPI sandbox (is Maven Central reached?); its log is {log}."
            )
        (project / "target").rename(built)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One builder at a time; the lock goes with the process that holds it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
