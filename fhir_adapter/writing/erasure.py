"""Legal erasure: deletes what this software wrote of a patient or of a note, and says what it could not.

What is found is held against what was asked before anything is done with it; what is gone is confirmed by a
read. What a person changed or attested is left unless told, as are all resources of others.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError, RefusedError
from fhir_adapter.filed import is_own
from fhir_adapter.lenient import (
    JsonObject,
    as_dict,
    coded,
    dicts,
    has_tag,
    reference_of,
    references,
    relative,
)
from fhir_adapter.reading.source_note import SOURCE_TYPES
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.matches import matches
from fhir_adapter.writing.lifecycle import (
    Withdrawal,
    ended,
    extracted_texts,
    is_ours,
    is_timeline,
)
from fhir_adapter.writing.links import read_link
from fhir_adapter.writing.ours import ours_by

Fate = Literal["deleted", "ended", "left", "failed", "due"]
_OURS = (canonical.SUMMARY_TAG, canonical.TIMELINE_TAG)
_COUNT = ("_count", "100")
_NOTES = 20  # asked for in one search


@dataclass(slots=True)
class WrittenResources:
    """What this software wrote of a patient or a note.

    Attributes:
        compositions: summaries and timelines.
        others: `Type/id` of their Provenances and extracted texts; the former come first.
        sources: `Type/id` of the notes, for the ledger.
        feedback: what readers said, by `Type/id`, each with the Compositions that it is about.
        of: the notes that each resource was made from, by `Type/id`, as far as it says them.
    """

    compositions: list[JsonObject] = field(default_factory=list)
    provenances: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    feedback: dict[str, tuple[str, ...]] = field(default_factory=dict)
    of: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def notes_of(self, resources: Iterable[str]) -> set[str]:
        """The notes of these resources; all, where one does not say of which it is."""
        about = [one for said in resources for one in self.feedback.get(said, (said,))]
        known = [self.of.get(one, ()) for one in about]
        return {note for notes in known for note in notes} if all(known) else set(self.sources)


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of one resource.

    Attributes:
        reference: `Type/id` of a resource of ours.
        fate: `deleted`, as a read confirmed; `ended`, where the server deletes nothing; `left`, a person's
            work; `failed`; `due` where nothing was to be done yet.
        history: earlier versions can still be read.
        status: of the answer by which it failed; 0 where there is none.
    """

    reference: str
    fate: Fate
    history: bool = False
    status: int = 0


async def find(client: FhirClient, patient: str = "", source: str = "") -> WrittenResources:
    """What there is of `Patient/id`, or of the note `Type/id`.

    Raises:
        FhirAdapterError: as the client raises it; half of what there is would look like all of it.
    """
    found = WrittenResources()
    for name, value in (("subject", patient), ("entry", source)):
        if value:
            ways = ours_by("Composition", name, value)
            async for one in matches(client, "Composition", *ways, walk=True):
                _take(found, one, patient, source, client.base_url)
    for composition in found.compositions:
        name = reference_of(composition)
        beside = [*await _provenances(client, name), *extracted_texts(composition)]
        found.of |= dict.fromkeys([name, *beside], _entries(composition, client.base_url))
        found.provenances += [one for one in beside if one.startswith("Provenance/")]
        found.texts += extracted_texts(composition)
    found.feedback = await _feedback(client, found, patient)
    if patient:
        await _notes(client, found, patient)
    found.sources += [source] if source else []
    await _of_notes(client, found, source)
    for name in ("provenances", "texts", "sources"):
        setattr(found, name, list(dict.fromkeys(getattr(found, name))))
    return found


async def _provenances(client: FhirClient, target: str) -> list[str]:
    found = []
    async for one in matches(client, "Provenance", *ours_by("Provenance", "target", target), walk=True):
        systems = {system for system, _ in coded(as_dict(one.get("meta")).get("tag"))}
        if target in references(one.get("target"), client.base_url) and canonical.PROVENANCE_KEY in systems:
            found.append(reference_of(one))
    return found


