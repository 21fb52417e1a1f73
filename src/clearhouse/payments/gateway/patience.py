"""Waiting with a limit where next to nothing is ever waited for.

`asyncio.timeout` makes a timer each time: for a request whose body has come with its head, that is
a seventh of the work of a webhook. Here one timer serves all who wait.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

_T = TypeVar("_T")
_LOOKS = 10
"""In the time of the limit: so exact it is."""


class Patience:
    """Waits for what does not come for so long, and no longer.

    One belongs to one event loop, and a task of it waits for one thing at a time.

    Args:
        seconds: that are waited, and up to a tenth more.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[asyncio.Task[Any], float] = {}
        self._given_up: set[asyncio.Task[Any]] = set()
        self._looks = False

    async def wait(self, awaited: Awaitable[_T]) -> _T:
        """What is waited for.

        Raises:
            TimeoutError: it does not come.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (it runs in one)
        self._since[task] = time.monotonic()
        if not self._looks:
            self._looks = True
            self._look_later()
        try:
            return await awaited
        except asyncio.CancelledError:
            if task in self._given_up and not task.uncancel():
                raise TimeoutError from None
            raise
        finally:
            del self._since[task]
            self._given_up.discard(task)

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(self._seconds / _LOOKS, self._look)

    def _look(self) -> None:
        """Cancel who has waited for too long."""
        latest = time.monotonic() - self._seconds
        for task, since in self._since.items():
            if since < latest and task not in self._given_up:
                self._given_up.add(task)
                task.cancel()
        self._looks = bool(self._since)
        if self._looks:
            self._look_later()
