"""The starter: events of the log become runs of the workflow server.

How far it has read is in the log, and is committed when every event of a batch is in the hands of a
run. So it can be killed at any time: what was not committed is read again, and its runs are there.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from clearhouse.core import tracing
from clearhouse.core.errors import first_line
from clearhouse.core.loops import wait_for
from clearhouse.log.log import Log, Record, StaleProgress, Subscription
from clearhouse.payments.store.database import OUTAGES
from clearhouse.payments.topics import EVENTS, REDRIVEN
from clearhouse.payments.unrecorded import STARTER
from clearhouse.payments.workflows.starting import Started, Starting

DEFAULT_BATCH = 500
_IDLE_SECONDS = 0.05
_BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)

_log = structlog.get_logger()


class Starter:
    """Reads the topics of events, and has each event started.

    Args:
        log: holds the events, and how far this has read.
        starting: starts their runs.
        check: sees that the log is the one that is recorded from.
        batch: most events that are started before the progress is committed.
        on_started: told of each batch that was committed.
        on_seconds: told how long each batch took.
        on_state: told what is in the way of a topic; None: nothing.
    """

    def __init__(  # noqa: PLR0913 (each is a part of it)
        self,
        log: Log,
        starting: Starting,
        *,
        check: Callable[[], None] = lambda: None,
        batch: int = DEFAULT_BATCH,
        on_started: Callable[[Started], None] = lambda _: None,
        on_seconds: Callable[[float], None] = lambda _: None,
        on_state: Callable[[str, Exception | None], None] = lambda _topic, _error: None,
    ) -> None:
        self._log = log
        self._starting = starting
        self._check = check
        self._batch = batch
        self._on_started = on_started
        self._on_seconds = on_seconds
        self._on_state = on_state

    async def run_until(self, stop: threading.Event) -> None:
        """Start events as they come, until `stop` is set; the batches at hand are ended.

        An outage of the log, the store or the server is waited for. A defect ends this call.
        """
        async with asyncio.TaskGroup() as group:
            for topic in (EVENTS, REDRIVEN):
                group.create_task(self._follow(topic.name, stop))

    async def _follow(self, topic: str, stop: threading.Event) -> None:
        reading = await _Reading.of(self._log, topic)
        failures = 0
        try:
            while not stop.is_set():
                try:
                    started = await self._step(reading)
                except StaleProgress as error:
                    _log.info("starter_gave_partitions", topic=topic, reason=error.message)
                    continue
                except OUTAGES as error:
                    _log.warning("starter_waits", topic=topic, reason=first_line(error))
                    self._on_state(topic, error)
                    pause = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                    await wait_for(stop, pause)
                    failures += 1
                    continue
                failures = 0
                self._on_state(topic, None)
                if not started:
                    await asyncio.sleep(_IDLE_SECONDS)
        finally:
            await reading.close()

    async def _step(self, reading: "_Reading") -> int:
        """Start a batch of a topic, and commit that; how many there were."""
        records = await reading.read(self._batch)
        if records:
            begun = time.perf_counter()
            await asyncio.to_thread(self._check)
            with tracing.handled("start run", [each.headers for each in records]) as carried:
                traced = map(Record.with_headers, records, carried)
                done = await self._starting.start(list(traced))
                await reading.commit(records)
            self._on_started(done)
            self._on_seconds(time.perf_counter() - begun)
        return len(records)


class _Reading:
    """A subscription in the one thread that uses it."""

    def __init__(self, thread: ThreadPoolExecutor, subscription: Subscription) -> None:
        self._thread = thread
        self._subscription = subscription

    @classmethod
    async def of(cls, log: Log, topic: str) -> "_Reading":
        thread = ThreadPoolExecutor(1, thread_name_prefix=topic)
        loop = asyncio.get_running_loop()
        return cls(thread, await loop.run_in_executor(thread, log.subscribe, STARTER, topic))

    async def read(self, limit: int) -> Sequence[Record]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._subscription.read, limit)

    async def commit(self, records: Sequence[Record]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._subscription.commit, records, ())

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._subscription.close)
        self._thread.shutdown()
