"""Whose documents to look at, on a server that searches for one patient at a time alone."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from fhir_adapter.rest.known import KnownPatients

_KEPT = 400_000  # names


class Whose:
    """Patients of what is filed.

    Args:
        known: asked whom the settings and the ledger know; None where nobody says.
        read: reads notes, and has whose they are kept.
    """

    def __init__(
        self,
        known: Callable[[], KnownPatients | None],
        read: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._known, self._read = known, read
        self._met: dict[str, str] = {}

    def keep(self, names: Iterable[str], patient: str) -> None:
        """Takes note of whom resources (`Type/id`) are about."""
        self._met.update(dict.fromkeys(names, patient))
        while len(self._met) > _KEPT:
            del self._met[next(iter(self._met))]

    async def of(self, names: Sequence[str]) -> tuple[list[str], bool]:
        """The patients of resources, and whether every one of these is known to be one of theirs."""
        lacking = [name for name in names if name not in self._met]
        if lacking and (known := self._known()):
            await self._read(await known.notes_of(lacking))
        found = {self._met[name] for name in names if name in self._met}
        return sorted(found), all(name in self._met for name in names)

    async def were_written(self, names: Sequence[str]) -> bool:
        """Whether one of these was filed before, as far as anybody knows."""
        known = self._known()
        return bool(known and await known.notes_of(names))

    async def named(self) -> Sequence[str]:
        """The patients that the settings name."""
        known = self._known()
        return await known.named() if known else ()

    async def everyone(self) -> Sequence[str]:
        """All who are known."""
        known = self._known()
        return await known.everyone() if known else ()
