"""The starter as a process: the loop, and what says how it is.

On SIGTERM or Ctrl-C the batches at hand are ended, and the process ends. Whatever else ends it:
what was not committed is read again at the next start, and its runs are known.
"""

import asyncio
import datetime as dt
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge
from temporalio.client import Client
from temporalio.service import RPCError

from clearhouse.core.loops import health_app, served, until_a_signal
from clearhouse.log.log import Log, Reached
from clearhouse.log.reach import progress_of, waiting_of
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.opening import opened
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.log_binding import bind
from clearhouse.payments.store.recorder import Recorder
from clearhouse.payments.topics import EVENTS, REDRIVEN
from clearhouse.payments.workflows import messages
from clearhouse.payments.workflows.health import Obstacles
from clearhouse.payments.workflows.place import temporal_place
from clearhouse.payments.workflows.starter import CONSUMER, Starter
from clearhouse.payments.workflows.starting import Started, Starting
from clearhouse.settings import Settings
from clearhouse.workflows.temporal import TemporalPlace, enter, error_of

_LOOKS_EVERY_SECONDS = 5.0
_UNDER_WAY = f"WorkflowType = '{messages.PAYMENT_EVENT}' AND ExecutionStatus = 'Running'"
_WAITS_AFTER = dt.timedelta(minutes=1)


@dataclass(slots=True)
class State:
    """How the service is, for who asks over HTTP."""

    log: Log
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    obstacles: Obstacles = field(
        default_factory=lambda: Obstacles(EVENTS.name, REDRIVEN.name, "workflows")
    )
    _results: Counter = field(init=False)
    under_way: Gauge = field(init=False)
    waiting: Gauge = field(init=False)

    def __post_init__(self) -> None:
        self._results = Counter(
            "starter_events",
            "Events by what was done: a run was started, one was signalled, none was needed as the "
            "event is recorded, or it is no event.",
            ["result"],
            registry=self.registry,
        )
        lag = Gauge("starter_lag", "Events still to be read.", registry=self.registry)
        lag.set_function(lambda: float(starter_lag(self.log)))
        self.under_way = Gauge(
            "starter_runs_under_way", "Runs of events that have not ended.", registry=self.registry
        )
        self.waiting = Gauge(
            "starter_runs_waiting",
            "Runs of events that began more than a minute ago and have not ended.",
            registry=self.registry,
        )
        self.obstacles.export("starter_ready", self.registry)

    @property
    def in_the_way(self) -> Exception | None:
        """What keeps it from work; None: nothing."""
        return self.obstacles.first

    def tell_of_topic(self, topic: str, error: Exception | None) -> None:
        """Take note of what is in the way of a topic; None: nothing."""
        self.obstacles.of(topic)(error)

    def count(self, started: Started) -> None:
        """Count what a batch became."""
        for result, number in started.by_result.items():
            self._results.labels(result).inc(number)
        self._results.labels("unreadable").inc(started.unreadable)


def serve(settings: Settings, host: str, port: int | None) -> None:
    """Start the runs of events until a signal ends it.

    Args:
        settings: name the log, the store and the workflow server.
        host: where health and metrics are served.
        port: the same; None: they are not.

    Raises:
        ClearhouseError: it could not start.
    """
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings, settings.database_access("starter")))
        # Another object: one that is asked for progress beside the loop would hide from it that
        # another process has come further.
        beside = open_payment_log(log_place(settings))
        stack.callback(beside.close)
        bind(store, log)
        state = State(beside)
        stop = stack.enter_context(until_a_signal())
        if port is not None:
            stack.enter_context(served(health_app("Starter", state), host, port))
        asyncio.run(_run(temporal_place(settings), log, store, state, stop))


def starter_lag(log: Log) -> int:
    """How many events the starter has still to read, redriven ones among them."""
    return sum(waiting_of(log, name, reached) for name, reached in _read_to(log).items())


def _read_to(log: Log) -> dict[str, Reached]:
    return {topic.name: progress_of(log, CONSUMER, topic.name) for topic in (EVENTS, REDRIVEN)}


async def _run(
    place: TemporalPlace, log: Log, store: PaymentStore, state: State, stop: threading.Event
) -> None:
    client = await enter(place)
    starting = Starting(client, place, Recorder(store, _now), _now)
    starter = Starter(log, starting, on_started=state.count, on_state=state.tell_of_topic)
    async with asyncio.TaskGroup() as group:
        group.create_task(starter.run_until(stop))
        group.create_task(_look(client, place, state, stop))


async def _look(client: Client, place: TemporalPlace, state: State, stop: threading.Event) -> None:
    """Count the runs on the server now and then, and see that it answers."""
    tell = state.obstacles.of("workflows")
    while not stop.is_set():
        begun = (_now() - _WAITS_AFTER).isoformat()
        try:
            under_way = await client.count_workflows(_UNDER_WAY)
            waiting = await client.count_workflows(f"{_UNDER_WAY} AND StartTime < '{begun}'")
        except RPCError as error:
            tell(error_of(place, error))
        else:
            state.under_way.set(under_way.count)
            state.waiting.set(waiting.count)
            tell(None)
        await asyncio.to_thread(stop.wait, _LOOKS_EVERY_SECONDS)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
