"""The worker's loop: events in, the operational store and its outbox out, the outbox to the log.

How far it has read is in the store, in the transaction of what it has recorded; what is published
is in the log, with how far the outbox is published. So it can be killed between any two writes, and
nothing is done twice or left out.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from clearhouse.core import tracing
from clearhouse.core.collecting import uncollected
from clearhouse.core.errors import first_line
from clearhouse.core.not_json import NOT_JSON
from clearhouse.log.log import Log, Progress, Record, StaleProgress, partition_of
from clearhouse.payments import aging
from clearhouse.payments.activities import (
    ADVISED,
    PUBLISH,
    RECORD_EVENT,
    advise,
    validate_business_rules,
)
from clearhouse.payments.event import PaymentEvent, decode_event
from clearhouse.payments.inference.client import Inference
from clearhouse.payments.problem import RECORD_FAILED, Problem
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import OUTAGES, PaymentStore
from clearhouse.payments.store.log_binding import Bound
from clearhouse.payments.store.progress import begin, read_progress
from clearhouse.payments.store.recorder import Handled, Outcomes, Recorder
from clearhouse.payments.topics import EVENTS, REDRIVEN, Topic
from clearhouse.payments.worker.defects import Defects
from clearhouse.payments.worker.history import new_with_history
from clearhouse.workflows.activity import Workflows
from clearhouse.workflows.inline import InlineWorkflows

CONSUMER = "worker"
_READ = (EVENTS, REDRIVEN)
DEFAULT_BATCH = 4_000
_IDLE_SECONDS = 0.1
_BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)

_log = structlog.get_logger()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Worker:
    """Records events as they come. One process at a time comes further.

    Args:
        log: holds the events, and gets what is published.
        store: holds what is recorded, and how far this has read.
        inference: gives advice.
        workflows: runs the activities.
        batch: most events of one transaction.
        clock: the time in UTC.
        on_outcomes: told of each batch that was committed, such as metrics.
        on_seconds: told how long each batch took.
    """

    def __init__(  # noqa: PLR0913 (each is a part of it)
        self,
        log: Log,
        store: PaymentStore,
        inference: Inference,
        *,
        workflows: Workflows | None = None,
        batch: int = DEFAULT_BATCH,
        clock: Callable[[], dt.datetime] = _now,
        on_outcomes: Callable[[Outcomes], None] = lambda _: None,
        on_seconds: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._store = store
        self._inference = inference
        self._workflows = workflows or InlineWorkflows()
        self._batch = batch
        self._clock = clock
        self._recorder = Recorder(store, clock)
        self._on_outcomes = on_outcomes
        self._on_seconds = on_seconds
        self._read_to: dict[str, dict[int, int]] = {}
        """By topic and partition, as far as this process knows it."""
        self._age_out_at = clock()
        self._bound = Bound(store, log, lambda: outbox.number_on(store, log))
        self._defects = Defects()

    def step(self) -> int:
        """Publish what is left, and handle one batch of each topic.

        Returns:
            How many events it has handled; 0 where there are none.

        Raises:
            LogError, StoreError, ServerError, OperationalError: the log or the store can't be used.
        """
        self._bound.check()
        with uncollected():
            return self._step()

    def _step(self) -> int:
        self._publish()
        handled = 0
        for topic in _READ:
            try:
                handled += self._handle(topic)
            except StaleProgress as error:
                self._read_to.pop(topic.name, None)
                _log.warning("worker_not_alone", reason=error.message)
            except Exception:
                self._read_to.pop(topic.name, None)  # whether it was committed the store says
                raise
        if handled:
            self._publish()
        return handled

    def run_until(
        self,
        stop: threading.Event,
        on_state: Callable[[Exception | None], None] = lambda _: None,
    ) -> None:
        """Handle events as they come, until `stop` is set; the batch at hand is ended.

        Once an hour the log forgets events that are handled and old. An outage of the log or the
        store is waited for. A defect ends this call.

        Args:
            stop: ends it.
            on_state: told after each step what is in the way; None: nothing.
        """
        failures = 0
        while not stop.is_set():
            try:
                handled = self.step()
                self._age_out()
            except OUTAGES as error:
                _log.warning("worker_waits", reason=first_line(error))
                on_state(error)
                stop.wait(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            on_state(None)
            if not handled:
                stop.wait(_IDLE_SECONDS)

    def _age_out(self) -> None:
        now = self._clock()
        if now >= self._age_out_at:
            with self._store.reading() as connection:
                read_to = {t: read_progress(connection, CONSUMER, t.name) for t in _READ}
            aging.age_out(self._log, now.date(), read_to)
            self._age_out_at = now + aging.EVERY

    def _publish(self) -> None:
        while self._workflows.run(PUBLISH, lambda: outbox.publish(self._store, self._log)):
            pass

    def _handle(self, topic: Topic) -> int:
        """Handle a batch of each partition; how many events there were."""
        if topic.name not in self._read_to:
            self._read_to[topic.name] = self._progress(topic)
        handled = 0
        for position in list(self._read_to[topic.name].values()):
            records = self._log.read(topic.name, position, self._batch)
            if records:
                begun = time.perf_counter()
                with tracing.handled("record event", [each.headers for each in records]) as carried:
                    traced = list(map(Record.with_headers, records, carried))
                    self._record(traced, *self._judge(traced))
                self._on_seconds(time.perf_counter() - begun)
            handled += len(records)
        return handled

    def _progress(self, topic: Topic) -> dict[int, int]:
        partitions = range(self._log.partitions(topic.name))
        with self._store.reading() as connection:
            read_to = read_progress(connection, CONSUMER, topic.name)
        known = {partition_of(each) for each in read_to.positions}
        if new := [each for each in partitions if each not in known]:
            # What the log has forgotten, a store that was lost had recorded.
            firsts = [self._log.first(topic.name, each) for each in new]
            with self._store.writing() as connection:
                begin(connection, [Progress(CONSUMER, topic.name, each) for each in firsts])
                read_to = read_progress(connection, CONSUMER, topic.name)
        return {each: read_to.of(each) for each in partitions}

    def _judge(self, records: Sequence[Record]) -> tuple[list[Handled], list[Record]]:
        """What is known of each event before it is recorded, and the records that are no event."""
        read: list[tuple[Record, PaymentEvent]] = []
        unreadable = []
        for record in records:
            try:
                read.append((record, decode_event(record.value)))
            except NOT_JSON:
                unreadable.append(record)
        problems = validate_business_rules(self._workflows, [event for _, event in read])
        asked = [
            (event, history)
            for event, history in new_with_history(
                self._store,
                [e for (_, e), wrong in zip(read, problems, strict=True) if not wrong],
            )
            if event.event_type in ADVISED
        ]
        decisions = advise(
            self._workflows, self._inference, [e for e, _ in asked], [h for _, h in asked]
        )
        handled = [
            Handled(event, record, wrong, decisions.get(event.event_id, ()))
            for (record, event), wrong in zip(read, problems, strict=True)
        ]
        return handled, unreadable

    def _record(
        self,
        records: Sequence[Record],
        handled: Sequence[Handled],
        unreadable: Sequence[Record],
    ) -> None:
        """Record a batch; of one that can't be recorded whole, each event that can."""
        after, partition = records[-1].position + 1, partition_of(records[-1].position)
        progress = Progress(CONSUMER, records[0].topic, after)
        read_to = self._read_to[progress.topic]
        try:
            outcomes = self._workflows.run(
                RECORD_EVENT,
                lambda: self._recorder.record(handled, progress, read_to[partition], unreadable),
            )
        except OUTAGES:
            raise
        except Exception as error:
            if len(records) > 1:
                self._record_in_halves(records, handled, unreadable)
                return
            if not handled or not self._defects.is_of_the_event(handled[0], error):
                raise
            self._record(records, [_refused(handled[0], error)], unreadable)
            return
        self._defects.end_with(handled)
        read_to[partition] = after
        self._on_outcomes(outcomes)

    def _record_in_halves(
        self,
        records: Sequence[Record],
        handled: Sequence[Handled],
        unreadable: Sequence[Record],
    ) -> None:
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            places = {record.position for record in half}
            self._record(
                half,
                [each for each in handled if each.record.position in places],
                [each for each in unreadable if each.position in places],
            )


def _refused(handled: Handled, error: Exception) -> Handled:
    reason = f"It can't be recorded: {type(error).__name__}."
    return Handled(handled.event, handled.record, [Problem(RECORD_FAILED, "", reason)])
