"""Metrics that are read at each scrape, and that a scrape does not wait for without an end."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

import structlog
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

SECONDS = 5.0
"""For which a scrape waits. Prometheus gives up a scrape after 10 s, and all of its metrics."""
_log = structlog.get_logger()


class BoundedMetrics(Collector):
    """Metrics that are left out of a scrape while reading them takes too long.

    A reading goes on beside, and there is one at a time: scrapes that come meanwhile wait for it.

    Args:
        read: gives the metrics. What it raises, the scrape raises.
        seconds: that a scrape waits.
    """

    def __init__(self, read: Callable[[], Iterable[Metric]], seconds: float = SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = threading.Lock()
        self._reading: Future[list[Metric]] | None = None

    def describe(self) -> list[Metric]:
        """Nothing: or they would be read when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What is read in time."""
        reading = self._begun()
        try:
            found = reading.result(self._seconds)
        except TimeoutError:
            if not reading.done():
                _log.warning("metrics_left_out", reason="reading them takes too long")
                return
            found = reading.result()  # it ended just now, or raised this itself
        yield from found

    def _begun(self) -> Future[list[Metric]]:
        with self._lock:
            if self._reading is None:
                self._reading = Future()
                # A thread of a pool would be waited for at the end of the process.
                threading.Thread(
                    target=self._run, args=(self._reading,), name="metrics", daemon=True
                ).start()
            return self._reading

    def _run(self, reading: Future[list[Metric]]) -> None:
        try:
            found = list(self._read())
        except BaseException as error:  # noqa: BLE001  # who waits is told
            self._ended()
            reading.set_exception(error)
        else:
            self._ended()
            reading.set_result(found)

    def _ended(self) -> None:
        """Have the next scrape read anew."""
        with self._lock:
            self._reading = None
