"""Whether the summary that a server holds is the one that would be written, or bars it."""

from collections.abc import Sequence

from fhir_adapter.elements import CONFIDENTIALITY_ORDER, confidentiality, labels
from fhir_adapter.lenient import JsonObject, as_dict, coded, relative
from fhir_adapter.writing.lifecycle import Existing, Stamp, Withdrawal
from fhir_adapter.writing.summary import SummaryDraft, composition


def stamp_for(written: SummaryDraft) -> Stamp:
    """The stamp that a Composition of this summary carries."""
    text = written.reading.text
    return Stamp(written.reading.note.version_id, text.sha256, text.normalization, written.pipeline.device_id)


def blocked(head: Existing, written: SummaryDraft) -> bool:
    """A withdrawal by a person holds for the pipeline version, or the version of the source, that it hit."""
    made, now = head.stamp, stamp_for(written)
    if head.ended == Withdrawal.RECALLED:
        return made.pipeline == now.pipeline
    return head.ended == Withdrawal.SOURCE and (made.version_id, made.sha256) == (now.version_id, now.sha256)


def holds(head: Existing, written: SummaryDraft) -> bool:
    """Nothing is to be written: the Composition is of this text, and protects it."""
    made, now = head.stamp, stamp_for(written)
    if not head.ours:
        # A person's stays for as long as its source does; another model is no reason to replace it.
        return not head.ended and (made.version_id, made.sha256) == (now.version_id, now.sha256)
    return made == now and not head.ended and _protects(head, written) and _same_patient(head, written)


def doubles(chain: Sequence[Existing]) -> list[Existing]:
    """Those of our current summaries that are one too many at their place.

    Servers that give out the ids were seen to make two of one conditional create, sent twice at a time. A
    person's comes first, then the first by its id, so that every worker keeps the same one.
    """
    kept = [one.id for one in single(chain)]
    return [one for one in chain if one.ours and _current(one) and one.id not in kept]


def single(chain: Sequence[Existing]) -> tuple[Existing, ...]:
    """One summary for each place: a current one before an ended one, then as of `doubles`."""
    first: dict[int, Existing] = {}
    for one in sorted(chain, key=lambda one: (one.ordinal, not _current(one), one.ours, one.id)):
        first.setdefault(one.ordinal, one)
    return tuple(first.values())


def _current(one: Existing) -> bool:
    return not one.ended and not one.in_error


def _same_patient(head: Existing, written: SummaryDraft) -> bool:
    """Also where no version tells that a note was filed under another patient or encounter since."""
    wanted = composition(written)
    return all(_target(head.resource, name) == _target(wanted, name) for name in ("subject", "encounter"))


def _target(resource: JsonObject, name: str) -> tuple[str, str]:
    """Whom a reference names, however the server writes it."""
    reference = as_dict(resource.get(name))
    target = relative(reference.get("reference"), "").split("/")[-2:]
    return "/".join(target), "" if any(target) else str(as_dict(reference.get("identifier")).get("value", ""))


def _protects(head: Existing, written: SummaryDraft) -> bool:
    security = written.reading.note.security
    stated, least = str(head.resource.get("confidentiality", "")), confidentiality(security)
    order = CONFIDENTIALITY_ORDER
    return (
        coded(labels(security)) <= head.labels
        and len(stated) == 1
        and stated in order
        and order.index(stated) >= order.index(least)
    )
