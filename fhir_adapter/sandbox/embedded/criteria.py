"""Search criteria -> SQL conditions (hl7.org/fhir/R4/search.html), one per parameter; all must hold."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fhir_adapter.sandbox.embedded.index import folded, split_reference, storable, without_version
from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError, invalid, unsupported
from fhir_adapter.sandbox.embedded.parameters import LAST_UPDATED, RESOURCE_TYPES, Parameter, parameters_of
from fhir_adapter.sandbox.embedded.when import Range, range_of
from fhir_adapter.sandbox.settings import SandboxSettings

_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with the values of its question marks."""

    text: str
    args: tuple[str | int, ...] = ()


def condition(resource_type: str, name: str, value: str, settings: SandboxSettings) -> Sql:
    """The SQL condition on `resource` for one `name=value` of a query.

    Raises:
        RequestRefusedError: 400, the parameter, its modifier or its value is not known.
    """
    base, _, modifier = name.partition(":")
    alternatives = split_escaped(value, ",")
    if base == "_id":
        _no_modifier(base, modifier)
        marks = ", ".join("?" * len(alternatives))
        return Sql(f"resource.id IN ({marks})", tuple(unescaped(a) for a in alternatives))
    if base == LAST_UPDATED and settings.last_updated_search:
        _no_modifier(base, modifier)
        wanted = _any(map(_updated, alternatives), joint=" OR ")
        return Sql(f"({wanted.text})", wanted.args)
    parameter = parameters_of(resource_type).get(base)
    if parameter is None:
        raise unknown_parameter(resource_type, base, settings)
    if modifier == "missing":
        return _missing(parameter, value)
    match = _matcher(parameter, modifier)
    wanted = _any(match(alternative) for alternative in alternatives)
    negation = "NOT " if modifier == "not" else ""
    return Sql(f"resource.row {negation}IN ({wanted.text})", wanted.args)


def unknown_parameter(resource_type: str, name: str, settings: SandboxSettings) -> RequestRefusedError:
    """400, with the names that are known."""
    known = ["_id", *([LAST_UPDATED] if settings.last_updated_search else []), *parameters_of(resource_type)]
    shown = name if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name) else "?"
    return unsupported(
        f'Unknown search parameter "{shown}" for resource type "{resource_type}". '
        f"Known ones: {', '.join(sorted(known))}."
    )


def split_escaped(text: str, separator: str, limit: int = -1) -> list[str]:
    r"""Splits at a separator that is not escaped by a backslash; escapes stay (`a\,b,c` -> `a\,b`, `c`)."""
    parts = [""]
    escaped = False
    for character in text:
        if character == separator and not escaped and limit != len(parts) - 1:
            parts.append("")
        else:
            parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts


def unescaped(text: str) -> str:
    r"""Takes the escapes of a parameter value away: `\,` `\|` `\$` `\\`."""
    return storable(re.sub(r"\\([,|$\\])", r"\1", text))


def _any(pieces: Iterable[Sql], joint: str = " UNION ALL ") -> Sql:
    found = list(pieces)
    return Sql(joint.join(piece.text for piece in found), tuple(arg for piece in found for arg in piece.args))


def _updated(value: str) -> Sql:
    prefix, wanted = _prefix_and_range(LAST_UPDATED, value)
    return _bounded(_INSTANT_TESTS[prefix], wanted)


def _bounded(test: str, wanted: Range) -> Sql:
    """A test with its `{low}` and `{high}` bound to the ends of the wanted range."""
    ends = re.findall(r"\{(low|high)\}", test)
    args = tuple(wanted.low if end == "low" else wanted.high for end in ends)
    return Sql(f"({re.sub(r'{(low|high)}', '?', test)})", args)


def _matcher(parameter: Parameter, modifier: str) -> Callable[[str], Sql]:
    """How one alternative of a parameter's value becomes a query for the rows of resources."""
    kind = parameter.kind
    if kind == "token" and modifier in ("", "not"):
        return lambda value: _token(parameter.key, value)
    if kind == "uri" and modifier == "":
        return lambda value: _rows("token", parameter.key, Sql("value = ?", (unescaped(value),)))
    if kind == "date" and modifier == "":
        return lambda value: _date(parameter, value)
    if kind == "string" and modifier in ("", "exact", "contains"):
        return lambda value: _string(parameter, modifier, unescaped(value))
    if kind == "reference" and modifier == "identifier":
        return lambda value: _token(parameter.key + ":identifier", value)
    if kind == "reference" and (modifier == "" or modifier in RESOURCE_TYPES):
        return lambda value: _reference(parameter, modifier, unescaped(value))
    raise unsupported(f'The modifier on parameter "{parameter.name}" is not supported.')


def _rows(table: str, key: str, test: Sql) -> Sql:
    return Sql(f"SELECT resource FROM {table} WHERE key = ? AND {test.text}", (key, *test.args))  # noqa: S608


def _token(key: str, text: str) -> Sql:
    parts = [unescaped(part) for part in split_escaped(text, "|", limit=1)]
    if len(parts) == 1:
        return _rows("token", key, Sql("value = ?", (parts[0],)))
    system, value = parts
    if not value:
        return _rows("token", key, Sql("system = ?", (system,)))
    return _rows("token", key, Sql("value = ? AND system = ?", (value, system)))


