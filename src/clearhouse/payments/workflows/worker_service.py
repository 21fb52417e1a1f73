"""The worker of a workflow server as a process: it runs what the starter has started.

On SIGTERM or Ctrl-C it takes no more tasks, ends those at hand, publishes what they have left, and
ends. Whatever else ends it: the server gives its tasks to another worker, or to this one when it is
back, and the store knows what had been recorded.
"""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from prometheus_client import Counter
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from clearhouse.core import tracing
from clearhouse.core.errors import ClearhouseError
from clearhouse.core.loops import wait_for
from clearhouse.core.watched_loops import watched_until_a_signal
from clearhouse.payments.inference.opening import inference_from
from clearhouse.payments.opening import opened
from clearhouse.payments.store import outbox
from clearhouse.payments.store.log_binding import bind
from clearhouse.payments.store.recorder import Outcomes, Recorder
from clearhouse.payments.worker.publishing import Publisher
from clearhouse.payments.worker.state import WorkerState
from clearhouse.payments.workflows.activities import PaymentActivities
from clearhouse.payments.workflows.messages import TASK_QUEUE
from clearhouse.payments.workflows.payment_event import PaymentEventWorkflow
from clearhouse.payments.workflows.place import temporal_place
from clearhouse.payments.workflows.recording import Recording
from clearhouse.payments.workflows.retry_plan import RetryPlanWorkflow
from clearhouse.settings import Settings
from clearhouse.workflows.inline import InlineWorkflows
from clearhouse.workflows.temporal import TemporalPlace, check, enter

WORKFLOWS = (PaymentEventWorkflow, RetryPlanWorkflow)
_TASKS = 64
"""Of runs at a time: as many events can be in one transaction of the store. They share the
processor, and more of them would not all be done within the time that the server gives a task."""
_LOOKS_EVERY_SECONDS = 5.0
DRAIN = dt.timedelta(seconds=20)
"""That tasks at hand may take when it is to end: less than a task's time-out and its tries."""


def serve(settings: Settings, host: str, port: int | None) -> None:
    """Run the workflows of payments until a signal ends it.

    Args:
        settings: name the log, the store, the inference service and the workflow server.
        host: where health and metrics are served.
        port: the same; None: they are not.

    Raises:
        ClearhouseError: it could not start.
    """
    tracing.start("worker")
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings, settings.database_access("worker")))
        bind(store, log)
        outbox.number_on(store, log)
        state = WorkerState(store, lambda: (), "recording", "publishing", "workflows")
        state.tell_of("recording", None)  # nothing is known to be in its way until it is asked
        publisher = Publisher(store, log, InlineWorkflows(), state.of("publishing"))
        stop = stack.enter_context(watched_until_a_signal("Worker", state, host, port))
        stack.enter_context(published(publisher))

        def on_outcomes(outcomes: Outcomes) -> None:
            state.count(outcomes)
            publisher.nudge()

        recording = Recording(Recorder(store, _now), on_outcomes, state.of("recording"), state.took)

        retries = Counter(
            "worker_retries",
            "Planned attempts to take a failed payment again, by what came of them.",
            ["outcome"],
            registry=state.registry,
        )

        def on_retry(outcome: str) -> None:
            retries.labels(outcome).inc()
            publisher.nudge()

        activities = PaymentActivities(store, inference_from(settings), recording, on_retry)
        asyncio.run(_run(temporal_place(settings), activities, state, stop))


@contextmanager
def published(publisher: Publisher) -> Iterator[None]:
    """Publish in a thread for as long as the block lasts, and then what is left."""
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run_until, args=(stop,), name="publisher")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        publisher.nudge()
        thread.join()


def worker_of(client: Client, activities: PaymentActivities) -> Worker:
    """What runs the workflows of payments in this process."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=WORKFLOWS,
        activities=activities.all,
        # The sandbox would load the definitions anew for each run, for most of its processor time.
        # That they are deterministic is seen where histories are replayed, inside of it.
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=_TASKS,
        max_concurrent_local_activities=3 * _TASKS,  # of each run, at most three models at a time
        max_cached_workflows=10 * _TASKS,
        graceful_shutdown_timeout=DRAIN,
        no_remote_activities=True,
    )


async def _run(
    place: TemporalPlace, activities: PaymentActivities, state: WorkerState, stop: threading.Event
) -> None:
    client = await enter(place)
    async with worker_of(client, activities):
        await _look(client, place, state.of("workflows"), stop)


async def _look(
    client: Client,
    place: TemporalPlace,
    tell: Callable[[Exception | None], None],
    stop: threading.Event,
) -> None:
    """See now and then that the server answers, until `stop` is set."""
    while not stop.is_set():
        try:
            await check(client, place)
        except ClearhouseError as error:
            tell(error)
        else:
            tell(None)
        await wait_for(stop, _LOOKS_EVERY_SECONDS)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
