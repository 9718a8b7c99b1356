"""The one way in which a write is tried again: whoever tries looks first at what is there by now."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fhir_adapter.errors import (
    ConflictError,
    HttpStatusError,
    LoginError,
    NoteError,
    ServerUnreachableError,
    UnconfirmedError,
    write_fault,
)
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.backoff import Backoff

Result = TypeVar("Result")


class Retries:
    """How often, and after what wait, a write is tried again after others came first, or in doubt.

    Args:
        backoff: the number of further attempts, and the waits between them.
        sleep: how to wait.
    """

    def __init__(
        self, backoff: Backoff | None = None, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._backoff = backoff or Backoff(retries=6, first=0.2)
        self._sleep = sleep

    async def run(
        self, attempt: Callable[[int], Awaitable[Result]], doubtful: Callable[[], object] = lambda: None
    ) -> Result:
        """What the first attempt that succeeds gives.

        Args:
            attempt: given its number from 0; reads what is there and writes over just that, so that it may be
                run again after an answer that was lost, or after somebody else wrote in between.
            doubtful: called when an attempt may have been done although it failed.

        Raises:
            NoteError: `rejected-by-server` or `server-error`, with the status and issue codes.
            ServerUnreachableError: no answer after all attempts, or no token (LoginError).
        """
        for number in range(self._backoff.retries + 1):
            final = number == self._backoff.retries
            try:
                return await attempt(number)
            except HttpStatusError as error:
                if final or not (isinstance(error, ConflictError) or error.passing):
                    raise write_fault(error) from None
                if not isinstance(error, ConflictError):
                    doubtful()
            except ServerUnreachableError as error:
                if final or isinstance(error, LoginError):  # a refused login is not made right by more of it
                    raise
                doubtful()
            except UnconfirmedError as error:
                if final:
                    raise NoteError(Reason.SERVER_ERROR, str(error)) from None
                doubtful()
            await self._sleep(self._backoff.delay(number))
        raise AssertionError("the last attempt returns or raises")
