"""Which documents of a page are replaced by another one, asked in one search."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fhir_adapter.canonical import URI
from fhir_adapter.errors import EndlessLinksError, HttpStatusError, ResponseTooLargeError
from fhir_adapter.lenient import JsonObject, as_code, as_dict, as_list, as_text, dicts, reference_of, relative
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.page import Unreadable
from fhir_adapter.reading.source_note import replaces
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import searched

_AT_ONCE = 50
_FAILED = 500
_REMEMBERED = 50_000  # replacing documents
_NOT_IN_FORCE = frozenset({"entered-in-error", "preliminary", "cancelled"})


class Stated:
    """What documents that were read say of those that they replace; one read again takes back what it said.

    Servers without the search parameter `relatesto` can be asked in no other way.
    """

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._targets: dict[str, list[str]] = {}
        self._by: dict[str, str] = {}

    def see(self, resources: Iterable[JsonObject]) -> None:
        """Takes note of documents."""
        for resource in resources:
            by = reference_of(resource)
            for target in self._targets.pop(by, ()):
                self._by.pop(target, None)
            found: dict[str, str] = {}
            _add(self._client, found, None, resource)
            if found and len(self._targets) < _REMEMBERED:
                self._targets[by] = list(found)
                self._by.update(found)

    def by(self, reference: str) -> str | None:
        """`Type/id` of the document in force that says it replaces this one, if one was read."""
        return self._by.get(reference)


def nameless_target(relation: object, base_url: str) -> str | None:
    """`system|value` of a document that a relation says is replaced, and names by an identifier or a URN.

    An identifier counts also beside the address that the document has on another server, where it came from.
    """
    target = as_dict(as_dict(relation).get("target"))
    identifier = as_dict(target.get("identifier"))
    system, value = as_text(identifier.get("system")), as_text(identifier.get("value"))
    replaced = (as_code(as_dict(relation).get("code")) or "").lower() == "replaces"
    reference = as_text(target.get("reference"))
    if reference and "://" in relative(reference, base_url):
        reference = None
    if reference and reference.strip().lower().startswith("urn:"):  # its masterIdentifier, as IHE MHD has it
        system, value, reference = URI, reference.strip(), None
    return f"{system or ''}|{value}" if replaced and value and not reference else None


async def find_by_identifier(client: FhirClient, token: str) -> str:
    """`DocumentReference/id` of the one document with this `system|value`; "" where there is not just one."""
    system, _, value = token.rpartition("|")
    found: list[str] = []
    named = ("identifier", token if system else value)
    try:
        async for page in searched(client, "DocumentReference", [named, ("_count", "20")]):
            for resource in page.resources:
                held = dicts([resource.get("masterIdentifier"), *as_list(resource.get("identifier"))])
                if any(i.get("value") == value and (i.get("system") or "") == system for i in held):
                    found.append(reference_of(resource))
    except HttpStatusError as error:
        if error.passing:
            raise
    return found[0] if len(set(found)) == 1 else ""


async def find_replacements(
    client: FhirClient, notes: Sequence[SourceNote], stated: Stated, always: Sequence[tuple[str, str]] = ()
) -> tuple[dict[str, str], str]:
    """`Type/id` of each replaced document to the `Type/id` of the one that replaces it.

    Args:
        client: the server, asked by `relatesto` where it has that parameter.
        notes: the documents in question.
        stated: what was read before.
        always: parameters without which the server answers no search.

    Returns:
        The map, and a plain sentence where the server could not be asked about a superseded one, else "".
    """
    wanted = {note.reference for note in notes}
    doubtful = any(note.status == "superseded" for note in notes)
    found = {reference: by for reference in wanted if (by := stated.by(reference))}
    open_questions = sorted(wanted - set(found))
    if not open_questions:
        return found, ""
    if "relatesto" not in (await client.capability()).search_params("DocumentReference"):
        return found, "the server cannot say which superseded documents were replaced" if doubtful else ""
    for first in range(0, len(open_questions), _AT_ONCE):
        references = ",".join(open_questions[first : first + _AT_ONCE])
        params = [
            *always,
            ("relatesto", references),
            ("_elements", "relatesTo,status,docStatus"),
            ("_count", str(_AT_ONCE)),
        ]
        try:
            async for page in searched(client, "DocumentReference", params):
                for resource in page.resources:
                    _add(client, found, wanted, resource)
        except ResponseTooLargeError:
            return found, "the server says too much about which documents were replaced" if doubtful else ""
        except EndlessLinksError:  # what came counts; the walk over the notes says it of its own links
            return found, "which documents were replaced: the server's links never end" if doubtful else ""
        except HttpStatusError as error:
            if error.passing:
                raise
            refusal = f"the server refused to say which superseded documents were replaced ({error.status})"
            return found, refusal if doubtful else ""
    return found, ""


async def with_replacements(
    client: FhirClient,
    notes: Sequence[SourceNote | Unreadable],
    stated: Stated,
    always: Sequence[tuple[str, str]] = (),
) -> tuple[list[SourceNote | Unreadable], str]:
    """The entries of a page with what replaces each, and a remark; arguments as of `find_replacements`.

    Where the server fails at the question (500), as it does at one document that it cannot parse, the notes
    are tried again one by one: what may have been replaced is not shown, and the walk does not wait for it.

    Raises:
        FhirAdapterError: as the client raises it, but for such a failure.
    """
    readable = [note for note in notes if isinstance(note, SourceNote)]
    try:
        replaced, notice = await find_replacements(client, readable, stated, always)
    except HttpStatusError as error:
        if error.status != _FAILED:
            raise
        detail = f"the server does not say what replaces it (HTTP {_FAILED})"
        failed = {
            n.reference: Unreadable(n.reference, Reason.SERVER_ERROR, detail, n.version_id) for n in readable
        }
        return [failed.get(note.reference, note) for note in notes], ""
    return [
        replace(note, replaced_by=replaced.get(note.reference)) if isinstance(note, SourceNote) else note
        for note in notes
    ], notice


def in_force(status: object, doc_status: object) -> bool:
    """Whether a document with these statuses replaces another: a draft and a mistake do not."""
    return not {s for s in (status, doc_status) if isinstance(s, str)} & _NOT_IN_FORCE


def _add(client: FhirClient, found: dict[str, str], wanted: set[str] | None, resource: JsonObject) -> None:
    by = reference_of(resource)
    if not by or not in_force(resource.get("status"), resource.get("docStatus")):
        return
    for reference in replaces(resource):
        target = relative(reference, client.base_url)
        if target and target != by and (wanted is None or target in wanted):
            found.setdefault(target, by)


class NamedTargets:
    """Finds documents that others say they replace and name by an identifier; each is asked for once."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._found: dict[str, str] = {}

    async def named(self, resource: JsonObject) -> JsonObject:
        """The document with a reference beside each identifier by which it names one that it replaces."""
        relations = as_list(resource.get("relatesTo"))
        if not any(nameless_target(relation, self._client.base_url) for relation in relations):
            return resource
        return {**resource, "relatesTo": [await self._named(relation) for relation in relations]}

    async def _named(self, relation: object) -> object:
        token = nameless_target(relation, self._client.base_url)
        if token is None or not isinstance(relation, dict):
            return relation
        if token not in self._found:
            self._found[token] = await find_by_identifier(self._client, token)
        target = {**as_dict(relation.get("target")), "reference": self._found[token]}
        return {**relation, "target": target} if self._found[token] else relation
