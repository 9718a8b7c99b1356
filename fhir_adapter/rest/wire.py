"""JSON as servers send it, and error answers reduced to what may be shown."""

import json
import re

from fhir_adapter.errors import (
    ConflictError,
    GoneError,
    HttpStatusError,
    NotFhirError,
    NotFoundError,
    RefusedError,
)
from fhir_adapter.lenient import JsonObject

_BOM = b"\xef\xbb\xbf"
_ISSUE_CODE = re.compile(r"[a-z][a-z-]{1,30}")
_MESSAGE_ID = re.compile(r"\bHAPI-\d{3,5}\b")
_CODES_SHOWN = 8
_WORDS_SHOWN = 500
_ERRORS: dict[int, type[HttpStatusError]] = {
    401: RefusedError,
    403: RefusedError,
    407: RefusedError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    412: ConflictError,
}


def decode_json(data: bytes, what: str) -> JsonObject:
    """A JSON object with a `resourceType`.

    Lone surrogates, as escapes or as raw bytes, and raw control characters are kept; other bytes that are
    not UTF-8 become U+FFFD, since one bad byte must not hide a page of notes.

    Raises:
        NotFhirError: it is not JSON, not an object, or has no `resourceType`.
    """
    value = _loads(data)
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise NotFhirError(f"{what}: the server answered, but not with a FHIR resource in JSON")
    return value


def decode_bundle(data: bytes, what: str) -> JsonObject:
    """A Bundle; where it is no JSON because of single entries, with all the others.

    An entry that cannot be read keeps the place and the fullUrl that it has.

    Raises:
        NotFhirError: as `decode_json`; also for an answer that was cut short.
    """
    try:
        return decode_json(data, what)
    except NotFhirError:
        salvaged = _salvaged(data.decode("utf-8", errors="replace"))
        if salvaged is None:
            raise
        return salvaged


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_FULL_URL = re.compile(r'"fullUrl"\s*:\s*"([^"\\]*)"')
_TYPE = re.compile(r'"resourceType"\s*:\s*"([A-Za-z]+)"')
_NAME = re.compile(r'"id"\s*:\s*"([A-Za-z0-9.\-_]+)"')


def _salvaged(text: str) -> JsonObject | None:
    """The Bundle around entries of which some are no JSON; None where its frame is none either."""
    depth, entries, key, begin, frame = 0, [], "", 0, (-1, -1)
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            if depth == 1 and key == '"entry"' and sign == "[":
                frame = (token.start(), -1)
            if depth == 2 and frame[0] >= 0 > frame[1]:
                begin = token.start()
            depth += 1
        elif sign in "}]":
            depth -= 1
            if depth == 2 and frame[0] >= 0 > frame[1]:
                entries.append(text[begin : token.end()])
            if depth == 1 and frame[0] >= 0 > frame[1]:
                frame = (frame[0], token.end())
        elif depth == 1:
            key = sign
    if frame[1] < 0:
        return None
    bundle = _loads((text[: frame[0]] + "[]" + text[frame[1] :]).encode("utf-8", "replace"))
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return None
    return {**bundle, "entry": [_entry(one) for one in entries]}


def _entry(text: str) -> JsonObject:
    value = _loads(text.encode("utf-8", "replace"))
    if isinstance(value, dict):
        return value
    url, kind, name = _FULL_URL.search(text), _TYPE.search(text), _NAME.search(text)
    if url:
        return {"fullUrl": url[1]}
    return {"fullUrl": f"{kind[1]}/{name[1]}"} if kind and name else {}


def encode_json(resource: JsonObject) -> bytes:
    """JSON in ASCII, so that lone surrogates survive as escapes."""
    return json.dumps(resource, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def status_error(status: int, what: str, codes: tuple[str, ...] = (), words: str = "") -> HttpStatusError:
    """The error for an HTTP status."""
    return _ERRORS.get(status, HttpStatusError)(status, what, codes, words)


def codes_in(body: bytes) -> tuple[str, ...]:
    """The codes of an OperationOutcome, if the body is one."""
    return outcome_codes(_loads(body))


def words_in(body: bytes) -> str:
    """What an OperationOutcome says in words, if the body is one; see `outcome_words`."""
    return outcome_words(_loads(body))


def outcome_words(outcome: object) -> str:
    """What an OperationOutcome says in words, cut short; "" for anything else. It may hold patient data."""
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        return ""
    said: dict[str, None] = {}
    for issue in outcome["issue"] if isinstance(outcome.get("issue"), list) else ():
        details = issue.get("details") if isinstance(issue, dict) else None
        texts = [issue.get("diagnostics")] if isinstance(issue, dict) else []
        texts += [details.get("text")] if isinstance(details, dict) else []
        said.update(dict.fromkeys(" ".join(t.split()) for t in texts if isinstance(t, str) and t.strip()))
    return "; ".join(said)[:_WORDS_SHOWN]


def outcome_codes(outcome: object) -> tuple[str, ...]:
    """Issue codes and message ids (`HAPI-0989`) of an OperationOutcome; never its diagnostics."""
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        return ()
    issues = outcome.get("issue")
    codes: dict[str, None] = {}
    for issue in issues if isinstance(issues, list) else ():
        if not isinstance(issue, dict):
            continue
        code = issue.get("code")
        if isinstance(code, str) and _ISSUE_CODE.fullmatch(code):
            codes[code] = None
        details = issue.get("details")
        for text in (issue.get("diagnostics"), details.get("text") if isinstance(details, dict) else None):
            if isinstance(text, str):
                codes.update(dict.fromkeys(_MESSAGE_ID.findall(text)))
    return tuple(codes)[:_CODES_SHOWN]


def history_entries(bundle: JsonObject, resource_type: str) -> list[tuple[str, bool]]:
    """(`Type/id`, whether it is a deletion) of each entry of a history Bundle of one type, in its order."""
    found = []
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict):
            continue
        url, full = request.get("url"), entry.get("fullUrl")
        place = next((str(u) for u in (url, full) if f"{resource_type}/" in str(u)), "")
        ident = place.rpartition(f"{resource_type}/")[2].split("/")[0]
        resource = entry.get("resource")
        if not ident and isinstance(resource, dict):
            ident = str(resource.get("id") or "")
        if ident:
            found.append((f"{resource_type}/{ident}", request.get("method") == "DELETE"))
    return found


def _loads(data: bytes) -> object:
    """The JSON value, or None where it is none."""
    data = data.removeprefix(_BOM)
    try:
        text = data.decode("utf-8", errors="surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
