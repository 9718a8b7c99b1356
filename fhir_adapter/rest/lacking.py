"""What a server was found not to take in a search, and what is left out of one for that.

R4 leaves it to a server which search parameters it knows (3.1.1.4.3), and servers refuse what they do not
know with whatever status they like. Whoever searches here looks at every match, so a search by less finds the
same; it takes longer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import httpx

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.rest.transport import Call

Headers = dict[str, str]
T = TypeVar("T")

_LENIENT: Headers = {"Cache-Control": "no-cache"}
_STRICT: Headers = {**_LENIENT, "Prefer": "handling=strict"}
# What only says how matches are shown; a search without it finds the same.
_SHOWN = ("_elements", "_total", "_include", "_revinclude", "_count")


class Lacking:
    """What one server was found to refuse, as `Type.parameter`."""

    def __init__(self) -> None:
        self._found: set[tuple[str, str]] = set()
        self.by_patient: set[str] = set()  # types of which a search has to name a patient
        self._lenient: set[tuple[str, frozenset[str]]] = set()  # a type, and names of parameters
        self._taken: set[tuple[str, frozenset[str]]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """All of it."""
        return tuple(sorted(f"{kind}.{name}" for kind, name in self._found))

    def add(self, kind: str, name: str) -> None:
        """Takes note of a parameter that is refused for a resource type."""
        self._found.add((kind, name))

    def has(self, kind: str, name: str) -> bool:
        """Whether it is known to be refused."""
        return (kind, name) in self._found

    async def first(
        self, kind: str, url: httpx.URL, ask: Callable[[httpx.URL, Headers], Awaitable[T]]
    ) -> tuple[T, Headers]:
        """The first page of a search, and the headers with which it was had.

        What was never taken in this form, and is refused, is asked for again without one thing after the
        other that finds nothing; where that helps, it is left out from then on.

        Raises:
            HttpStatusError: the refusal, where none of these is it. Else as `ask`.
        """
        for name in _SHOWN:
            if self.has(kind, name):
                url = url.copy_remove_param(name)
        form = (kind, frozenset(url.params))
        headers = _LENIENT if form in self._lenient else _STRICT
        try:
            answer = await ask(url, headers)
        except HttpStatusError as error:
            if form in self._taken or not error.asks_otherwise:
                raise
            return await self._lighter(kind, url, ask, error), _LENIENT
        self._taken.add(form)
        return answer, headers

    async def _lighter(
        self,
        kind: str,
        url: httpx.URL,
        ask: Callable[[httpx.URL, Headers], Awaitable[T]],
        refusal: HttpStatusError,
    ) -> T:
        for name in ("", *(name for name in _SHOWN if name in url.params)):
            without = url.copy_remove_param(name) if name else url
            try:
                answer = await ask(without, _LENIENT)
            except HttpStatusError as error:
                if not error.unsupported:
                    raise
                continue
            self._lenient.add((kind, frozenset(without.params)))
            if name:
                self.add(kind, name)
            return answer
        raise refusal

    async def preferring(self, call: Call, send: Callable[[Call], Awaitable[T]]) -> T:
        """The answer to a write that states how it is to be answered.

        It is sent without that where a server that was seen to refuse `Prefer` refuses it as a whole.
        """
        try:
            return await send(call)
        except HttpStatusError as error:
            if not (self._lenient and error.asks_otherwise):
                raise
        headers = {name: value for name, value in call.headers.items() if name != "Prefer"}
        return await send(replace(call, headers=headers))
