"""Which notes have a summary of a former pipeline version, as the server says."""

from fhir_adapter import canonical
from fhir_adapter.lenient import as_dict, dicts, relative
from fhir_adapter.reading.source_note import SOURCE_TYPES
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.writing.lifecycle import Existing, Withdrawal, read_existing
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.summary import summary_identifier


async def outdated(client: FhirClient, pipeline: Pipeline, page_size: int) -> list[str]:
    """`Type/id` of the notes whose current summary under the pipeline's name is of another version of it.

    Left out are summaries that a person changed or attested, and those that ended with their note. A recalled
    one counts: a new version of the pipeline is what it waits for. What is brought along does not count any
    more, so that a walk that was stopped goes on where it was.

    Args:
        client: the server.
        pipeline: the one that is current.
        page_size: Compositions in one page of the server's answers.

    Raises:
        FhirAdapterError: as the client raises it.
    """
    system, tag = canonical.SUMMARY_TAG
    count = ("_count", str(page_size))
    heads: dict[str, tuple[int, bool]] = {}
    async for page in search_by(client, "Composition", [[("_tag", f"{system}|{tag}"), count], [count]]):
        for resource in page.resources:
            section = (dicts(resource.get("section")) or [{}])[0]
            entry = (dicts(section.get("entry")) or [{}])[0].get("reference")
            source = relative(entry, client.base_url)
            value = str(as_dict(resource.get("identifier")).get("value", ""))
            named, _, place = value.partition("~")
            if source.partition("/")[0] not in SOURCE_TYPES or named != summary_identifier(
                source, pipeline.name
            ):
                continue
            ordinal = int(place) if place.isdecimal() else 1
            head = (ordinal, _is_outdated(read_existing(resource), pipeline))
            if head[1] or ordinal > 1:
                heads[source] = max(head, heads.get(source, head))
    return [source for source, (_, due) in heads.items() if due]


def _is_outdated(one: Existing, pipeline: Pipeline) -> bool:
    current = one.ours and not one.ended
    return one.stamp.pipeline != pipeline.device_id and (current or one.ended == Withdrawal.RECALLED)
