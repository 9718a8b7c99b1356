"""What names a further source in a summary: a Provenance of that source, which points at the summary."""

from dataclasses import dataclass, field

from fhir_adapter import canonical
from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, references, relative, version_of
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.lifecycle import Withdrawal, ended_because, marked, source_facts, unmarked
from fhir_adapter.writing.summary import SummaryDraft


@dataclass(frozen=True, slots=True)
class Link:
    """That a source holds the text of a summary made from another one, as its Provenance says.

    Attributes:
        source: `Type/id` of the further source.
        composition: id of the summary.
        key: which text of which patient.
        version, url: of the source, and the address of that version.
        path, normalization, sha256: where and how the text was read.
        pipeline: name of the Device that read it.
        ended: why the source is no longer named, or "".
        resource: the Provenance.
    """

    source: str
    composition: str
    key: str
    version: str
    url: str
    path: str
    normalization: str
    sha256: str
    pipeline: str
    ended: str
    resource: JsonObject = field(repr=False, compare=False)

    @property
    def version_id(self) -> str:
        """Of the Provenance, for If-Match; "" where the server has none."""
        return version_of(self.resource)


def read_link(provenance: JsonObject, base_url: str) -> Link | None:
    """Reads a Provenance leniently; None where it says nothing of the kind, or is not of this software."""
    systems = {system for system, _ in coded(as_dict(provenance.get("meta")).get("tag"))}
    facts = {name: str(value) for name, value in source_facts(provenance) if value is not None}
    targets = [t for t in references(provenance.get("target"), base_url) if t.startswith("Composition/")]
    entities = [as_dict(e.get("what")) for e in dicts(provenance.get("entity")) if e.get("role") == "source"]
    if canonical.PROVENANCE_KEY not in systems or not facts.get("key"):
        return None
    if len(targets) != 1 or len(entities) != 1:
        return None
    return Link(
        source=relative(entities[0].get("reference"), base_url),
        composition=targets[0].partition("/")[2],
        key=facts["key"],
        version=facts.get("versionId", ""),
        url=facts.get("source", ""),
        path=facts.get("path", ""),
        normalization=facts.get("normalization", ""),
        sha256=facts.get("sha256", ""),
        pipeline=facts.get("pipeline", ""),
        ended=ended_because(provenance),
        resource=provenance,
    )


def check_withdrawn(link: Link | None, written: SummaryDraft) -> None:
    """A withdrawal of a further source by a person holds for the version that it hit.

    Raises:
        NoteError: `withdrawn`.
    """
    note = written.reading.note
    same = link and (link.version, link.sha256) == (note.version_id, written.reading.text.sha256)
    if link and same and link.ended == Withdrawal.SOURCE:
        raise NoteError(Reason.WITHDRAWN, link.ended)


def ended_link(link: Link, why: str) -> JsonObject:
    """The Provenance marked: the source is no longer one of the summary's."""
    return marked(link.resource, why)


def reinstated_link(link: Link) -> JsonObject:
    """The Provenance without the mark."""
    return unmarked(link.resource)


def states(link: Link, written: SummaryDraft) -> bool:
    """Whether a link states just this reading of the source."""
    note, text = written.reading.note, written.reading.text
    return (link.version, link.url, link.sha256, link.normalization, link.pipeline) == (
        note.version_id,
        written.source_version_url,
        text.sha256,
        text.normalization,
        written.pipeline.device_id,
    )
