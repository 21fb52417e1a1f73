"""The end of a command: stores are closed, and the process leaves without Python's clearing up.

Python would go through every object there is before it ends, which takes a command that has
imported dbt or DuckDB most of a second, long after its last line.
"""

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from clearhouse.core.errors import ClearhouseError

_Store = TypeVar("_Store")

_open: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()


def close_at_end(store: _Store, close: Callable[[_Store], None]) -> _Store:
    """Have a store closed before a command leaves, unless it has gone by then; the same store.

    One that is left open keeps its write-ahead log beside it, or its server waiting.
    """
    _open[store] = close
    return store


class QuickEnd:
    """Ends this process as soon as everything that waits for its end has run.

    To be made first of all: functions that are registered for the end run in reverse order, once
    all threads have ended, so that this one is the last.
    """

    def __init__(self) -> None:
        self._code: int | None = None
        atexit.register(self._leave)

    def note(self, ended: BaseException) -> None:
        """Take the exit code of what ends the process; with a traceback, Python ends it itself."""
        if isinstance(ended, SystemExit) and (ended.code is None or isinstance(ended.code, int)):
            self._code = ended.code or 0

    def _leave(self) -> None:
        if self._code is None:
            return
        for store, close in list(_open.items()):
            with suppress(Exception):  # what was committed is safe; there is nobody to tell
                close(store)
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ClearhouseError):  # Python ends, and says so
            return
        os._exit(self._code)
