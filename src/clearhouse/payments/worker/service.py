"""The worker as a process: the loop, and what says how it is.

On SIGTERM or Ctrl-C the batch at hand is ended, and the process ends. Whatever else ends it: what
was not committed is done again at the next start.
"""

from contextlib import ExitStack

from clearhouse.core import tracing
from clearhouse.core.watched_loops import watched_until_a_signal
from clearhouse.payments.flow import worker_lags
from clearhouse.payments.inference.opening import inference_from
from clearhouse.payments.opening import opened
from clearhouse.payments.worker.loop import Worker
from clearhouse.payments.worker.state import WorkerState
from clearhouse.settings import Settings
from clearhouse.workflows.opening import open_workflows


def serve(settings: Settings, host: str, port: int | None) -> None:
    """Record events until a signal ends it.

    Args:
        settings: name the log, the store and the inference service.
        host: where health and metrics are served.
        port: the same; None: they are not.

    Raises:
        ClearhouseError: it could not start.
    """
    tracing.start("worker")
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings, settings.database_access("worker")))
        state = WorkerState(store, lambda: worker_lags(log, store.engine))
        worker = Worker(
            log,
            store,
            inference_from(settings),
            workflows=open_workflows(settings.workflows_url),
            on_outcomes=state.count,
            on_seconds=state.took,
        )
        stop = stack.enter_context(watched_until_a_signal("Worker", state, host, port))
        worker.run_until(stop, state.tell)
