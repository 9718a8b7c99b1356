"""What a Composition says of its own life, and what made it: what a person wants to know beside the proof."""

from dataclasses import dataclass

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, relative
from fhir_adapter.writing.authorship import definition_of
from fhir_adapter.writing.lifecycle import ended_because
from fhir_adapter.writing.recall import author_of

_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True)
class Label:
    """A security label of the Composition.

    Attributes:
        display: in words; "" where the Composition states none.
    """

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Attester:
    """Somebody who signed the Composition.

    Attributes:
        mode: `personal`, `professional`, `legal` or `official`.
        party: `Type/id`, or the name that is stated instead.
        time: as stated; "" where it is not.
    """

    mode: str
    party: str
    time: str


@dataclass(frozen=True, slots=True)
class Record:
    """A Composition apart from its sentences, read leniently; "" stands for what it does not state.

    Attributes:
        version: `meta.versionId`.
        ended: code of why it is no longer current.
        needs_review: it came after one that a person changed or attested, and waits for somebody to compare.
        subject: `Type/id`.
    """

    title: str
    status: str
    version: str
    last_updated: str
    date: str
    subject: str
    confidentiality: str
    ended: str
    needs_review: bool
    labels: tuple[Label, ...]
    attesters: tuple[Attester, ...]

    @property
    def current(self) -> bool:
        """Neither ended nor entered in error."""
        return not self.ended and self.status != _IN_ERROR


@dataclass(frozen=True, slots=True)
class Maker:
    """A Device that a Composition names as an author, as the server has it now.

    Attributes:
        reference: `Device/id`, or `DeviceDefinition/id` of a contained one.
        software: version of this product.
        pipeline: twelve digits over software, model and settings.
        weights: SHA-256 of the model's weights; "" for a model without any.
        recalled: `model` or `pipeline`; "" where it is in use.
        form: of the narratives that it writes (`narrative.FORM`).
        rules: by which it pins lines, as `allergies|1`.
    """

    reference: str
    software: str
    engine: str
    model: str
    weights: str
    pipeline: str
    recalled: str
    form: int = 1
    rules: tuple[str, ...] = ()


def read_record(composition: JsonObject, base_url: str = "") -> Record:
    """Reads a Composition; absolute references under `base_url` are read as relative ones."""
    meta = as_dict(composition.get("meta"))
    status, ended = _text(composition, "status"), ended_because(composition)
    waits = canonical.REVIEW_TAG in coded(meta.get("tag")) and status == "preliminary"
    return Record(
        title=_text(composition, "title"),
        status=status,
        version=_text(meta, "versionId"),
        last_updated=_text(meta, "lastUpdated"),
        date=_text(composition, "date"),
        subject=relative(as_dict(composition.get("subject")).get("reference"), base_url),
        confidentiality=_text(composition, "confidentiality"),
        ended=ended,
        needs_review=waits and not ended,
        labels=tuple(
            Label(_text(label, "system"), _text(label, "code"), _text(label, "display"))
            for label in dicts(meta.get("security"))
        ),
        attesters=tuple(_attester(one, base_url) for one in dicts(composition.get("attester"))),
    )


def _attester(attester: JsonObject, base_url: str) -> Attester:
    party = as_dict(attester.get("party"))
    named = relative(party.get("reference"), base_url) or _text(party, "display")
    return Attester(_text(attester, "mode"), named, _text(attester, "time"))


def read_maker(device: JsonObject) -> Maker:
    """Reads a Device of ours; of anybody else's the facts are empty."""
    author = author_of(device)
    stated = {
        _text(as_dict(version.get("type")), "text"): _text(version, "value")
        for version in dicts(device.get("version"))
    }
    return Maker(
        reference=definition_of(device, "") or author.reference,
        software=stated.get("software", ""),
        engine=stated.get("engine", ""),
        model=author.model,
        weights=author.weights,
        pipeline=author.pipeline,
        recalled=author.recalled,
        rules=tuple(stated.get("rules", "").split()),
        form=int(form) if (form := stated.get("form", "")).isascii() and form.isdigit() else 1,
    )


def _text(holder: JsonObject, name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
