"""Options of a command that are made from the fields of a settings class, so that each stands once."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from training.fit.settings import described

__all__ = ["with_options_of"]


def with_options_of(
    settings: type, changed: Mapping[str, tuple[Any, Any]]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command an option for each field of a dataclass that says what it means.

    The command gets their values in its keyword argument `values`, a dict by the names of the fields.

    Args:
        settings: see `training.fit.settings.described`.
        changed: options that are told otherwise than the field: by its name, type and default.
    """
    hints = get_type_hints(settings)
    defaults = {part.name: part.default for part in fields(settings)}
    made = {}
    for name, about in described(settings).items():
        kind, default = changed.get(name, (hints[name], defaults[name]))
        made[name] = (Annotated[kind, typer.Option(help=about.help, min=about.least)], default)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**given: Any) -> None:
            values = {name: given.pop(name) for name in made}
            command(**given, values=values)

        own = [p for p in inspect.signature(command).parameters.values() if p.name != "values"]
        keyword = inspect.Parameter.KEYWORD_ONLY
        new = [
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in made.items()
        ]
        run.__signature__ = inspect.Signature([p.replace(kind=keyword) for p in own] + new)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *new]} | {"return": None}
        return run

    return decorate
