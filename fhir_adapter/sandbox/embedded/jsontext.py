"""JSON in and out without loss: decimals keep their digits, strings keep every code point.

Text is written in ASCII, so NUL, emoji and lone surrogates survive any database and any wire.
"""

import json
from decimal import Decimal
from typing import Any, NoReturn

from fhir_adapter.sandbox.embedded.outcome import invalid

Json = dict[str, Any]


class Number(Decimal):
    """A decimal that is written as it was read, digit by digit."""

    __slots__ = ("_literal",)
    _literal: str

    def __new__(cls, literal: str) -> "Number":  # noqa: D102
        made = super().__new__(cls, literal)
        made._literal = literal
        return made

    def __str__(self) -> str:
        return self._literal


def read_json(data: bytes | str) -> Any:
    """Parses JSON; a decimal that a float would rewrite (`1.10`, `1e-30`) becomes a `Number`.

    Raises:
        RequestRefusedError: 400, it is not JSON.
    """
    try:
        return json.loads(data, parse_float=_number, parse_constant=_refuse_constant)
    except RecursionError:
        raise invalid("The JSON is nested too deeply.") from None
    except json.JSONDecodeError as error:
        # The message of the parser names a kind of error, never the text.
        raise invalid(f"The body is not JSON: {error.msg}, line {error.lineno}.") from None
    except ValueError:
        raise invalid("The body is not JSON in UTF-8.") from None


def read_object(data: bytes | str) -> Json:
    """Parses JSON that must be an object.

    Raises:
        RequestRefusedError: 400, it is not JSON or no object.
    """
    value = read_json(data)
    if not isinstance(value, dict):
        raise invalid("The body is JSON but not an object.")
    return value


def write_json(value: Any, *, sort_keys: bool = False, indent: int | None = None) -> str:
    """ASCII JSON, compact unless an indent is given."""
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(
            value, sort_keys=sort_keys, indent=indent, separators=separators, default=_meet_decimal
        )
    except _DecimalMetError:
        return _write_with_decimals(value, sort_keys, indent)


def _number(literal: str) -> float | Number:
    number = float(literal)
    return number if repr(number) == literal else Number(literal)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _DecimalMetError(Exception):
    """The fast writer met a Decimal, which it cannot write."""


def _meet_decimal(value: object) -> NoReturn:
    if isinstance(value, Decimal):
        raise _DecimalMetError
    raise TypeError(f"{type(value).__name__} is not JSON")


def _write_with_decimals(value: Any, sort_keys: bool, indent: int | None) -> str:
    """The slow way, for the few resources that hold unusual decimals."""
    return "".join(_pieces(value, sort_keys, indent, "\n"))


def _pieces(value: Any, sort_keys: bool, indent: int | None, margin: str) -> list[str]:
    if isinstance(value, Decimal):
        return [str(value)]
    if not isinstance(value, dict | list) or not value:
        return [json.dumps(value)]
    inner = margin + " " * (indent or 0)
    opening = inner if indent is not None else ""
    closing = margin if indent is not None else ""
    pieces: list[str] = []
    if isinstance(value, dict):
        colon = ": " if indent is not None else ":"
        for key, item in sorted(value.items()) if sort_keys else value.items():
            pieces += [",", opening, json.dumps(key), colon, *_pieces(item, sort_keys, indent, inner)]
        return ["{", *pieces[1:], closing, "}"]
    for item in value:
        pieces += [",", opening, *_pieces(item, sort_keys, indent, inner)]
    return ["[", *pieces[1:], closing, "]"]
