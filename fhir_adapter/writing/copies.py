"""Which summaries there are of one text of one patient, and which further sources they are made to name.

A summary carries a tag that says which text of which patient it is of, so that a writer without any ledger
finds it. What a search gives is never gone by alone: everything is read off the Composition itself.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict, dicts, has_tag, references, relative
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.matches import matches
from fhir_adapter.rest.searching import searched
from fhir_adapter.writing.lifecycle import Existing, read_existing, stamp_of
from fhir_adapter.writing.links import Link, check_withdrawn, ended_link, read_link, states
from fhir_adapter.writing.provenance import copy_provenance
from fhir_adapter.writing.retries import Retries
from fhir_adapter.writing.summary import SummaryDraft, summary_identifier, text_key, written_id
from fhir_adapter.writing.writer import Writer

logger = logging.getLogger(__name__)

_AT_ONCE = 24  # in one search: keeps the URL under 4 kB
_MOST = 200  # of what one search gives; more is none of ours, or a text too common to be looked through


@dataclass(frozen=True, slots=True)
class Owner:
    """A current summary, and the source that it is made from.

    Attributes:
        source: `Type/id`.
        key: which text of which patient it is of (`summary.text_key`).
        encounter: it names one, so that it stands in that stay's timeline too.
        follows: one before it was a person's.
        existing: as the server has it.
    """

    source: str
    key: str
    encounter: bool
    follows: bool
    existing: Existing

    @property
    def held(self) -> bool:
        """A person has changed or attested it, or one before it: it does not end for another one."""
        return self.follows or not self.existing.ours

    @property
    def id(self) -> str:
        """Of the Composition."""
        return self.existing.id

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """Of two summaries of a text the lower stays: a person's, one with an encounter, the first name."""
        return not self.held, not self.encounter, self.source

    def yields_to(self, other: "Owner") -> bool:
        """Whether it is to end for another one, if both are of one note."""
        return other.rank < self.rank and not self.held and (other.encounter or not self.encounter)


