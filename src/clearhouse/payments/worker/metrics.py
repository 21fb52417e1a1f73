"""The metrics of a worker, whether it reads the log or is asked by a workflow server."""

from collections.abc import Iterator

from prometheus_client import Counter
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from clearhouse.payments.flow import outbox_now
from clearhouse.payments.loop_state import LoopState
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.recorder import Outcomes

_OUTCOMES = ("recorded", "duplicate", "dead_letter", "known")


class OutcomeMetrics:
    """What became of events, and what is still to be published of them.

    Args:
        state: that exports it.
        store: holds the outbox.
    """

    def __init__(self, state: LoopState, store: PaymentStore) -> None:
        self._outcomes = Counter(
            "worker_outcomes",
            "Events by what became of them.",
            ["outcome"],
            registry=state.registry,
        )
        state.add(lambda: _outbox(store))

    def count(self, outcomes: Outcomes) -> None:
        """Count what a batch became."""
        for name in _OUTCOMES:
            self._outcomes.labels(name).inc(getattr(outcomes, name))


def _outbox(store: PaymentStore) -> Iterator[Metric]:
    """What the outbox holds. Its first message stays the same where nothing is published."""
    waiting, first = outbox_now(store.engine)
    yield GaugeMetricFamily("worker_outbox", "Messages still to be published.", waiting)
    yield GaugeMetricFamily(
        "worker_outbox_first", "Number of the first of them; 0 where there is none.", first
    )
