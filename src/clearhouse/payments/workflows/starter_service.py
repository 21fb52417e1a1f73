"""The starter as a process: the loop, and what says how it is.

On SIGTERM or Ctrl-C the batches at hand are ended, and the process ends. Whatever else ends it:
what was not committed is read again at the next start, and its runs are known.
"""

import asyncio
import datetime as dt
import threading
from collections.abc import Collection
from contextlib import ExitStack

import structlog
from prometheus_client import Counter, Gauge
from temporalio.client import Client
from temporalio.service import RPCError

from clearhouse.core import tracing
from clearhouse.core.loops import wait_for
from clearhouse.core.watched_loops import watched_until_a_signal
from clearhouse.log.log import Log, LogError
from clearhouse.log.reach import progress_of
from clearhouse.payments import aging
from clearhouse.payments.lag import Lag, kept_lag
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.loop_state import LoopState
from clearhouse.payments.opening import opened
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.log_binding import Bound
from clearhouse.payments.store.progress import delivered_of
from clearhouse.payments.store.recorder import Recorder
from clearhouse.payments.topics import EVENTS, REDRIVEN
from clearhouse.payments.unrecorded import STARTER
from clearhouse.payments.workflows.asking import UNDER_WAY
from clearhouse.payments.workflows.place import temporal_place
from clearhouse.payments.workflows.starter import Starter
from clearhouse.payments.workflows.starting import REFUSED, SIGNALLED, STARTED, Started, Starting
from clearhouse.payments.workflows.under_way import UnderWay
from clearhouse.settings import Settings
from clearhouse.workflows.temporal import TemporalPlace, enter, error_of

_log = structlog.get_logger()
_LOOKS_EVERY_SECONDS = 5.0
_UNREADABLE = "unreadable"
_WAITS_AFTER = dt.timedelta(minutes=1)


class State(LoopState):
    """How the service is, for who asks over HTTP.

    Args:
        log: another object than the one that the starter moves its progress with.
    """

    def __init__(self, log: Log) -> None:
        super().__init__(lambda: starter_lags(log), EVENTS.name, REDRIVEN.name, "workflows")
        self.log = log
        self._results = Counter(
            "starter_events",
            "Events by what was done: a run was started, one was signalled, none was needed as the "
            "event is recorded, or it is no event.",
            ["result"],
            registry=self.registry,
        )
        for result in (STARTED, SIGNALLED, REFUSED, _UNREADABLE):  # or a rate leaves out the first
            self._results.labels(result)
        self.under_way = Gauge(
            "starter_runs_under_way", "Runs of events that have not ended.", registry=self.registry
        )
        self.waiting = Gauge(
            "starter_runs_waiting",
            "Runs of events that began more than a minute ago and have not ended.",
            registry=self.registry,
        )

    def count(self, started: Started) -> None:
        """Count what a batch became."""
        for result, number in started.by_result.items():
            self._results.labels(result).inc(number)
        self._results.labels(_UNREADABLE).inc(started.unreadable)


def serve(settings: Settings, host: str, port: int | None) -> None:
    """Start the runs of events until a signal ends it.

    Args:
        settings: name the log, the store and the workflow server.
        host: where health and metrics are served.
        port: the same; None: they are not.

    Raises:
        ClearhouseError: it could not start.
    """
    tracing.start("starter")
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings, settings.database_access("starter")))
        # Another object: one that is asked for progress beside the loop would hide from it that
        # another process has come further.
        beside = open_payment_log(log_place(settings))
        stack.callback(beside.close)
        bound = Bound(store, log)
        bound.check()
        state = State(beside)
        stop = stack.enter_context(watched_until_a_signal("Starter", state, host, port))
        asyncio.run(_run(temporal_place(settings), bound, state, stop))


def starter_lags(log: Log) -> list[Lag]:
    """What waits for the starter, by topic and partition."""
    return [lag for topic in (EVENTS, REDRIVEN) for lag in kept_lag(log, STARTER, topic.name)]


def age_out(log: Log, today: dt.date) -> int:
    """Have the log forget events that are in the hands of runs, and old; how many, at most."""
    read_to = {topic: progress_of(log, STARTER, topic.name) for topic in (EVENTS, REDRIVEN)}
    return aging.age_out(log, today, read_to)


async def _run(place: TemporalPlace, bound: Bound, state: State, stop: threading.Event) -> None:
    client = await enter(place)
    store = bound.store
    under_way = UnderWay(lambda webhooks: delivered(store, webhooks))
    starting = Starting(client, place, Recorder(store, _now), under_way, _now)
    starter = Starter(
        bound.log,
        starting,
        check=bound.check,
        on_started=state.count,
        on_seconds=state.took,
        on_state=state.tell_of,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(starter.run_until(stop))
        group.create_task(_look(client, place, state, stop))
        group.create_task(age_out_hourly(state.log, stop))


def delivered(store: PaymentStore, webhooks: Collection[int]) -> set[int]:
    """Those of some webhooks of whose events it is recorded what became of them."""
    with store.reading() as connection:
        return delivered_of(connection, webhooks)


async def age_out_hourly(log: Log, stop: threading.Event) -> None:
    """See `age_out`; until `stop` is set."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(age_out, log, _now().date())
        except LogError as error:
            _log.warning("aging_waits", reason=error.message)
        await wait_for(stop, aging.EVERY.total_seconds())


async def _look(client: Client, place: TemporalPlace, state: State, stop: threading.Event) -> None:
    """Count the runs on the server now and then, and see that it answers."""
    tell = state.of("workflows")
    while not stop.is_set():
        begun = (_now() - _WAITS_AFTER).isoformat()
        try:
            under_way = await client.count_workflows(UNDER_WAY)
            waiting = await client.count_workflows(f"{UNDER_WAY} AND StartTime < '{begun}'")
        except RPCError as error:
            tell(error_of(place, error))
        else:
            state.under_way.set(under_way.count)
            state.waiting.set(waiting.count)
            tell(None)
        await wait_for(stop, _LOOKS_EVERY_SECONDS)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
