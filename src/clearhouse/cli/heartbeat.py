"""A line on standard error every two seconds while something lasts, so that nothing is silent.

Standard library only: it speaks already while the rest of the program is being imported.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD_SECONDS = 2.0
_LOOKS_EVERY_SECONDS = 0.25


def lasting(seconds: float) -> str:
    """`, 12 s`; nothing for less than one."""
    return f", {seconds:.0f} s" if seconds >= 1 else ""


class Heartbeat:
    """Says what is under way, as long as something is.

    The silence is counted over everything that was said, so that two short silences, one at the
    end of one thing and one at the beginning of the next, don't add up to a long one.
    """

    def __init__(self) -> None:
        self._tell: Callable[[float], str] | None = None
        self._began = self._spoke = time.monotonic()
        self._stop = threading.Event()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat until the block ends. The thread is gone before the interpreter is."""
        thread = threading.Thread(target=self._beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def at(self, tell: str | Callable[[float], str] | None) -> None:
        """Something begins; None: nothing does, and nothing is said.

        Args:
            tell: what it is, or a function that tells it from the seconds that it has lasted.
        """
        self._tell = (lambda seconds: tell + lasting(seconds)) if isinstance(tell, str) else tell
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """A line of its own."""
        self._spoke = time.monotonic()
        print(line, file=sys.stderr, flush=True)

    def _beat(self) -> None:
        while not self._stop.wait(_LOOKS_EVERY_SECONDS):
            tell = self._tell
            now = time.monotonic()
            if tell is not None and now - self._spoke >= PERIOD_SECONDS:
                self.say(f"  {tell(now - self._began)} …")


heartbeat = Heartbeat()
"""The one of this process: a process has one standard error."""
