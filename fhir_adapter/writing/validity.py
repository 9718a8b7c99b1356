"""What we write against the models of R4B, before it leaves.

Of the elements of a summary four in five are extensions, one list for each sentence, and these are the same
from note to note but for their numbers, hashes, addresses and ids. So is what is left of a resource without
them, but for its ids, references, dates and words. What was found valid is not looked at again: a resource is
checked without its extensions, and of both each form once.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.models import model_of
from fhir_adapter.reasons import Reason

_REMEMBERED = 4096  # forms of extensions and of resources without them
_LONGEST_WORDS = 1000
_LARGEST = (1 << 31) - 1  # of an `integer` (R4, data types)
_HASH = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"https?://[\w.-]{1,200}(?::\d{1,5})?(?:/[\w.~-]{1,80}){0,16}", re.ASCII)
_REFERENCE = re.compile(
    r"(?P<type>[A-Z][A-Za-z]{1,40})/[A-Za-z0-9.-]{1,64}(?P<version>/_history/[A-Za-z0-9.-]{1,64})?"
)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_URN = re.compile(r"urn:uuid:[0-9a-f-]{36}")
_NAMED = re.compile(r"[A-Za-z]{3,40}-[\w.~-]{1,120}", re.ASCII)
_MOMENT = re.compile(
    r"(?:19|20)\d\d-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30))"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?P<fraction>\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)",
    re.ASCII,
)
_known: set[str] = set()


def validate(resource: JsonObject) -> None:
    """Checks one of our resources against its R4B model.

    Raises:
        NoteError: `malformed`, naming the elements at fault and never their values.
    """
    model = model_of(resource["resourceType"])
    try:
        if not _valid_in_parts(resource):
            model.model_validate(resource)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        places = sorted({".".join(map(str, problem["loc"])) for problem in problems})
        raise NoteError(Reason.MALFORMED, f"{resource['resourceType']}: {', '.join(places)}") from None


def _valid_in_parts(resource: JsonObject) -> bool:
    """Whether the resource without its extensions is valid, and each of these; the same as for the whole.

    False may also mean that an element is valid by its extension alone; the whole decides then.
    """
    apart: list[JsonObject] = []
    bare = _without_extensions(resource, apart)
    forms = {repr(extension): extension for extension in map(_form, apart)}
    whole = repr(_bare_form(bare))
    try:
        if whole not in _known:
            model_of(resource["resourceType"]).model_validate(bare)
        for key, form in forms.items():
            if key not in _known:
                model_of("Extension").model_validate(form)
    except ValidationError:
        return False
    if len(_known) > _REMEMBERED:
        _known.clear()
    _known.update(forms)
    _known.add(whole)
    return True


def _without_extensions(node: JsonObject, apart: list[JsonObject]) -> JsonObject:
    """A copy of an element without the extensions in it, all of which are put into `apart`, bare too."""
    bare: JsonObject = {}
    for name, value in node.items():
        if isinstance(value, dict):
            bare[name] = _without_extensions(value, apart)
        elif isinstance(value, list) and name == "extension" and all(isinstance(one, dict) for one in value):
            apart += [_without_extensions(extension, apart) for extension in value]
        elif isinstance(value, list):
            bare[name] = [_without_extensions(one, apart) if isinstance(one, dict) else one for one in value]
        else:
            bare[name] = value
    return bare


def _form(extension: JsonObject) -> JsonObject:
    """An extension with another number, word, address or id in it, of which the same is true."""
    for name, same in _SAME.items():
        if name in extension:
            return {**extension, name: same(extension[name])}
    return extension


def _number(value: Any) -> Any:
    return 0 if type(value) is int and 0 <= value <= _LARGEST else value


def _score(value: Any) -> Any:
    return 0.5 if isinstance(value, float) and 0 <= value <= 1 else value


def _word(value: Any) -> Any:
    return "a" if isinstance(value, str) and _HASH.fullmatch(value) else value


def _address(value: Any) -> Any:
    return "http://a.b" if isinstance(value, str) and _URL.fullmatch(value) else value


def _target(value: Any) -> Any:
    return {**value, "reference": _reference(value.get("reference"))} if isinstance(value, dict) else value


def _reference(value: Any) -> Any:
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return "urn:uuid:a" if isinstance(value, str) and _URN.fullmatch(value) else _address(value)
    return f"{found['type']}/1/_history/1" if found["version"] else f"{found['type']}/1"


def _id(value: Any) -> Any:
    return "a" if isinstance(value, str) and _ID.fullmatch(value) else value


def _words(value: Any) -> Any:
    shown = isinstance(value, str) and 0 < len(value) <= _LONGEST_WORDS and value.isprintable()
    return "a b" if shown and value[0] != " " != value[-1] else value


def _named(value: Any) -> Any:
    """Of an identifier, never a number or a date as a string."""
    return "DocumentReference-a" if isinstance(value, str) and _NAMED.fullmatch(value) else _address(value)


def _markup(value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith("<div ")):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value
    return "<div />"


def _moment(value: Any) -> Any:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    return "2026-01-01T00:00:00.0Z" if found["fraction"] else "2026-01-01T00:00:00Z"


def _bare_form(node: JsonObject) -> JsonObject:
    """An element without extensions, with other ids, words and dates in it, of which the same is true."""
    form: JsonObject = {}
    for name, value in node.items():
        if isinstance(value, dict):
            form[name] = _bare_form(value)
        elif isinstance(value, list):
            form[name] = [_bare_form(one) if isinstance(one, dict) else one for one in value]
        else:
            form[name] = _SAME_LEAF[name](value) if name in _SAME_LEAF else value
    return form


_SAME_LEAF: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "reference": _reference,
    "div": _markup,
    "title": _words,
    "text": _words,
    "display": _words,
    "value": _named,
    "code": _id,
    "date": _moment,
    "recorded": _moment,
    "occurredDateTime": _moment,
    "lastUpdated": _moment,
}
"""As `_SAME`, for elements of these names: types whose values are all as valid as each other."""

_SAME: dict[str, Callable[[Any], Any]] = {
    "valueInteger": _number,
    "valueDecimal": _score,
    "valueString": _word,
    "valueUri": _address,
    "valueReference": _target,
}
"""For each kind of value, another one that is valid just where it is."""
