"""How a service is that has several parts, each with what is in its way."""

import threading
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from clearhouse.core.loops import STARTING


class Obstacles:
    """What is in the way of each part of a service, told by the parts from any thread.

    Args:
        *parts: by name. Each is starting until it tells.
    """

    def __init__(self, *parts: str) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, Exception | None] = dict.fromkeys(parts, STARTING)

    @property
    def first(self) -> Exception | None:
        """What is in the way of the first part that has something; None: nothing."""
        with self._lock:
            return next((error for error in self._of.values() if error is not None), None)

    def of(self, part: str) -> Callable[[Exception | None], None]:
        """By which a part tells what is in its way; None: nothing."""

        def tell(error: Exception | None) -> None:
            with self._lock:
                self._of[part] = error

        return tell

    def export(self, name: str, registry: CollectorRegistry) -> None:
        """Have a gauge that says whether nothing is in the way."""
        ready = Gauge(name, "1 while nothing is in the way.", registry=registry)
        ready.set_function(lambda: float(self.first is None))
