"""A child process that reads notes: one frame in, one frame out, until its parent goes away.

Run as `python -m fhir_adapter.text.workers.worker` with the limits as JSON in its first argument.
"""

import json
import os
import select
import signal
import sys
from typing import BinaryIO

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text import guard
from fhir_adapter.text.formats import read
from fhir_adapter.text.workers import wire

_LOOK_FOR_PARENT = 5.0  # seconds; normally the end of standard input tells


def main(arguments: list[str]) -> int:
    """Serves until standard input ends or the parent is gone."""
    limits = guard.Limits(**json.loads(arguments[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    parent = os.getppid()
    guard.confine(limits)
    inbox, outbox = sys.stdin.buffer, sys.stdout.buffer
    while _await_note(inbox, parent):
        lengths = inbox.read(wire.HEAD.size)
        if len(lengths) < wire.HEAD.size:
            break
        head_size, body_size = wire.HEAD.unpack(lengths)
        head, body = inbox.read(head_size), inbox.read(body_size)
        if len(body) < body_size:
            break
        guard.arm(limits)
        reply, healthy = _reply(head, body, limits)
        guard.disarm()
        outbox.write(reply)
        outbox.flush()
        if not healthy:
            break
    return 0


def _await_note(inbox: BinaryIO, parent: int) -> bool:
    """Waits for a note; False when the parent has died without the pipe being closed."""
    while not select.select([inbox], [], [], _LOOK_FOR_PARENT)[0]:
        if os.getppid() != parent:
            return False
    return True


def _reply(head: bytes, body: bytes, limits: guard.Limits) -> tuple[bytes, bool]:
    """The answer, and whether this process is fit for another note."""
    try:
        return wire.answer(read(wire.content_of(head, body), limits)), True
    except NoteError as error:
        return wire.refusal(error), True
    except MemoryError:
        return wire.refusal(NoteError(Reason.TOO_LARGE, "the reader ran out of memory")), False
    except RecursionError:
        return wire.refusal(NoteError(Reason.MALFORMED, "nested too deeply")), True
    except (
        Exception
    ) as error:  # a fault of ours: the note gets a reason code, and the type says where to look
        return wire.refusal(NoteError(Reason.INTERNAL_ERROR, type(error).__name__)), False


if __name__ == "__main__":
    sys.exit(main(sys.argv))
