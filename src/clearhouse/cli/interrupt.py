"""Ctrl-C: remembered when it comes, since what comes of it is not always a KeyboardInterrupt.

Where it strikes, a library may make an error of its own of it: DuckDB says that a query was
interrupted, pydantic that a schema is wrong. Standard library only: it is there before the rest of
the program is imported.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from clearhouse.cli.streams import OutputError

_STOPPED_BY_HAND = 130
_STOPPED = b"Stopped. Run the same command again: it goes on where this one ended.\n"


class Interrupt:
    """Whether somebody has pressed Ctrl-C."""

    def __init__(self) -> None:
        self.asked = False

    def watch(self) -> None:
        """From now on, notice it. Where it is ignored (in the background) it stays ignored."""
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)

    def leave_if_asked(self) -> None:
        """End the process if it was pressed; whatever was going on is made good by the next run.

        At once: a thread that is still importing would end in a traceback, not in silence.
        """
        if self.asked:
            # Past Python's streams: this may be in the middle of a write to them.
            with suppress(OSError):
                os.write(2, _STOPPED)
            with suppress(OSError, RuntimeError, OutputError):
                sys.stdout.flush()
            os._exit(_STOPPED_BY_HAND)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:  # a second time: without waiting for what is still under way
            self.leave_if_asked()
        self.asked = True
        loop = _running_loop()
        if loop is None:
            signal.default_int_handler(number, frame)
        else:  # interrupted anywhere, a loop may wait for ever: its tasks are cancelled instead
            loop.call_soon_threadsafe(_cancel_tasks, loop)


def _running_loop() -> Any:
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio and asyncio.get_running_loop()
    except RuntimeError:
        return None


def _cancel_tasks(loop: Any) -> None:
    for task in sys.modules["asyncio"].all_tasks(loop):
        task.cancel()


interrupt = Interrupt()
"""The one of this process."""
