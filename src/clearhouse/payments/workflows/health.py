"""How a service is that has several parts, each with what is in its way."""

import threading
from collections.abc import Callable

from clearhouse.core.loops import STARTING


class Obstacles:
    """What is in the way of each part of a service, told by the parts from any thread.

    Args:
        *parts: by name. Each is starting until it tells.
        tell: told of the first part that has something in its way; None: none has.
    """

    def __init__(self, *parts: str, tell: Callable[[Exception | None], None]) -> None:
        self._lock = threading.Lock()
        self._tell = tell
        self._of: dict[str, Exception | None] = dict.fromkeys(parts, STARTING)

    def of(self, part: str) -> Callable[[Exception | None], None]:
        """By which a part tells what is in its way; None: nothing."""

        def tell(error: Exception | None) -> None:
            with self._lock:
                self._of[part] = error
                self._tell(next((each for each in self._of.values() if each is not None), None))

        return tell
