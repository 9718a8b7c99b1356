"""Recalled pipeline versions: which Devices of ours must not write any more, as the server says.

A recall marks the Device `inactive` and says in an extension whether the pipeline version was recalled or its
model; where Devices are contained, their DeviceDefinition says so, which has no status. Every writer asks
before it writes, so a recall reaches all of them, whatever their ledger says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_adapter import canonical
from fhir_adapter.errors import FhirAdapterError, HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.matches import matches
from fhir_adapter.writing.authorship import name_of, versions_of
from fhir_adapter.writing.pipeline import Pipeline

Scope = Literal["model", "pipeline"]
_ATTEMPTS = 5
_MARKS = frozenset({canonical.RECALL, canonical.WITHDRAWAL_REASON})
_SHARED = ("Device", "DeviceDefinition")
_NOT_KEPT = (400, 401, 403, 404, 405, 501)  # of a type that a server does not have, or not for us


class RecalledError(FhirAdapterError):
    """The pipeline version or its model was recalled; one sentence that says what to change."""

    def __init__(self, device: str, scope: str) -> None:
        what = "This model" if scope == "model" else "This pipeline version"
        super().__init__(f"{what} was recalled ({device}); choose another model or other settings.")


@dataclass(frozen=True, slots=True)
class Author:
    """A Device that wrote summaries, or the DeviceDefinition of those that summaries contain.

    Attributes:
        id: on the server.
        name: its identifier, the same on every server.
        version: `meta.versionId`, or "".
        pipeline: the pipeline version.
        model: the model's name.
        weights: SHA-256 of the model's weights, or "".
        recalled: `model`, `pipeline`, or "" where it may write.
    """

    id: str
    name: str
    version: str
    pipeline: str
    model: str
    weights: str
    recalled: str
    resource: JsonObject

    @property
    def reference(self) -> str:
        """`Device/id`, or `DeviceDefinition/id`."""
        return f"{self.resource.get('resourceType', 'Device')}/{self.id}"

    @property
    def contained(self) -> bool:
        """What it wrote contains the Device."""
        return self.resource.get("resourceType") == "DeviceDefinition"

    @property
    def named(self) -> str:
        """How what it wrote names its author: `Device/id`, or `#name` of the contained one."""
        return f"#{self.name}" if self.contained else self.reference

    def same_model(self, name: str, weights: str) -> bool:
        """Whether it ran this model: by its weights where it has some, else by its name."""
        return self.weights == weights if weights else not self.weights and self.model == name


async def authors(client: FhirClient, kinds: Sequence[str] = _SHARED) -> list[Author]:
    """All that this software has registered on the server as authors.

    Args:
        client: the server.
        kinds: `Device`, and `DeviceDefinition`; where the server refuses the latter, there are none.
    """
    count = ("_count", "100")
    ways = [[("identifier", f"{canonical.DEVICES}|"), count], [count]]
    found: list[Author] = []
    for kind in kinds:
        try:
            read = [author_of(resource) async for resource in matches(client, kind, *ways)]
        except HttpStatusError as error:
            if kind == "Device" or error.status not in _NOT_KEPT:
                raise
            continue
        found += [author for author in read if author.name]
    return found


def check(found: list[Author], pipeline: Pipeline) -> None:
    """Refuses a pipeline that was recalled, or whose model was.

    Raises:
        RecalledError: with what to change.
    """
    model = pipeline.model
    for author in found:
        own = author.name == pipeline.device_id
        if author.recalled and own:
            raise RecalledError(author.reference, author.recalled)
        if author.recalled == "model" and author.same_model(model.name, model.sha256):
            raise RecalledError(author.reference, "model")


async def recall(client: FhirClient, author: Author, scope: Scope, words: str = "") -> None:
    """Marks a Device as recalled.

    Args:
        client: the server.
        author: the Device.
        scope: whether the pipeline version is recalled or its model.
        words: why, as the person says who recalls it.

    Raises:
        HttpStatusError: the server refuses, also after others were let first.
    """
    mark: list[JsonObject] = [{"url": canonical.RECALL, "valueCode": scope}]
    if words:
        mark.append({"url": canonical.WITHDRAWAL_REASON, "valueString": words})
    await _mark(client, author, mark, "inactive")


async def reactivate(client: FhirClient, author: Author) -> None:
    """Takes a recall back. Raises as `recall`."""
    await _mark(client, author, [], "active")


async def _mark(client: FhirClient, author: Author, mark: list[JsonObject], status: str) -> None:
    resource, version = author.resource, author.version
    for attempt in range(_ATTEMPTS):
        others = [e for e in dicts(resource.get("extension")) if e.get("url") not in _MARKS]
        marked = {**resource, "extension": [*others, *mark]}
        stated = {} if author.contained else {"status": status}
        try:
            await client.update(
                {name: value for name, value in {**marked, **stated}.items() if value != []},
                if_match=version or None,
            )
        except HttpStatusError as error:
            if error.status not in (409, 412) or attempt == _ATTEMPTS - 1:
                raise
            resource = await client.read(author.reference)
            version = str(as_dict(resource.get("meta")).get("versionId", ""))
        else:
            return


def marks_of(resource: JsonObject) -> list[JsonObject]:
    """The extensions by which a Device or a DeviceDefinition says that it was recalled, and why."""
    return [e for e in dicts(resource.get("extension")) if e.get("url") in _MARKS]


def author_of(device: JsonObject) -> Author:
    """Reads a Device or a DeviceDefinition leniently."""
    versions = dict(versions_of(device))
    marks = [e.get("valueCode") for e in dicts(device.get("extension")) if e.get("url") == canonical.RECALL]
    recalled = str(marks[0]) if marks and device.get("status") != "active" else ""
    return Author(
        id=str(device.get("id", "")),
        name=name_of(device),
        version=str(as_dict(device.get("meta")).get("versionId", "")),
        pipeline=versions.get("pipeline", ""),
        model=versions.get("model", ""),
        weights=versions.get("weights-sha256", ""),
        recalled=recalled,
        resource=device,
    )