async def _of_notes(client: FhirClient, found: WrittenResources, source: str) -> None:
    """What names the notes and no summary of theirs.

    That is what names the note asked for in summaries of others that hold the same text, which stay; and
    what an earlier erasure could not delete of summaries that are gone.
    """
    for begin in range(0, len(found.sources), _NOTES):
        part = found.sources[begin : begin + _NOTES]
        ways = ours_by("Provenance", "entity", ",".join(part))
        async for one in matches(client, "Provenance", *ways, walk=True):
            named = [as_dict(e.get("what")).get("reference") for e in dicts(one.get("entity"))]
            notes = tuple(note for note in part if note in (relative(r, client.base_url) for r in named))
            if notes and reference_of(one) not in found.of and await _is_left(client, one, source):
                found.provenances.append(reference_of(one))
                found.of[reference_of(one)] = notes
    if source and "relatesto" in (await client.capability()).search_params("DocumentReference"):
        await _texts_of(client, found, source)


async def _texts_of(client: FhirClient, found: WrittenResources, source: str) -> None:
    """The texts of ours that say that they are of the note; none where the server does not say."""
    query = [("_tag", "|".join(canonical.EXTRACTED_TEXT_TAG)), ("relatesto", source), _COUNT]
    try:
        async for one in matches(client, "DocumentReference", query, walk=True):
            related = references([r.get("target") for r in dicts(one.get("relatesTo"))], client.base_url)
            if is_own(one) and source in related and not _holds_one_of(one, found.compositions):
                found.texts.append(reference_of(one))
                found.of.setdefault(reference_of(one), (source,))
    except HttpStatusError as error:
        if isinstance(error, RefusedError) or not error.unsupported:
            raise


async def _is_left(client: FhirClient, provenance: JsonObject, source: str) -> bool:
    link = read_link(provenance, client.base_url)
    if link and link.source == source:
        return True
    systems = {system for system, _ in coded(as_dict(provenance.get("meta")).get("tag"))}
    targets = references(provenance.get("target"), client.base_url)
    mine = [target for target in targets if target.startswith("Composition/")]
    if canonical.PROVENANCE_KEY not in systems or not mine:
        return False
    return all([await client.read_if_there(target) is None for target in mine])


async def _feedback(client: FhirClient, found: WrittenResources, patient: str) -> dict[str, tuple[str, ...]]:
    """What readers said of these Compositions, or of any of the patient's."""
    mine = {reference_of(one) for one in found.compositions}
    tagged = ("_tag", "|".join(canonical.FEEDBACK_TAG))
    queries = [
        [("_tag", f"{canonical.FEEDBACK_ABOUT}|{one.partition('/')[2]}"), _COUNT] for one in sorted(mine)
    ]
    queries += [[tagged, ("subject", patient), _COUNT]] if patient else []
    said: dict[str, tuple[str, ...]] = {}
    try:
        for query in queries:
            async for one in matches(client, "Communication", query):
                about = references(one.get("about"), client.base_url)
                whose = relative(as_dict(one.get("subject")).get("reference"), client.base_url)
                of_these = mine & set(about) or (patient and whose == patient)
                if of_these and has_tag(one, canonical.FEEDBACK_TAG):
                    said[reference_of(one)] = about
    except HttpStatusError as error:
        if isinstance(error, RefusedError) or not error.unsupported:
            raise  # what may not be looked for cannot be said to be erased
    return said


async def _notes(client: FhirClient, found: WrittenResources, patient: str) -> None:
    """The patient's notes, and the texts of ours that no summary refers to any more."""
    # Tagged ones are asked for by themselves too, since they may stand on a server of their own.
    tagged = ("_tag", "|".join(canonical.EXTRACTED_TEXT_TAG))
    for kind, more in (*((kind, ()) for kind in SOURCE_TYPES), ("DocumentReference", (tagged,))):
        ways = [[(name, patient), *more, _COUNT] for name in ("subject", "patient")]
        async for one in matches(client, kind, *ways):
            mine = relative(as_dict(one.get("subject")).get("reference"), client.base_url) == patient
            if mine and not _holds_one_of(one, found.compositions):
                if not is_own(one):
                    found.sources.append(reference_of(one))
                    continue
                found.texts.append(reference_of(one))
                related = references([r.get("target") for r in dicts(one.get("relatesTo"))], client.base_url)
                found.of.setdefault(reference_of(one), tuple(related))