class Copies:
    """Summaries and links of one server, under one pipeline's name.

    Args:
        client: the server.
        writer: of the same server.
        retries: how a change of a link is tried again.
    """

    def __init__(self, client: FhirClient, writer: Writer, retries: Retries | None = None) -> None:
        self._client, self._writer = client, writer
        self._retries = retries or Retries()
        self._searched = True

    def key_of(self, composition: JsonObject) -> str:
        """Which text of which patient a Composition is of, by what it says itself."""
        subject = relative(as_dict(composition.get("subject")).get("reference"), self._client.base_url)
        return text_key(self._writer.pipeline.name, subject, stamp_of(composition).sha256)

    def owner_of(self, composition: JsonObject) -> Owner | None:
        """A Composition as an owner; None where it is not current, or no summary under this name."""
        existing = read_existing(composition)
        section = (dicts(composition.get("section")) or [{}])[0]
        source = (*references(section.get("entry"), self._client.base_url), "")[0]
        identifier = as_dict(composition.get("identifier"))
        own = summary_identifier(source, self._writer.pipeline.name)
        stem, _, place = str(identifier.get("value", "")).partition("~")
        ours = (
            identifier.get("system") == canonical.SUMMARIES and stem == own and (not place or place.isdigit())
        )
        if not ours or not has_tag(composition, canonical.SUMMARY_TAG) or existing.ended or existing.in_error:
            return None
        key, encounter = self.key_of(composition), bool(as_dict(composition.get("encounter")))
        return Owner(source, key, encounter, bool(place), existing) if source and key else None

    async def owner(self, ident: str) -> Owner | None:
        """The owner by the id of its Composition, read anew."""
        resource = await self._client.look(f"Composition/{ident}")
        return None if resource is None else self.owner_of(resource)

    async def owners(self, keys: Iterable[str]) -> dict[str, list[Owner]]:
        """The current summaries of texts, by their keys, as far as a search shows them."""
        wanted = list(dict.fromkeys(key for key in keys if key))
        found: dict[str, list[Owner]] = {}
        parts = _parts(wanted) if self._searched else []
        for resource in chain.from_iterable(await asyncio.gather(*map(self._of_texts, parts))):
            owner = self.owner_of(resource)
            if owner and owner.key in wanted:
                found.setdefault(owner.key, []).append(owner)
        return found

    async def _of_texts(self, keys: Sequence[str]) -> list[JsonObject]:
        tags = ",".join(f"{canonical.TEXTS}|{key}" for key in keys)
        return await self._matches("Composition", [("_tag", tags), ("_count", str(_MOST))], keys)

    async def _matches(
        self, resource_type: str, query: Sequence[tuple[str, str]], keys: Sequence[str]
    ) -> list[JsonObject]:
        """What a search by tag gives; from then on nothing where the server does not search by it."""
        found: list[JsonObject] = []
        try:
            async for resource in matches(self._client, resource_type, query):
                found.append(resource)
                asked = any(has_tag(resource, (canonical.TEXTS, key)) for key in keys)
                if not asked or len(found) >= _MOST:
                    self._searched = self._searched and asked
                    break
        except HttpStatusError as error:
            if not error.unsupported:
                raise
            self._searched = False
        if not self._searched:
            logger.warning(
                "the server does not search Compositions by tag: copies are known by the ledger alone"
            )
        return found

    async def links(self, compositions: Sequence[str]) -> list[Link]:
        """The links to summaries, by the ids of these, as far as a search shows them."""
        targets = [",".join(f"Composition/{ident}" for ident in part) for part in _parts(compositions)]
        links = await asyncio.gather(
            *(self._links([("target", some), ("_count", "100")]) for some in targets)
        )
        found = {
            link.source: link
            for link in chain.from_iterable(links)
            if link.composition in compositions and not link.ended
        }
        return list(found.values())

    async def links_of(self, sources: Sequence[str]) -> dict[str, Link]:
        """The links of sources, also those that have ended, by `Type/id`."""
        ids = {self._id(source): source for source in sources}

        async def some(part: Sequence[str]) -> list[Link]:
            if self._writer.client_ids:
                query = ("_id", ",".join(part))
            else:
                query = ("_tag", ",".join(f"{canonical.PROVENANCE_KEY}|{ident}" for ident in part))
            return await self._links([query, ("_count", str(len(part)))])

        links = chain.from_iterable(await asyncio.gather(*map(some, _parts(list(ids)))))
        return {link.source: link for link in links if ids.get(self._id(link.source)) == link.source}

    async def _links(self, query: Sequence[tuple[str, str]]) -> list[Link]:
        found = []
        try:
            async for page in searched(self._client, "Provenance", query):
                read = [read_link(resource, self._client.base_url) for resource in page.resources]
                found += [link for link in read if link]
        except HttpStatusError as error:
            if not error.unsupported:
                raise
        return found

    def _id(self, source: str) -> str:
        return written_id("Provenance", source, self._writer.pipeline.name)

    async def link(self, source: str, known: Link | None = None) -> Link | None:
        """The link of one source, read anew where that can be; `known` is what a search gave."""
        if self._writer.client_ids:
            resource = await self._client.look(f"Provenance/{self._id(source)}")
        elif known:
            resource = await self._client.look(f"Provenance/{known.resource.get('id')}")
        else:
            return (await self.links_of([source])).get(source)
        return None if resource is None else read_link(resource, self._client.base_url)

    async def join(self, written: SummaryDraft, owner: Owner, known: Link | None) -> bool:
        """Names the source of a draft in the summary that there is of its text.

        Returns:
            Whether that summary is still what it was: it is read once more after the link is written, since
            its source may end or change at the same moment.

        Raises:
            NoteError: `withdrawn`, where a person withdrew this version of the source. Else as the writer.
        """
        source = written.reading.note.reference
        link = await self.link(source, known)
        check_withdrawn(link, written)
        if (
            link is None
            or link.ended
            or not ((link.composition, link.key) == (owner.id, owner.key) and states(link, written))
        ):
            patient = owner.existing.resource.get("subject")
            await self._writer.write_beside(copy_provenance(written, owner.id), patient)
        now = await self.owner(owner.id)
        return now is not None and (now.key, now.source) == (owner.key, owner.source)

    async def leave(self, source: str, why: str, known: Link | None = None) -> bool:
        """Marks the link of a source as ended; False where there is none in force. Raises as the writer."""

        async def attempt(_: int) -> bool:
            link = await self.link(source, known)
            if link is None or link.ended:
                return False
            await self._client.update(ended_link(link, why), if_match=link.version_id or None)
            return True

        return await self._retries.run(attempt)


def _parts(items: Sequence[str]) -> list[Sequence[str]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]
