"""Recording events: all that follows from a batch is in the store when its transaction ends.

With the events go what each webhook came to, the state of every payment and payout that they touch,
what inference said, the messages that tell of them, and how far the worker has read. So nothing is
done twice, whenever the worker ends.

Runs of a workflow server keep no progress here. What is recorded again by one of them is known by
what it left: an event by its webhook, a dead letter by its id.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import msgspec
import sqlalchemy as sa

from clearhouse.core.record_id import record_id
from clearhouse.core.sql_values import select_in
from clearhouse.log.log import Message, Progress, Record
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import PaymentEvent, decode_event, encode_event
from clearhouse.payments.journal import naive_utc
from clearhouse.payments.keys import payout_key
from clearhouse.payments.problem import Problem
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.linking import Placed, place
from clearhouse.payments.store.progress import advance
from clearhouse.payments.store.refold import refold_payments, refold_payouts
from clearhouse.payments.store.refusals import (
    Try,
    as_message,
    conflict,
    letter_id,
    letter_of,
    letter_of_unreadable,
    money_of,
)
from clearhouse.payments.store.sql import Columns, Row, add, add_missing, put
from clearhouse.payments.store.tables import decision, delivery, payment_event, worker_letter
from clearhouse.payments.topics import RECORDED

SOURCE = "payments_store"
"""As which source the store is known to landing: a part of each event's record id."""


class Handled(msgspec.Struct, frozen=True, gc=False):
    """An event that the worker has read.

    Attributes:
        record: the message that it came as.
        problems: why it can't be recorded; none where it can.
        decisions: rows of `decision` about it.
    """

    event: PaymentEvent
    record: Record
    problems: Sequence[Problem] = ()
    decisions: Sequence[Row] = ()


@dataclass(slots=True)
class Outcomes:
    """What became of the events of a batch.

    `known` ones are repeated, by a replay or a run that begins again: what their delivery came to
    is recorded, and stays so.

    Attributes:
        of_each: recorded, duplicate or dead_letter, in their order; of a known one, what it is.
    """

    recorded: int = 0
    duplicate: int = 0
    dead_letter: int = 0
    known: int = 0
    of_each: list[str] = field(default_factory=list, compare=False)


class _Delivered(msgspec.Struct, frozen=True, gc=False):
    """What a delivery came to, as columns of `delivery` hold it."""

    event_id: str
    outcome: str
    attempt: int
    first_at: dt.datetime


@dataclass(slots=True)
class _Batch:
    """What is to be written of a batch.

    Attributes:
        recorded: numbers of events of which no more is to be published than their rows hold.
    """

    deliveries: dict[int, _Delivered]
    events: dict[str, PaymentEvent]
    letters: set[str]
    new: list[Handled] = field(default_factory=list)
    changed: dict[int, PaymentEvent] = field(default_factory=dict)
    recorded: range = range(0)
    messages: list[Message] = field(default_factory=list)
    written: list[Row] = field(default_factory=list)
    outcomes: Outcomes = field(default_factory=Outcomes)

    def write(self, letter: DeadLetter, of: Record) -> None:
        """Have the letter of a record published, once."""
        if letter.letter_id not in self.letters:
            self.letters.add(letter.letter_id)
            row = {"letter_id": letter.letter_id, "written_at": naive_utc(letter.last_at)}
            self.written.append(row)
            self.messages.append(as_message(letter, of.headers))