def _reference(parameter: Parameter, target: str, value: str) -> Sql:
    whole = without_version(value)
    resource_type, tail = split_reference(whole)
    if resource_type or not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", whole):
        if target and target != resource_type:
            raise invalid(f'The value of "{parameter.name}:{target}" is of another type.')
        return _rows("reference", parameter.key, Sql("tail = ? AND whole = ?", (tail, whole)))
    if target:
        return _rows("reference", parameter.key, Sql("tail = ? AND whole = ?", (whole, f"{target}/{whole}")))
    # A bare id means a resource of this server, of whatever type.
    return _rows("reference", parameter.key, Sql("tail = ? AND instr(whole, ':') = 0", (whole,)))


def _string(parameter: Parameter, modifier: str, value: str) -> Sql:
    if modifier == "exact":
        return _rows("string", parameter.key, Sql("exact = ?", (value,)))
    wanted = folded(value)
    if modifier == "contains":
        return _rows("string", parameter.key, Sql("instr(folded, ?) > 0", (wanted,)))
    return _rows(
        "string", parameter.key, Sql("folded >= ? AND folded < ?", (wanted, wanted + _LAST_CHARACTER))
    )


def _date(parameter: Parameter, value: str) -> Sql:
    prefix, wanted = _prefix_and_range(parameter.name, value)
    return _rows("date", parameter.key, _bounded(_RANGE_TESTS[prefix], wanted))


def _prefix_and_range(name: str, value: str) -> tuple[str, Range]:
    match = _PREFIX.fullmatch(value)
    wanted = range_of(match[2]) if match else None
    if match is None or wanted is None:
        raise invalid(
            f'The value of "{name}" is not a date: expected an optional prefix and YYYY, YYYY-MM, '
            "YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone (a plus sign must be sent as %2B)."
        )
    return match[1] or "eq", wanted


# What each prefix asks of the half-open range [low, high) of an element. In braces: the wanted range.
_RANGE_TESTS = {
    "eq": "low >= {low} AND high <= {high}",
    "ne": "NOT (low >= {low} AND high <= {high})",
    "gt": "high > {high}",
    "ge": "high > {low}",
    "lt": "low < {low}",
    "le": "low < {high}",
    "sa": "low >= {high}",
    "eb": "high <= {low}",
    "ap": "low < {high} AND high > {low}",
}
# The same of an instant, in a form that the index on it serves.
_INSTANT_TESTS = {
    "eq": "resource.updated >= {low} AND resource.updated < {high}",
    "ne": "resource.updated < {low} OR resource.updated >= {high}",
    "gt": "resource.updated >= {high}",
    "ge": "resource.updated >= {low}",
    "lt": "resource.updated < {low}",
    "le": "resource.updated < {high}",
    "sa": "resource.updated >= {high}",
    "eb": "resource.updated < {low}",
    "ap": "resource.updated >= {low} AND resource.updated < {high}",
}


def _missing(parameter: Parameter, value: str) -> Sql:
    if value not in ("true", "false"):
        raise invalid(f'The value of "{parameter.name}:missing" must be true or false.')
    table = "token" if parameter.kind == "uri" else parameter.kind
    negation = "NOT " if value == "true" else ""
    return Sql(
        f"resource.row {negation}IN (SELECT resource FROM {table} WHERE key = ?)",  # noqa: S608
        (parameter.key,),
    )


def _no_modifier(name: str, modifier: str) -> None:
    if modifier:
        raise unsupported(f'The modifier on parameter "{name}" is not supported.')


def ordering(resource_type: str, sort: str, settings: SandboxSettings) -> Sql:
    """The ORDER BY of a `_sort` value; ties go by the order in which resources were first written.

    Raises:
        RequestRefusedError: 400, a parameter that cannot be sorted by.
    """
    pieces: list[Sql] = []
    for name in filter(None, sort.split(",")):
        descending = name.startswith("-")
        pieces.append(_order(resource_type, name.lstrip("-"), descending, settings))
    return _any([*pieces, Sql("resource.row")], joint=", ")


def _order(resource_type: str, name: str, descending: bool, settings: SandboxSettings) -> Sql:
    direction = "DESC" if descending else "ASC"
    if name == "_id":
        return Sql(f"resource.id {direction}")
    if name == LAST_UPDATED and settings.last_updated_search:
        return Sql(f"resource.updated {direction}")
    parameter = parameters_of(resource_type).get(name)
    if parameter is None:
        raise unknown_parameter(resource_type, name, settings)
    table, low, high = _SORT_COLUMNS[parameter.kind]
    chosen = f"max({high})" if descending else f"min({low})"
    return Sql(
        f"(SELECT {chosen} FROM {table} WHERE resource = resource.row AND key = ?) {direction} NULLS LAST",  # noqa: S608
        (parameter.key,),
    )


_SORT_COLUMNS = {
    "token": ("token", "value", "value"),
    "uri": ("token", "value", "value"),
    "date": ("date", "low", "high"),
    "string": ("string", "folded", "folded"),
    "reference": ("reference", "whole", "whole"),
}
