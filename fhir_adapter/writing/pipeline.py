"""What made a summary: software, model and settings, as a Device and its model card.

The Device follows AI-Device of HL7's AI Transparency on FHIR (STU1): `type` is exactly
`AIdeviceTypeCS#Artificial-Intelligence`, and it refers to an AI-ModelCard, a DocumentReference in markdown.
"""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass
from functools import cached_property

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import FORM, paragraph
from summarizer.types import ModelInfo

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, f"{canonical.CANONICAL_BASE}/identity")


@dataclass(frozen=True)
class Pipeline:
    """Everything that decides which sentences are chosen.

    Attributes:
        name: names the kind of summary; one Composition exists per source and name.
        software_version: of this product.
        settings: those that change a summary (budget and the like), as shown to people.
        label: the security label for "asserted by an AI" as (system, code, display); the display may be "".
        rules: those whose lines are pinned, as (id, version); empty where none are.
    """

    name: str
    software_version: str
    model: ModelInfo
    settings: tuple[tuple[str, str], ...] = ()
    label: tuple[str, str, str] = (canonical.OBSERVATION_VALUE, "AIAST", "Artificial Intelligence asserted")
    rules: tuple[tuple[str, int], ...] = ()

    @cached_property
    def version(self) -> str:
        """Twelve digits over software, model, settings and form: same digits, same summaries."""
        facts = [self.name, self.software_version, self.model.engine, self.model.name, self.model.sha256]
        facts += [f"form {FORM}", self.rule_words]
        content = json.dumps([facts, self.settings, self.label])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def rule_words(self) -> str:
        """The rules by id and version: `allergies|1 code-status|1`."""
        return " ".join(f"{rule}|{version}" for rule, version in self.rules)

    @property
    def words(self) -> str:
        """Software and model as people read them."""
        name = f": {self.model.name}" if self.model.name != self.model.engine else ""
        return f"Clinical AI Summarizer {self.software_version} ({self.model.engine}{name})"

    @property
    def device_id(self) -> str:
        """Client-assigned id of the Device."""
        return f"clinsum-{self.software_version.replace('.', '-')}-{self.version}"

    @property
    def model_card_id(self) -> str:
        """Client-assigned id of the model card's DocumentReference."""
        return f"{self.device_id}-card"

    @property
    def label_coding(self) -> dict[str, str]:
        """The label as a Coding."""
        system, code, display = self.label
        coding = {"system": system, "code": code, "display": display}
        return {name: value for name, value in coding.items() if value}


def deterministic_id(*parts: str) -> str:
    """UUIDv5 over the parts: the same source and pipeline have the same id in every run and worker."""
    return str(uuid.uuid5(NAMESPACE, "|".join(parts)))


def device(pipeline: Pipeline) -> JsonObject:
    """The Device that is the author of every Composition of this pipeline."""
    model = pipeline.model
    versions = [
        ("software", pipeline.software_version),
        ("model", model.name),
        ("engine", model.engine),
        ("pipeline", pipeline.version),
        ("weights-sha256", model.sha256),
        ("form", str(FORM)),  # of what it writes: by what an audit has to go
        ("rules", pipeline.rule_words),  # by which it pins lines: what an audit can find again
    ]
    return {
        "resourceType": "Device",
        "id": pipeline.device_id,
        "meta": {"profile": [canonical.DEVICE_PROFILE]},
        "language": "en",
        "text": paragraph(f"{pipeline.words}, an extractive summarizer of clinical notes."),
        "extension": [
            {
                "url": canonical.MODEL_CARD,
                "valueReference": {"reference": f"DocumentReference/{pipeline.model_card_id}"},
            }
        ],
        "identifier": [{"system": canonical.DEVICES, "value": pipeline.device_id}],
        "status": "active",
        "manufacturer": "Clinical AI Summarizer",
        "deviceName": [{"name": "Extractive note summarizer", "type": "model-name"}],
        "type": {"coding": [{"system": canonical.AI_DEVICE_TYPE, "code": "Artificial-Intelligence"}]},
        "version": [{"type": {"text": kind}, "value": value} for kind, value in versions if value],
    }


def model_card(pipeline: Pipeline, markdown: str) -> JsonObject:
    """The model card as a DocumentReference that the Device refers to; tagged, so never summarised."""
    data = markdown.encode()
    system, tag = canonical.EXTRACTED_TEXT_TAG
    return {
        "resourceType": "DocumentReference",
        "id": pipeline.model_card_id,
        "meta": {"profile": [canonical.MODEL_CARD_PROFILE], "tag": [{"system": system, "code": tag}]},
        "language": "en",
        "text": paragraph(f"Model card of {pipeline.words}."),
        "identifier": [{"system": canonical.DEVICES, "value": pipeline.model_card_id}],
        "status": "current",
        "type": {"coding": [{"system": canonical.AI_INPUTS, "code": "AIModelCard"}]},
        "category": [{"coding": [{"system": canonical.AI_INPUTS, "code": "AIModelCardMarkdownFormat"}]}],
        "description": "Model card of the extractive note summarizer",
        "content": [
            {
                "attachment": {
                    "contentType": "text/markdown",
                    "data": base64.b64encode(data).decode(),
                    "title": "Model card",
                }
            }
        ],
    }


def model_card_markdown(pipeline: Pipeline) -> str:
    """What a reader of the Device has to know, in plain words."""
    model = pipeline.model
    settings = "\n".join(f"- {name}: {value}" for name, value in pipeline.settings)
    return (
        "# Extractive note summarizer\n\n"
        f"Software: Clinical AI Summarizer {pipeline.software_version}\n\n"
        f"Engine: {model.engine}; model: {model.name}; weights (SHA-256): {model.sha256 or 'none'}\n\n"
        "## What it does\n\n"
        "It marks sentences of a clinical note and copies them verbatim, in the order of the note. "
        "It writes no sentence of its own and draws no conclusion.\n\n"
        "## Intended use\n\n"
        "To help a clinician find the sentences worth reading first. Not a diagnosis, not a substitute for "
        "the note: what is not shown may matter. A person stays responsible.\n\n"
        "Lines that must not depend on a score (allergies, code status and the like) are found by rules and "
        "shown apart. Where a rule finds nothing, nothing is said: it may still be in the note.\n\n"
        f"Rules: {', '.join(f'{rule} {version}' for rule, version in pipeline.rules) or 'none'}\n\n"
        f"## Settings\n\n{settings or '- defaults'}\n"
    )