def _holds_one_of(document: JsonObject, compositions: Sequence[JsonObject]) -> bool:
    """Whether one of the summaries is filed in a document, and is deleted with it."""
    stated = {i.get("value") for i in dicts(document.get("identifier")) if i.get("system") == canonical.FILED}
    return bool(stated & set(map(reference_of, compositions)))


def _take(found: WrittenResources, one: JsonObject, patient: str, source: str, base_url: str) -> None:
    tags = coded(as_dict(one.get("meta")).get("tag"))
    entries = _entries(one, base_url)
    mine = relative(as_dict(one.get("subject")).get("reference"), base_url) == patient if patient else False
    if tags & set(_OURS) and (mine or (source and source in entries)):
        found.compositions.append(one)
        found.sources += [] if is_timeline(one) or source else entries[:1]


def _entries(one: JsonObject, base_url: str) -> tuple[str, ...]:
    """The notes of a summary or a timeline."""
    sections = dicts(one.get("section"))
    return tuple(entry for section in sections for entry in references(section.get("entry"), base_url))


async def erase(
    client: FhirClient, found: WrittenResources, *, attested: bool = False, dry_run: bool = False
) -> AsyncIterator[Erased]:
    """Deletes what was found, in an order in which nothing refers to what is gone.

    What readers said and Provenances come first, then timelines, summaries and extracted texts. What failed
    is tried once more after all others: what held it may be gone by then.

    Args:
        client: the server.
        found: from `find`.
        attested: also what a person changed or attested.
        dry_run: say what would be done, and do nothing.
    """
    kept = [one for one in found.compositions if not (attested or is_ours(one) or _only_ended(one))]
    spared = {reference_of(one) for one in kept}
    texts_of_kept = {text for one in kept for text in extracted_texts(one)}
    for reference in sorted(spared):
        yield Erased(reference, "left")
    ordered = sorted(found.compositions, key=lambda one: not is_timeline(one))
    due = [
        *(said for said, about in found.feedback.items() if not spared & set(about)),
        *(found.provenances if not kept else []),
        *(reference_of(one) for one in ordered if reference_of(one) not in spared),
        *(text for text in found.texts if text not in texts_of_kept),
    ]
    if dry_run:
        for reference in due:
            yield Erased(reference, "due")
        return
    failed: list[str] = []
    for reference in due:
        one = await _gone(client, reference)
        if one.fate == "failed":
            failed.append(reference)
        else:
            yield one
    for reference in failed:
        yield await _gone(client, reference)


def _only_ended(composition: JsonObject) -> bool:
    """Nobody signed it; it counts as entered in error."""
    return composition.get("status") == "entered-in-error" and not composition.get("attester")


async def _gone(client: FhirClient, reference: str) -> Erased:
    try:
        before = await client.read_if_there(reference)
        if before is None:
            return Erased(reference, "deleted", await _history(client, reference, "1"))
        try:
            await client.delete(reference)
        except HttpStatusError as error:
            if error.status == 405 and reference.startswith("Composition/"):
                await client.update(ended(before, Withdrawal.SOURCE))
                return Erased(reference, "ended", history=True)
            return Erased(reference, "failed", status=error.status)
        if await client.read_if_there(reference) is not None:
            return Erased(reference, "failed")
        version = str(as_dict(before.get("meta")).get("versionId") or "")
        return Erased(reference, "deleted", await _history(client, reference, version))
    except HttpStatusError as error:
        return Erased(reference, "failed", status=error.status)


async def _history(client: FhirClient, reference: str, version: str) -> bool:
    """Whether the version that was deleted can still be read."""
    try:
        return bool(version) and await client.read_if_there(reference, version) is not None
    except HttpStatusError:
        return False


async def access_records(client: FhirClient, patient: str) -> int:
    """How many AuditEvents name the patient; they record who saw what, and are not ours to delete."""
    if not patient or "patient" not in (await client.capability()).search_params("AuditEvent"):
        return 0
    count = 0
    async for _ in matches(client, "AuditEvent", [("patient", patient), _COUNT]):
        count += 1
    return count
