"""The Provenance of a summary, and that of each further source that holds the same text.

Every source has a Provenance of its own, under an id that follows from the source. It points at the summary
of that source's text, whichever source that was made from. So the writers of two sources never change the
same one, and what gives a source a summary of its own takes its name off the other in the same moment.
"""

from fhir_adapter import canonical, elements
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import paragraph
from fhir_adapter.writing.summary import SummaryDraft, meta, source_text, urn


def provenance(written: SummaryDraft) -> JsonObject:
    """The Provenance: AI-Provenance of AI Transparency on FHIR and, for a document, IHE mXDE too."""
    targets = [{"reference": urn(written.composition_id)}]
    if not written.reading.text.verbatim:
        targets.append({"reference": urn(written.extracted_text_id)})
    words = f"Extractive summary of {written.source_words}, made by {written.pipeline.words}."
    return _provenance(written, targets, words)


def copy_provenance(written: SummaryDraft, composition: str) -> JsonObject:
    """What names a source in the summary of another one that holds the same text.

    It states where and how that text was read, so that anyone can read and compare it again.

    Args:
        written: the summary that this source would have.
        composition: id of the Composition that there is.
    """
    words = f"{written.source_words} holds the text of this summary too, read by {written.pipeline.words}."
    resource = _provenance(written, [{"reference": f"Composition/{composition}"}], words)
    return {**resource, "extension": [source_text(written, written.text_key)]}


def _provenance(written: SummaryDraft, targets: list[JsonObject], words: str) -> JsonObject:
    note, pipeline = written.reading.note, written.pipeline
    version = f"/_history/{note.version_id}" if note.version_id else ""
    agent = {
        "type": {"coding": [{"system": canonical.PARTICIPANT_TYPE, "code": "assembler"}]},
        "role": [{"coding": [{"system": canonical.AI_DEVICE_TYPE, "code": "Artificial-Intelligence"}]}],
        "who": {"reference": f"Device/{pipeline.device_id}"},
        "onBehalfOf": elements.reference(note.custodian, written.base_url, ("Organization",)),
    }
    resource = {
        "resourceType": "Provenance",
        "id": written.provenance_id,
        # Provenance has no identifier in R4; the tag lets a server without client ids find it again.
        "meta": meta(canonical.PROVENANCE_PROFILE, (canonical.PROVENANCE_KEY, written.provenance_id), []),
        "language": "en",
        "text": paragraph(words),
        "target": targets,
        "occurredDateTime": written.when,
        "recorded": written.when,
        "policy": [canonical.MXDE_POLICY] if note.resource_type == "DocumentReference" else None,
        "reason": [{"coding": [pipeline.label_coding]}],
        "activity": {"coding": [{"system": canonical.W3C_ACTIVITY, "code": "Derivation"}]},
        "agent": [{name: value for name, value in agent.items() if value}],
        "entity": [
            {
                "role": "source",
                "what": {
                    # Servers strip the version from references, so it stands as plain data as well.
                    "reference": note.reference + version,
                    "identifier": {"system": canonical.URI, "value": written.source_version_url},
                },
            }
        ],
    }
    return {name: value for name, value in resource.items() if value not in (None, [], {})}
