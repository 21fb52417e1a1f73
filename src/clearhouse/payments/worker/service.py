"""The worker as a process: the loop, and what says how it is.

On SIGTERM or Ctrl-C the batch at hand is ended, and the process ends. Whatever else ends it: what
was not committed is done again at the next start.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field

from fastapi import FastAPI, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    generate_latest,
)

from clearhouse.core.errors import ClearhouseError, first_line
from clearhouse.core.loops import served, until_a_signal
from clearhouse.log.log import Log
from clearhouse.log.opening import open_log
from clearhouse.payments.flow import measure
from clearhouse.payments.inference.client import inference_from
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.store.recorder import Outcomes
from clearhouse.payments.topics import TOPICS
from clearhouse.payments.worker.loop import Worker
from clearhouse.settings import Settings
from clearhouse.workflows.opening import open_workflows

_STARTING = ClearhouseError("It is starting.", "starting")
_OUTCOMES = ("recorded", "duplicate", "dead_letter", "known")


@dataclass(slots=True)
class State:
    """How the service is, for who asks over HTTP."""

    log: Log
    store: PaymentStore
    in_the_way: Exception | None = _STARTING
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _outcomes: Counter = field(init=False)

    def __post_init__(self) -> None:
        self._outcomes = Counter(
            "worker_outcomes", "Events by what became of them.", ["outcome"], registry=self.registry
        )
        lag = Gauge("worker_lag", "Events still to be read.", registry=self.registry)
        lag.set_function(lambda: float(measure(self.log, self.store.engine).worker_lag))
        ready = Gauge("worker_ready", "1 while nothing is in the way.", registry=self.registry)
        ready.set_function(lambda: float(self.in_the_way is None))

    def count(self, outcomes: Outcomes) -> None:
        """Count what a batch became."""
        for name in _OUTCOMES:
            self._outcomes.labels(name).inc(getattr(outcomes, name))

    def tell(self, error: Exception | None) -> None:
        """Take note of what is in the loop's way; None: nothing."""
        self.in_the_way = error


def create_app(state: State) -> FastAPI:
    """Health and metrics."""
    app = FastAPI(title="Worker", version="1", openapi_url=None)

    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    def ready(response: Response) -> dict[str, str]:
        error = state.in_the_way
        if error is None:
            return {"status": "ready"}
        response.status_code = 503
        code = error.code if isinstance(error, ClearhouseError) else "store_failed"
        return {"status": "not_ready", "code": code, "reason": first_line(error)}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(state.registry), media_type=CONTENT_TYPE_LATEST)

    return app


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
        log = open_log(settings.log_url, [topic.name for topic in TOPICS])
        stack.callback(log.close)
        store = open_store(settings.payments_database_url)
        stack.callback(store.engine.dispose)
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
            stack.enter_context(served(create_app(state), host, port))
        worker.run_until(stop, state.tell)
