"""A real HAPI FHIR JPA R4 server to try things on: built once, started in about 10 seconds, gone with us.

The server is a child process that ends when its standard input ends, so that it never outlives this one,
however this one dies.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode
from uuid import uuid4

from fhir_adapter.sandbox.hapi_build import (
    VERSION,
    HapiError,
    ToolMissingError,
    cache_dir,
    classpath,
    find_tools,
)
from fhir_adapter.sandbox.hapi_process import HapiProcess

# By tag for people, by digest for Docker: as in deploy/compose.yaml.
IMAGE = "hapiproject/hapi:v8.8.0-1@sha256:34c86fd5805df77c2b9d9c10538050b16ac3dc244352da0ebe4717f931330775"
# C1 alone and the serial collector: up sooner and smaller, which a sandbox needs more than peak speed. A
# start loads 18,000 classes of jars whose hashes Maven has checked; verifying them too is a seventh of it.
# C1 alone has 48 MB for what it compiles, which a few servers in one process fill: it then throws away and
# compiles again without end. The classes take 125 MB, and on the way there the JVM collects all garbage at 21
# MB and some four times more, unless told.
SOON_UP = (
    *("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m", "-XX:+UseSerialGC"),
    "-XX:MetaspaceSize=256m",
    *("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote"),
)


Version = Literal["8.8.0", "7.2.0", "6.4.0"]


@dataclass(frozen=True, slots=True)
class HapiSettings:
    """How the HAPI sandbox behaves. The defaults take any data; a hospital's server is often stricter.

    Attributes:
        version: HAPI's own, of a release that `hapi/src` has code for.
        host: address to listen on.
        port: 0 takes a free one.
        base: base URL that the server states in its answers; None for the one it was asked by.
        database: folder that keeps the resources; None for memory, gone with the server.
        client_ids: which ids a PUT may create: `ANY`, `ALPHANUMERIC` (not only digits), `NOT_ALLOWED`.
        referential_integrity: refuse references to resources that are not there, and to delete what others
            refer to. When off, HAPI does not index such references, and searches by them find nothing, even
            once the target has come.
        placeholders: create an empty resource for each referenced one that is not there.
        validate_requests: refuse (422) what does not validate against R4.
        patient_partitions: keep one partition for each patient (`PatientIdPartitionInterceptor`), so that
            what can name a patient must name one.
        page_size: matches on a page where the client names no `_count`.
        max_page_size: a larger `_count` is silently cut to this.
        keep_reference_versions: paths where `/_history/n` of a reference is kept (`Provenance.target`),
            or `("*",)` for everywhere; HAPI drops it by default.
        packages: FHIR packages (.tgz) that it installs before it is ready.
        bulk_export: offer `$export`; not with 6.4.0.
        subscriptions: take Subscriptions of channel type `rest-hook`, and send what they ask for.
        reuse_search_ms: how long an identical search gets the earlier matches; 0 for never.
        heap: the JVM's heap limit, as in `-Xmx`.
        start_seconds: how long to wait until it answers.
        way: `java` (Maven Central), `docker` (an image, without our terminology and without `base`,
            `database`, `keep_reference_versions`, `packages`), or `auto`: Java where a JDK and
            Maven are there, else Docker.
    """

    version: Version = VERSION
    host: str = "127.0.0.1"
    port: int = 0
    base: str | None = None
    database: Path | None = None
    client_ids: Literal["ANY", "ALPHANUMERIC", "NOT_ALLOWED"] = "ANY"
    referential_integrity: bool = True
    placeholders: bool = True
    validate_requests: bool = False
    patient_partitions: bool = False
    page_size: int = 20
    max_page_size: int = 500
    keep_reference_versions: tuple[str, ...] = ()
    packages: tuple[Path, ...] = ()
    bulk_export: bool = False
    subscriptions: bool = False
    reuse_search_ms: int = 60_000
    heap: str = "1g"
    start_seconds: float = 300.0
    way: Literal["auto", "java", "docker"] = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise HapiError("port must be between 0 and 65535")
        if not 1 <= self.page_size <= self.max_page_size:
            raise HapiError("page_size must be at least 1 and at most max_page_size")


@dataclass(frozen=True, slots=True)
class Hapi:
    """A server that runs, and its process, in which others may run beside it; None for a container's."""

    base_url: str
    _process: HapiProcess | None

    @contextmanager
    def another(self, settings: HapiSettings) -> Iterator[str]:
        """Starts one more, with a database of its own, for as long as the block lasts.

        That takes a quarter of the time of a first one; the `heap` is that of the process. Where Docker is
        the way, it is one more container.

        Yields:
            Its base URL.

        Raises:
            StartError: it did not come up.
        """
        if self._process is None:
            with running_hapi(settings) as base_url:
                yield base_url
            return
        base_url = self._process.start(urlencode(_options(settings)), settings.start_seconds)
        try:
            yield base_url
        finally:
            self._process.stop(base_url)


@contextmanager
def running_hapi(settings: HapiSettings | None = None) -> Iterator[str]:
    """Starts HAPI and stops it at the end.

    Yields:
        The base URL, `http://127.0.0.1:PORT/fhir`.

    Raises:
        ToolMissingError: no JDK, Maven or Docker.
        BuildError: Maven failed.
        StartError: HAPI did not come up, or had ended by itself when the block ended; the message names
            its log.
    """
    with running_process(settings) as hapi:
        yield hapi.base_url


