"""A service that is a loop: it runs until a signal."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from prometheus_client import CollectorRegistry

from clearhouse.core.errors import ClearhouseError

_LOOKS_EVERY_SECONDS = 0.2
STARTING = ClearhouseError("It is starting.", "starting")


class LoopState(Protocol):
    """How a loop is: what is in its way (None: nothing), and its metrics."""

    @property
    def in_the_way(self) -> Exception | None:
        """What keeps it from work; None: nothing."""
        ...

    @property
    def registry(self) -> CollectorRegistry:
        """Its metrics."""
        ...


@contextmanager
def until_a_signal(again: Callable[[], None] = lambda: None) -> Iterator[threading.Event]:
    """An event that SIGTERM or Ctrl-C sets, instead of what they do else.

    Args:
        again: called at each signal after the first.
    """
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            again()
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def wait_for(stop: threading.Event, seconds: float) -> None:
    """Wait in a task until an event is set, or for so long.

    In no thread: one that waits can't be canceled, and keeps the process from ending when a defect
    of another task ends the loop.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not stop.is_set() and (left := until - loop.time()) > 0:
        await asyncio.sleep(min(left, _LOOKS_EVERY_SECONDS))
