"""How a loop of payments is, for who asks over HTTP, and the metrics that all of them share.

Normalizer, starter and worker export the same names; the job that Prometheus scrapes tells them
apart. Labels are names of topics, partitions, parts and codes: each from a short list.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import sqlalchemy as sa
import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from clearhouse.core.bounded_metrics import BoundedMetrics
from clearhouse.core.errors import ClearhouseError, SourceError, first_line
from clearhouse.core.loops import STARTING
from clearhouse.log.log import LogError
from clearhouse.payments.lag import Lag

PARTS = ("log", "store", "workflows", "source", "breaker")
"""What a loop may wait for."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # as core.service_metrics does
_BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
UNREADABLE = (ClearhouseError, sa.exc.DatabaseError, sa.exc.TimeoutError)
"""What keeps metrics of the log or the store from being read."""
_log = structlog.get_logger()

Reading = Callable[[], Iterable[Metric]]


class LoopState:
    """How a service is, told by its tasks from any thread, and its metrics.

    Args:
        lags: what waits for the service, asked at each scrape.
        *tasks: that it has side by side. Each is starting until it tells.
    """

    def __init__(self, lags: Callable[[], Iterable[Lag]], *tasks: str) -> None:
        self._lock = threading.Lock()
        self._in_the_way: dict[str, Exception | None] = dict.fromkeys(tasks or ("loop",), STARTING)
        self.registry = CollectorRegistry()
        ready = Gauge("payments_ready", "1 while nothing is in the way.", registry=self.registry)
        ready.set_function(lambda: float(self.in_the_way is None))
        waits = Gauge(
            "payments_waits_for",
            "1 for the part that the service can't use now, and waits for.",
            ["part"],
            registry=self.registry,
        )
        for part in PARTS:
            waits.labels(part).set_function(partial(self._waits_for, part))
        self._failures = Counter(
            "payments_failures",
            "Steps that failed, by the code of what was in the way. Each is tried again.",
            ["code"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "payments_batch_seconds",
            "From a batch that was read to its commit.",
            buckets=_BATCH_SECONDS,
            registry=self.registry,
        )
        self.add(lambda: lag_metrics(lags(), dt.datetime.now(dt.UTC)))

    @property
    def in_the_way(self) -> Exception | None:
        """What keeps the first of the tasks that are kept from it from work; None: nothing."""
        with self._lock:
            return next((each for each in self._in_the_way.values() if each is not None), None)

    def add(self, reading: Reading) -> None:
        """Export more, read at each scrape. While it can't be read in time, it is left out."""
        self.registry.register(BoundedMetrics(partial(_readable, reading)))

    def tell(self, error: Exception | None) -> None:
        """Take note of what is in the way of a service with one task; None: nothing."""
        self.tell_of(next(iter(self._in_the_way)), error)

    def tell_of(self, task: str, error: Exception | None) -> None:
        """Take note of what is in the way of a task after a step; None: nothing."""
        with self._lock:
            self._in_the_way[task] = error
        if error is not None:
            self._failures.labels(code_of(error)).inc()

    def of(self, task: str) -> Callable[[Exception | None], None]:
        """By which a task tells what is in its way."""
        return partial(self.tell_of, task)

    def took(self, seconds: float) -> None:
        """Take note of how long a batch took."""
        self._seconds.observe(seconds)

    def _waits_for(self, part: str) -> float:
        with self._lock:
            found = list(self._in_the_way.values())
        return float(any(each is not None and part_of(each) == part for each in found))


def code_of(error: Exception) -> str:
    """The code of an error; of one that has none, its type."""
    return error.code if isinstance(error, ClearhouseError) else type(error).__name__


def part_of(error: Exception) -> str | None:
    """Which part an error is of; None while a service starts."""
    if error is STARTING:
        return None
    code = code_of(error)
    for part in ("breaker", "workflows"):
        if code.startswith(part):
            return part
    if isinstance(error, LogError):
        return "log"
    return "source" if isinstance(error, SourceError) else "store"


def lag_metrics(lags: Iterable[Lag], now: dt.datetime) -> Iterator[Metric]:
    """What waits for a consumer, and for how long."""
    labels = ("topic", "partition")
    waiting = GaugeMetricFamily("payments_lag", "Records still to be handled.", labels=labels)
    oldest = GaugeMetricFamily(
        "payments_oldest_unprocessed_seconds",
        "For how long the oldest record that is still to be handled is in the log.",
        labels=labels,
    )
    for lag in lags:
        place = [lag.topic, str(lag.partition)]
        waiting.add_metric(place, lag.waiting)
        oldest.add_metric(place, lag.age_seconds(now))
    yield waiting
    yield oldest


def _readable(reading: Reading) -> Iterator[Metric]:
    """What can be read now. What can't be, the loop itself finds, waits for and tells."""
    try:
        yield from list(reading())
    except UNREADABLE as error:
        _log.warning("metrics_unreadable", code=code_of(error), reason=first_line(error))
