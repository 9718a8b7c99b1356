"""Whose resources are known, for servers that answer searches for one patient at a time alone."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class KnownPatients(Protocol):
    """Patients, as `Patient/id`, each once."""

    async def named(self) -> Sequence[str]:
        """Those that the settings name."""

    async def everyone(self) -> Sequence[str]:
        """Those, and those of all notes that were handled."""

    async def notes_of(self, compositions: Iterable[str]) -> Sequence[str]:
        """`Type/id` of the notes from which these (`Composition/id`) were made, as far as that is known."""
