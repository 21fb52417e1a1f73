"""How a worker is, whoever gives it its events: the log, or a workflow server."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Counter
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from clearhouse.payments.flow import outbox_now
from clearhouse.payments.lag import Lag
from clearhouse.payments.loop_state import LoopState
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.recorder import Outcomes

_OUTCOMES = ("recorded", "duplicate", "dead_letter", "known")


class WorkerState(LoopState):
    """See `LoopState`.

    Args:
        store: holds the outbox.
        lags: what waits for it in the log; nothing where a workflow server gives it events.
        *tasks: that it has side by side.
    """

    def __init__(
        self, store: PaymentStore, lags: Callable[[], Iterable[Lag]] = lambda: (), *tasks: str
    ) -> None:
        super().__init__(lags, *tasks)
        self._outcomes = Counter(
            "worker_outcomes", "Events by what became of them.", ["outcome"], registry=self.registry
        )
        for outcome in _OUTCOMES:  # or a rate leaves out the first of them
            self._outcomes.labels(outcome)
        self.add(lambda: _outbox(store))

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
