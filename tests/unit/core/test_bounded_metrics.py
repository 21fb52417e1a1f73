"""Metrics that take long are left out, and do not keep a scrape."""

import threading

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily

from clearhouse.core.bounded_metrics import BoundedMetrics


class Reading:
    """Metrics that can't be read until they are let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = 0

    def __call__(self) -> list[GaugeMetricFamily]:
        self.begun += 1
        self.go_on.wait()
        return [GaugeMetricFamily("slow", "It is slow.", value=self.begun)]


def test_a_scrape_leaves_out_what_takes_too_long_and_the_next_has_it_again() -> None:
    registry = CollectorRegistry()
    Gauge("quick", "It is quick.", registry=registry)
    reading = Reading()
    registry.register(BoundedMetrics(reading, seconds=0.01))
    for _ in range(3):
        assert b"quick 0.0" in (scraped := generate_latest(registry))
        assert b"slow" not in scraped
    assert reading.begun == 1

    reading.go_on.set()
    while b"slow" not in generate_latest(registry):
        pass


@pytest.mark.parametrize("error", [TimeoutError("of the reading"), KeyError("k")])
def test_what_a_reading_raises_is_raised(error: Exception) -> None:
    def read() -> list[GaugeMetricFamily]:
        raise error

    with pytest.raises(type(error)):
        list(BoundedMetrics(read).collect())
