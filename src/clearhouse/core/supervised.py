"""A process that a supervisor has started does not outlive it, however the supervisor ends.

The supervisor holds the other end of the process's standard input. It closes when the supervisor
is gone, killed or not, and then the process stops as on SIGTERM.
"""

import os
import signal
import sys
import threading
import time

VARIABLE = "CLEARHOUSE_SUPERVISED"
"""Set, by a supervisor alone, for what it starts."""

GRACE_SECONDS = 30.0
"""Longer than any service takes to end in order."""


def end_with_supervisor() -> None:
    """From now on, stop when the supervisor is gone; nothing where none has started this."""
    if os.environ.pop(VARIABLE, ""):
        threading.Thread(target=_wait_for_the_end, name="supervised", daemon=True).start()


def _wait_for_the_end() -> None:
    # Not sys.stdin: its lock would be held while this waits, and the interpreter needs it to end.
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)  # what it was at did not come to an end: the log and the store can bear that
