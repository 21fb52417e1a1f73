"""Events of the log that no service will record by itself any more, beside those that one will.

A worker keeps how far it has read with what it records: it loses none. Where workflows record
events, a run can be gone: its server's database was lost, or somebody has ended it by hand.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from clearhouse.core.not_json import NOT_JSON
from clearhouse.log.log import Log, Reached, Record
from clearhouse.log.reach import progress_of
from clearhouse.log.scan import records
from clearhouse.payments.event import PaymentEvent, decode_event
from clearhouse.payments.running import Running
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.progress import delivered_of, read_progress, settled_of
from clearhouse.payments.store.refusals import letter_id
from clearhouse.payments.topics import EVENTS, REDRIVEN, Topic
from clearhouse.payments.unrecorded import STARTER


@dataclass(slots=True)
class Unrecorded:
    """Events that the log holds, and of which the store does not say what became of them.

    Attributes:
        waiting: by id, those that a service has still to read, or whose runs go on.
        lost: by the position of their webhooks, the others.
    """

    waiting: dict[str, PaymentEvent] = field(default_factory=dict)
    lost: dict[int, PaymentEvent] = field(default_factory=dict)


def unrecorded(log: Log, store: PaymentStore, day: dt.date, running: Running | None) -> Unrecorded:
    """The events that the log has taken from a day on, and nothing is recorded of.

    Args:
        log: holds the events.
        store: says what became of them.
        day: in UTC.
        running: asks a workflow server; None: the worker reads the log itself.

    Raises:
        ClearhouseError: the log, the store or the server can't be asked.
    """
    found = Unrecorded()
    again: set[int] = set()
    passed: dict[str, PaymentEvent] = {}
    for topic in (EVENTS, REDRIVEN):
        read_to = _read_to(log, store, topic, is_started=running is not None)
        for record, event in _events(log, topic, day):
            if record.position in read_to:
                passed[letter_id(record)] = event
                continue
            found.waiting.setdefault(event.event_id, event)
            if topic is REDRIVEN:
                again.add(event.webhook_position)
    missing = _not_settled(store, passed)
    if running and missing:
        going_on = running({event.event_id for event in missing.values()})
        missing = _not_settled(store, missing)  # asked later: a run may have ended meanwhile
        for own, event in list(missing.items()):
            if event.event_id in going_on:
                found.waiting.setdefault(event.event_id, missing.pop(own))
    for event in missing.values():
        if event.webhook_position not in again:
            found.lost[event.webhook_position] = event
    return found


def _read_to(log: Log, store: PaymentStore, topic: Topic, *, is_started: bool) -> Reached:
    if is_started:
        return progress_of(log, STARTER, topic.name)
    with store.reading() as connection:
        return read_progress(connection, "worker", topic.name)


def _events(log: Log, topic: Topic, day: dt.date) -> Iterator[tuple[Record, PaymentEvent]]:
    for partition in range(log.partitions(topic.name)):
        first, _ = log.positions_of(topic.name, day, partition)
        # What is aged out was read, and is known to the store.
        first = max(first, log.first(topic.name, partition))
        for record in records(log, topic.name, first):
            try:
                yield record, decode_event(record.value)
            except NOT_JSON:  # it is a dead letter of the worker
                continue


def _not_settled(store: PaymentStore, passed: dict[str, PaymentEvent]) -> dict[str, PaymentEvent]:
    """Those of some events that were read, of which the store does not say what became of them.

    Args:
        store: is asked.
        passed: by the id that a dead letter of each gets.
    """
    webhooks = {own: event.webhook_position for own, event in passed.items()}
    redriven = {own: at for own, at in webhooks.items() if f":{REDRIVEN.name}:" in own}
    with store.reading() as connection:
        delivered = delivered_of(connection, {*webhooks.values()})
        settled = settled_of(connection, redriven)
    return {
        own: event
        for own, event in passed.items()
        if not (own in settled if own in redriven else event.webhook_position in delivered)
    }
