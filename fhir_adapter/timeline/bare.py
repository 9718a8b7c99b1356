"""Notes of a patient that no summary is shown of: they stand in the timeline with the reason."""

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace

from fhir_adapter.errors import HttpStatusError, NoteError
from fhir_adapter.filed import is_own
from fhir_adapter.lenient import JsonObject, as_dict, as_list, reference_of, relative
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.policy import Policy, ineligible
from fhir_adapter.reading.source_note import SOURCE_TYPES, read_source
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.timeline.clinical_time import note_times
from fhir_adapter.timeline.timeline import BareNote, TimelineScope

Reasons = Callable[[Sequence[SourceNote]], Awaitable[Mapping[str, Reason]]]
"""Why notes have no summary, by `Type/id`, as far as anybody knows."""

NOT_YET = "not-yet"
"""Nothing speaks against a summary of the note: the next pass will make it."""


async def notes_in(client: FhirClient, scope: TimelineScope, page_size: int) -> dict[str, JsonObject]:
    """The notes in scope as the server has them now, by `Type/id`, and the texts that we keep beside them.

    Args:
        client: the server.
        scope: whose notes.
        page_size: of the searches.

    Raises:
        FhirAdapterError: as the client raises it; a kind of note that may not be searched counts as none.
    """
    return {
        reference_of(one): one
        for kind in SOURCE_TYPES
        async for one in _notes(client, kind, scope, page_size)
    }


async def bare_notes(
    notes: Iterable[JsonObject], base_url: str, shown: Container[str], reasons: Reasons | None
) -> list[BareNote]:
    """The notes that no summary is shown of, but for those entered in error and those replaced.

    Args:
        notes: as of `notes_in`.
        base_url: of their server.
        shown: `Type/id` of the notes that are there already.
        reasons: asked about notes that can be summarised and are not.
    """
    resources = [note for note in notes if not is_own(note)]
    found: list[BareNote] = []
    replaced: set[str] = set()
    for resource in resources:
        try:
            note = read_source(resource)
        except NoteError:
            continue  # nothing that can be referred to
        replaced.update(relative(reference, base_url) for reference in note.replaces)
        why = ineligible(note, Policy()) or (None if note.attachments else Reason.NO_ATTACHMENT)
        if note.reference in shown or why is Reason.ENTERED_IN_ERROR:
            continue
        times = note_times(resource)
        found.append(BareNote(replace(note, attachments=()), times, why.value if why else NOT_YET))
    found = [bare for bare in found if bare.source not in replaced]
    unknown = [bare.note for bare in found if bare.reason == NOT_YET]
    known = await reasons(unknown) if reasons and unknown else {}
    return [
        replace(bare, reason=known[bare.source].value) if bare.source in known else bare for bare in found
    ]


async def _notes(
    client: FhirClient, kind: str, scope: TimelineScope, page_size: int
) -> AsyncIterator[JsonObject]:
    """The resources of a kind in scope."""
    encounter = scope.reference.startswith("Encounter/")
    wanted = (scope.reference,) if encounter else scope.patients
    count, patients = ("_count", str(page_size)), ",".join(scope.patients)
    ways = [[(name, patients), count] for name in ("subject", "patient")]
    if encounter:
        ways.insert(0, [("encounter", scope.reference), count])
    seen: set[str] = set()
    try:
        async for page in search_by(client, kind, ways):
            for resource in page.resources:
                whose = _encounters(resource) if encounter else [resource.get("subject")]
                # Looked at, since a server may ignore a parameter.
                asked = any(_named(one, client.base_url) in wanted for one in whose)
                if asked and reference_of(resource) not in seen:
                    seen.add(reference_of(resource))
                    yield resource
    except HttpStatusError as error:
        if error.passing:
            raise


def _encounters(resource: JsonObject) -> list[object]:
    """All references to encounters, in the places of a report and of a document."""
    context = resource.get("context")  # in R5 a list of references
    places = (resource.get("encounter"), as_dict(context).get("encounter"), context)
    return [one for place in places for one in as_list(place)]


def _named(reference: object, base_url: str) -> str:
    return relative(as_dict(reference).get("reference"), base_url)