class Recorder:
    """Records batches in a store.

    Args:
        store: of several processes that record, one does so at a time.
        clock: the time in UTC.
    """

    def __init__(self, store: PaymentStore, clock: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._clock = clock

    def record(
        self,
        handled: Sequence[Handled],
        progress: Progress | None,
        began_at: int = 0,
        unreadable: Sequence[Record] = (),
    ) -> Outcomes:
        """Record a batch, all of it or nothing.

        Args:
            handled: in the order of their records. What a record's headers say goes on in those
                of the messages that tell of it.
            progress: to which the consumer has read with this batch; None: it keeps it elsewhere.
            began_at: where the consumer stood before.
            unreadable: records that are no events.

        Raises:
            StaleProgress: another process of the consumer has come further meanwhile.
        """
        with self._store.writing() as connection:
            outbox.hold(connection)
            if progress is not None:
                advance(connection, progress, began_at)
            batch = self._judge(connection, handled, unreadable)
            self._write_events(connection, batch)
            put(connection, delivery, _delivery_columns(batch))
            add(connection, worker_letter, batch.written)
            outbox.leave(connection, batch.messages)
            outbox.leave_recorded(connection, batch.recorded)
        return batch.outcomes

    def _judge(
        self,
        connection: sa.Connection,
        handled: Sequence[Handled],
        unreadable: Sequence[Record],
    ) -> _Batch:
        """Say what becomes of each event."""
        ids = {letter_id(record) for record in (*(h.record for h in handled), *unreadable)}
        batch = _Batch(
            _deliveries(connection, {each.event.webhook_position for each in handled}),
            # What breaks a rule is not looked for: its id may be one that no server takes.
            _recorded(connection, {each.event.event_id for each in handled if not each.problems}),
            _letters(connection, ids),
        )
        now = self._clock()
        first = Try(1, now, now)
        for each in handled:
            batch.outcomes.of_each.append(self._judge_one(batch, each, first))
        for record in unreadable:
            batch.write(letter_of_unreadable(record, now), record)
        return batch

    def _judge_one(self, batch: _Batch, each: Handled, first: Try) -> str:
        event = each.event
        if batch.letters and letter_id(each.record) in batch.letters:
            batch.outcomes.known += 1
            return "dead_letter"
        before = batch.deliveries.get(event.webhook_position)
        recorded = batch.events.get(event.event_id)
        problems = list(each.problems)
        if not problems and recorded is not None:
            found = conflict(event, recorded)
            problems += [found] if found else []
        is_done = before is not None and before.outcome != "dead_letter"
        if is_done and before is not None and before.event_id != event.event_id:
            problems.append(Problem("webhook_conflict", "event_id", _OTHER_EVENT))
        if is_done and before is not None and not problems:
            batch.outcomes.known += 1
            return before.outcome
        attempt = first if before is None else _next_try(before, first.at)
        if problems:
            outcome = "dead_letter"
            batch.outcomes.dead_letter += 1
            batch.write(letter_of(event, each.record, problems, attempt), each.record)
        elif recorded is not None:
            outcome = "duplicate"
            batch.outcomes.duplicate += 1
        else:
            outcome = "recorded"
            batch.outcomes.recorded += 1
            batch.events[event.event_id] = event
            batch.new.append(each)
        if not is_done:
            batch.deliveries[event.webhook_position] = _Delivered(
                _storable(event.event_id, _MOST_OF_ID),
                outcome,
                attempt.number,
                naive_utc(attempt.first_at),
            )
            batch.changed[event.webhook_position] = event
        return outcome

    def _write_events(self, connection: sa.Connection, batch: _Batch) -> None:
        if not batch.new:
            return
        events = [each.event for each in batch.new]
        placed = place(connection, events)
        lines = [encode_event(event) for event in events]
        now = naive_utc(self._clock())
        first = _next_number(connection)
        numbers = range(first, first + len(events))
        add(connection, payment_event, _event_columns(events, lines, placed, now, numbers))
        refold_payments(connection, placed, {event.event_id: event for event in events})
        refold_payouts(connection, events)
        add_missing(connection, decision, [row for each in batch.new for row in each.decisions])
        if not any(each.record.headers for each in batch.new):
            batch.recorded = numbers
            return
        batch.messages += [
            _recorded_message(each, placed, line)
            for each, line in zip(batch.new, lines, strict=True)
        ]


_MOST_OF_ID = 300
_MOST_OF_HASH = 64
_OTHER_EVENT = "The webhook is recorded as another event: what is recorded holds."


_DELIVERED = sa.select(
    delivery.c.webhook_position, *(delivery.c[name] for name in _Delivered.__struct_fields__)
)
_LINES = sa.select(payment_event.c.event_id, payment_event.c.line)
_LETTERS = sa.select(worker_letter.c.letter_id)
_LAST_NUMBER = sa.select(sa.func.max(payment_event.c.number))


def _next_number(connection: sa.Connection) -> int:
    """The number of the next event. Nobody else records one until this transaction ends."""
    outbox.hold(connection)
    last = connection.scalar(_LAST_NUMBER)
    return 0 if last is None else last + 1


def _deliveries(connection: sa.Connection, positions: set[int]) -> dict[int, _Delivered]:
    rows = select_in(connection, _DELIVERED, delivery.c.webhook_position, positions)
    return {own: _Delivered(*others) for own, *others in rows}


def _recorded(connection: sa.Connection, ids: set[str]) -> dict[str, PaymentEvent]:
    rows = select_in(connection, _LINES, payment_event.c.event_id, ids)
    return {event_id: decode_event(line) for event_id, line in rows}


def _letters(connection: sa.Connection, ids: set[str]) -> set[str]:
    own_id = worker_letter.c.letter_id
    return {own for (own,) in select_in(connection, _LETTERS, own_id, ids)}


def _recorded_message(handled: Handled, placed: Placed, line: bytes) -> Message:
    own = handled.event.event_id
    return Message(RECORDED.name, placed.keys.get(own) or own, line, handled.record.headers)


def _next_try(before: _Delivered, now: dt.datetime) -> Try:
    return Try(before.attempt + 1, before.first_at.replace(tzinfo=dt.UTC), now)


def _delivery_columns(batch: _Batch) -> Columns:
    events = batch.changed.values()
    became = [batch.deliveries[position] for position in batch.changed]
    money = [money_of(event) for event in events]
    return {
        "webhook_position": [*batch.changed],
        "event_id": [each.event_id for each in became],
        "outcome": [each.outcome for each in became],
        "book_date": [event.book_date for event in events],
        "amount_minor": [minor for minor, _ in money],
        "currency": [currency for _, currency in money],
        "body_sha256": [_storable(event.body_sha256, _MOST_OF_HASH) for event in events],
        "attempt": [each.attempt for each in became],
        "first_at": [each.first_at for each in became],
    }


def _storable(text: str, most: int) -> str:
    """What a column can hold of a dead letter's text, which can be anything: the letter has all."""
    return text.replace("\0", "")[:most]


def _event_columns(
    events: Sequence[PaymentEvent],
    lines: Sequence[bytes],
    placed: Placed,
    now: dt.datetime,
    numbers: range,
) -> Columns:
    """Events as they are recorded."""
    ids = [event.event_id for event in events]
    money = [money_of(event) for event in events]
    return {
        "event_id": ids,
        "webhook_position": [event.webhook_position for event in events],
        "book_date": [event.book_date for event in events],
        "provider": [event.provider.value for event in events],
        "account": [event.account for event in events],
        "livemode": [event.livemode for event in events],
        "event_type": [event.event_type.value for event in events],
        "payment_key": [placed.keys.get(own) for own in ids],
        "payout_key": [payout_key(event) for event in events],
        "amount_minor": [minor for minor, _ in money],
        "currency": [currency for _, currency in money],
        "occurred_at": [naive_utc(event.occurred_at) for event in events],
        "record_id": list(map(record_id, repeat(SOURCE), ids, lines)),
        "record_key": ids,
        "line": lines,
        "recorded_at": [now] * len(ids),
        "number": numbers,
    }
