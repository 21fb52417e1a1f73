"""The worker as a process: the loop, and what says how it is.

On SIGTERM or Ctrl-C the batch at hand is ended, and the process ends. Whatever else ends it: what
was not committed is done again at the next start.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge

from clearhouse.core.loops import STARTING, health_app, served, until_a_signal
from clearhouse.log.log import Log
from clearhouse.payments.flow import to_publish, worker_lag
from clearhouse.payments.inference.client import inference_from
from clearhouse.payments.opening import opened
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.recorder import Outcomes
from clearhouse.payments.worker.loop import Worker
from clearhouse.settings import Settings
from clearhouse.workflows.opening import open_workflows

_OUTCOMES = ("recorded", "duplicate", "dead_letter", "known")


@dataclass(slots=True)
class State:
    """How the service is, for who asks over HTTP."""

    log: Log
    store: PaymentStore
    in_the_way: Exception | None = STARTING
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _outcomes: Counter = field(init=False)

    def __post_init__(self) -> None:
        self._outcomes = Counter(
            "worker_outcomes", "Events by what became of them.", ["outcome"], registry=self.registry
        )
        lag = Gauge("worker_lag", "Events still to be read.", registry=self.registry)
        lag.set_function(lambda: float(worker_lag(self.log, self.store.engine)))
        outbox = Gauge("worker_outbox", "Messages still to be published.", registry=self.registry)
        outbox.set_function(lambda: float(to_publish(self.store.engine)))
        ready = Gauge("worker_ready", "1 while nothing is in the way.", registry=self.registry)
        ready.set_function(lambda: float(self.in_the_way is None))

    def count(self, outcomes: Outcomes) -> None:
        """Count what a batch became."""
        for name in _OUTCOMES:
            self._outcomes.labels(name).inc(getattr(outcomes, name))

    def tell(self, error: Exception | None) -> None:
        """Take note of what is in the loop's way; None: nothing."""
        self.in_the_way = error


def serve(settings: Settings, host: str, port: int | None) -> None:
    """Record events until a signal ends it.

    Args:
        settings: name the log, the store and the inference service.
        host: where health and metrics are served.
        port: the same; None: they are not.

    Raises:
        ClearhouseError: it could not start.
    """
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings, settings.database_access("worker")))
        state = State(log, store)
        worker = Worker(
            log,
            store,
            inference_from(settings),
            workflows=open_workflows(settings.workflows_url),
            on_outcomes=state.count,
        )
        stop = stack.enter_context(until_a_signal())
        if port is not None:
            stack.enter_context(served(health_app("Worker", state), host, port))
        worker.run_until(stop, state.tell)