@contextmanager
def running_process(settings: HapiSettings | None = None) -> Iterator[Hapi]:
    """As `running_hapi`, for those who want more than one server."""
    settings = settings or HapiSettings()
    launch = _launch(settings)
    logs = cache_dir() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=logs, prefix="hapi-", suffix=".log", delete=False) as log:
        process = subprocess.Popen(  # noqa: S603 (our own command)
            launch.command,
            env={**os.environ, **launch.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for this process, which then stops that one
        )
    try:
        with process:
            ours = HapiProcess(process, Path(log.name))
            try:
                base_url = ours.ready(settings.start_seconds, launch.base_url)
                yield Hapi(base_url, None if launch.base_url else ours)
                ours.still_runs()
            finally:
                ours.end()
    except HapiError:
        raise  # the log stays: the message names it
    except BaseException:
        Path(log.name).unlink()
        raise
    Path(log.name).unlink()


@dataclass(frozen=True, slots=True)
class _Launch:
    """A way to start the server.

    Attributes:
        base_url: where it will answer, if that is known before it says so itself.
    """

    command: list[str]
    environment: dict[str, str]
    base_url: str | None = None


def _launch(settings: HapiSettings) -> _Launch:
    if settings.way == "docker":
        return _docker(settings)
    try:
        tools = find_tools()
    except ToolMissingError:
        if settings.way == "auto" and _docker_answers():
            return _docker(settings)
        raise
    # 256 jars: in the environment, where they do not fill the list of processes
    return _Launch(java_command(settings, str(tools.java)), {"CLASSPATH": classpath(tools, settings.version)})


def java_command(settings: HapiSettings, java: str) -> list[str]:
    """The command line of the server as a child of this process."""
    flags = [f"-Xmx{settings.heap}", *SOON_UP]
    defines = [f"-Dclinsum.{name}={value}" for name, value in _options(settings).items()]
    return [java, *flags, *defines, "clinsum.sandbox.Main"]


def _options(settings: HapiSettings) -> dict[str, str]:
    """What the launcher is told of a server."""
    database = f"mem:{uuid4().hex}" if settings.database is None else f"file:{settings.database.resolve()}/h2"
    options = {
        "host": settings.host,
        "port": settings.port,
        "base": settings.base or "",
        "jdbc": f"jdbc:h2:{database};DB_CLOSE_DELAY=-1",
        "clientIds": settings.client_ids,
        "referentialIntegrity": settings.referential_integrity,
        "placeholders": settings.placeholders,
        "validateRequests": settings.validate_requests,
        "patientPartitions": settings.patient_partitions,
        "defaultPage": settings.page_size,
        "maxPage": settings.max_page_size,
        "keepReferenceVersions": ",".join(settings.keep_reference_versions),
        "packages": os.pathsep.join(str(path.resolve()) for path in settings.packages),
        "bulkExport": settings.bulk_export,
        "subscriptions": settings.subscriptions,
        "reuseSearchMs": settings.reuse_search_ms,
    }
    return {name: _java_text(value) for name, value in options.items()}


def _java_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# Docker forwards SIGTERM to the container; the shell sends it when standard input ends.
_DOCKER_UNTIL_STDIN_ENDS = """
exec 3<&0
"$@" </dev/null >&2 & engine=$!
(cat <&3 >/dev/null; kill $engine 2>/dev/null) & watch=$!
wait $engine; code=$?
kill $watch 2>/dev/null
exit $code
"""


def _docker(settings: HapiSettings) -> _Launch:
    if settings.version != VERSION:
        raise ToolMissingError(
            f"HAPI {settings.version} is built from Maven Central, which needs a JDK and Maven."
        )
    if not _docker_answers():
        raise ToolMissingError(
            "No Docker engine answers (docker info fails); start it, or install a JDK and Maven."
        )
    port = settings.port or _free_port(settings.host)
    command = ["sh", "-c", _DOCKER_UNTIL_STDIN_ENDS, "sh", *docker_command(settings, port)]
    return _Launch(command, {}, f"http://{settings.host}:{port}/fhir")


def docker_command(settings: HapiSettings, port: int) -> list[str]:
    """The `docker run` that starts HAPI's own image with our settings."""
    fhir = {
        "fhir_version": "R4",
        "client_id_strategy": settings.client_ids,
        "allow_external_references": True,
        "enforce_referential_integrity_on_write": settings.referential_integrity,
        "auto_create_placeholder_reference_targets": settings.placeholders,
        "default_page_size": settings.page_size,
        "max_page_size": settings.max_page_size,
        "bulk_export_enabled": settings.bulk_export,
        "subscription": {"resthook_enabled": settings.subscriptions},
        "reuse_cached_search_results_millis": settings.reuse_search_ms,
        "validation": {"requests_enabled": settings.validate_requests},
    }
    if settings.patient_partitions:
        mode = {"patient_id_partitioning_mode": True, "allow_references_across_partitions": True}
        fhir["partitioning"] = mode
    spring = {"spring": {"datasource": {"url": "jdbc:h2:mem:hapi"}}, "hapi": {"fhir": fhir}}
    return [
        *("docker", "run", "--rm", "--publish", f"{settings.host}:{port}:8080"),
        *("--env", f"JAVA_TOOL_OPTIONS=-Xmx{settings.heap}"),
        *("--env", f"SPRING_APPLICATION_JSON={json.dumps(spring)}"),
        IMAGE,
    ]


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        asked = subprocess.run([docker, "info"], capture_output=True, check=False, timeout=20)  # noqa: S603
        return asked.returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
