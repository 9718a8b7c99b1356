"""What the answer to a transaction confirms, entry by entry.

A server may run a transaction as a batch, so that each entry ends for itself inside one 200; it may give out
ids of its own for those asked for; it may answer 204, or nothing that can be read. Only what an entry of the
answer says of its own write counts as done (R4, section 3.1.0.11.2).
"""

import logging
import re
from collections.abc import Sequence

from fhir_adapter.errors import HttpStatusError, NoteError, UnconfirmedError
from fhir_adapter.lenient import JsonObject, as_dict, as_text, dicts, reference_of
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.wire import outcome_codes, outcome_words, status_error

logger = logging.getLogger(__name__)

_STATUS = re.compile(r"\s*([1-5]\d\d)\b")


async def post(client: FhirClient, bundle: JsonObject, *, once: bool = True) -> list[str]:
    """Posts a transaction and looks at each entry of its answer.

    Args:
        client: the server.
        bundle: from `fhir_adapter.writing.bundles`.
        once: not tried again where it may have been done already; the caller looks first.

    Returns:
        `Type/id` under which each entry stands now, in the order of the bundle.

    Raises:
        HttpStatusError: the transaction, or an entry of it, was refused; of several entries the error of the
            Composition.
        UnconfirmedError: the answer does not say of every entry what became of it.
        ServerUnreachableError: no answer after all retries.
    """
    answer = await client.transaction(bundle, once=once)
    return confirmed(bundle, answer)


def confirmed(bundle: JsonObject, answer: JsonObject) -> list[str]:
    """The references that an answer confirms. Returns and raises as `post`."""
    entries = dicts(bundle.get("entry"))
    answers = _in_order(entries, dicts(answer.get("entry")))
    responses = [as_dict(entry.get("response")) for entry in answers]
    refusals = _refusals(entries, responses)
    if refusals:
        if len(refusals) < len(entries):
            logger.warning("the server handles a transaction as a batch: some of its entries were refused")
        raise refusals[0]
    if len(answers) != len(entries):
        raise UnconfirmedError("the answer to a transaction does not say what became of its entries")
    return [_reference(*one) for one in zip(entries, answers, strict=True)]


def composition_in(references: Sequence[str]) -> str:
    """The id of the Composition among what a transaction wrote.

    Raises:
        NoteError: `server-error`, where there is none.
    """
    for reference in references:
        if reference.startswith("Composition/"):
            return reference.partition("/")[2]
    raise NoteError(Reason.SERVER_ERROR, "the answer names no Composition")


def _in_order(entries: Sequence[JsonObject], answers: list[JsonObject]) -> list[JsonObject]:
    """The answers in the order of the entries, which R4 wants of a server and some do not keep.

    Where an answer names the id that another entry asked for, they go by the ids that they name.

    Raises:
        UnconfirmedError: of more than one it cannot be told to which entry it belongs.
    """
    places = {url: number for number, entry in enumerate(entries) if (url := _asked(entry))}
    named = [places.get(_located(one)) for one in answers]
    if len(answers) != len(entries) or all(place in (None, at) for at, place in enumerate(named)):
        return answers
    found = {place: one for place, one in zip(named, answers, strict=True) if place is not None}
    rest = [one for place, one in zip(named, answers, strict=True) if place is None]
    if len(rest) > 1 or len(found) + len(rest) < len(entries):
        raise UnconfirmedError("the answers to a transaction come in another order")
    return [found.get(number) or rest[0] for number in range(len(entries))]


def _asked(entry: JsonObject) -> str:
    """`Type/id` that an entry is put to, or ""."""
    request = as_dict(entry.get("request"))
    url = str(request.get("url", ""))
    return url if request.get("method") == "PUT" and "?" not in url and "/" in url else ""


def _located(answer: JsonObject) -> str:
    """`Type/id` that an answer names, or ""."""
    location = as_text(as_dict(answer.get("response")).get("location")) or ""
    found = re.search(r"(?:^|/)([A-Z][A-Za-z]+/[^/?#]+)(?:/_history/[^/]*)?/?$", location)
    return found[1] if found else reference_of(as_dict(answer.get("resource")))


def _refusals(entries: Sequence[JsonObject], responses: Sequence[JsonObject]) -> list[HttpStatusError]:
    """The errors of single entries, that of the Composition first."""
    errors: list[tuple[bool, HttpStatusError]] = []
    for entry, response in zip(entries, responses, strict=False):
        status = _status(response)
        if status >= 400:
            kind = _kind(entry)
            outcome = response.get("outcome")
            codes, words = outcome_codes(outcome), outcome_words(outcome)
            error = status_error(status, f"entry of a transaction ({kind})", codes, words)
            errors.append((kind != "Composition", error))
    return [error for _, error in sorted(errors, key=lambda one: one[0])]


def _reference(entry: JsonObject, answer: JsonObject) -> str:
    kind, response = _kind(entry), as_dict(answer.get("response"))
    located = re.search(rf"(?:^|/){kind}/([^/?#]+)", as_text(response.get("location")) or "")
    if located:
        return f"{kind}/{located[1]}"
    resource = as_dict(answer.get("resource"))
    if resource.get("resourceType") == kind and resource.get("id"):
        return f"{kind}/{resource['id']}"
    named, _, asked = str(as_dict(entry.get("request")).get("url", "")).partition("/")
    if _status(response) and named == kind and asked:
        return f"{kind}/{asked}"
    raise UnconfirmedError("the answer to a transaction does not say what became of an entry")


def _kind(entry: JsonObject) -> str:
    return str(as_dict(entry.get("resource")).get("resourceType", ""))


def _status(response: JsonObject) -> int:
    """The HTTP status of an entry; 0 where none is stated."""
    stated = _STATUS.match(str(response.get("status", "")))
    return int(stated[1]) if stated else 0
