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
from clearhouse.payments.store.sql import Row, add, add_missing, put
from clearhouse.payments.store.tables import decision, delivery, payment_event, worker_letter
from clearhouse.payments.topics import RECORDED

SOURCE = "payments_store"
"""As which source the store is known to landing: a part of each event's record id."""


@dataclass(frozen=True, slots=True)
class Handled:
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


@dataclass(slots=True)
class _Batch:
    """What is to be written of a batch."""

    deliveries: dict[int, Row]
    events: dict[str, PaymentEvent]
    letters: set[str]
    new: list[Handled] = field(default_factory=list)
    changed: dict[int, Row] = field(default_factory=dict)
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
            put(connection, delivery, list(batch.changed.values()))
            add(connection, worker_letter, batch.written)
            outbox.leave(connection, batch.messages)
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
        for each in handled:
            batch.outcomes.of_each.append(self._judge_one(batch, each, now))
        for record in unreadable:
            batch.write(letter_of_unreadable(record, now), record)
        return batch

    def _judge_one(self, batch: _Batch, each: Handled, now: dt.datetime) -> str:
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
        is_done = before is not None and before["outcome"] != "dead_letter"
        if is_done and before is not None and before["event_id"] != event.event_id:
            problems.append(Problem("webhook_conflict", "event_id", _OTHER_EVENT))
        if is_done and before is not None and not problems:
            batch.outcomes.known += 1
            return str(before["outcome"])
        attempt = _try(before, now)
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
            row = _delivery(event, outcome, attempt)
            batch.deliveries[event.webhook_position] = batch.changed[event.webhook_position] = row
        return outcome

    def _write_events(self, connection: sa.Connection, batch: _Batch) -> None:
        if not batch.new:
            return
        events = [each.event for each in batch.new]
        placed = place(connection, events)
        lines = [encode_event(event) for event in events]
        now = naive_utc(self._clock())
        first = _next_number(connection)
        rows = [
            _event(*pair, placed, now, number)
            for number, pair in enumerate(zip(events, lines, strict=True), first)
        ]
        add(connection, payment_event, rows)
        refold_payments(connection, placed, {event.event_id: event for event in events})
        refold_payouts(connection, events)
        add_missing(connection, decision, [row for each in batch.new for row in each.decisions])
        batch.messages += [
            _recorded_message(each, placed, line)
            for each, line in zip(batch.new, lines, strict=True)
        ]


_MOST_OF_ID = 300
_MOST_OF_HASH = 64
_OTHER_EVENT = "The webhook is recorded as another event: what is recorded holds."


def _next_number(connection: sa.Connection) -> int:
    """The number of the next event. Nobody else records one until this transaction ends."""
    outbox.hold(connection)
    last = connection.scalar(sa.select(sa.func.max(payment_event.c.number)))
    return 0 if last is None else last + 1


def _deliveries(connection: sa.Connection, positions: set[int]) -> dict[int, Row]:
    rows = select_in(connection, sa.select(delivery), delivery.c.webhook_position, positions)
    return {row.webhook_position: dict(row._mapping) for row in rows}


def _recorded(connection: sa.Connection, ids: set[str]) -> dict[str, PaymentEvent]:
    read = sa.select(payment_event.c.event_id, payment_event.c.line)
    rows = select_in(connection, read, payment_event.c.event_id, ids)
    return {event_id: decode_event(line) for event_id, line in rows}


def _letters(connection: sa.Connection, ids: set[str]) -> set[str]:
    read = sa.select(worker_letter.c.letter_id)
    return {own for (own,) in select_in(connection, read, worker_letter.c.letter_id, ids)}


def _recorded_message(handled: Handled, placed: Placed, line: bytes) -> Message:
    own = handled.event.event_id
    return Message(RECORDED.name, placed.keys.get(own) or own, line, handled.record.headers)


def _try(before: Row | None, now: dt.datetime) -> Try:
    if before is None:
        return Try(1, now, now)
    return Try(before["attempt"] + 1, before["first_at"].replace(tzinfo=dt.UTC), now)


def _delivery(event: PaymentEvent, outcome: str, attempt: Try) -> Row:
    minor, currency = money_of(event)
    return {
        "webhook_position": event.webhook_position,
        "event_id": _storable(event.event_id, _MOST_OF_ID),
        "outcome": outcome,
        "book_date": event.book_date,
        "amount_minor": minor,
        "currency": currency,
        "body_sha256": _storable(event.body_sha256, _MOST_OF_HASH),
        "attempt": attempt.number,
        "first_at": naive_utc(attempt.first_at),
    }


def _storable(text: str, most: int) -> str:
    """What a column can hold of a dead letter's text, which can be anything: the letter has all."""
    return text.replace("\0", "")[:most]


def _event(event: PaymentEvent, line: bytes, placed: Placed, now: dt.datetime, number: int) -> Row:
    minor, currency = money_of(event)
    return {
        "event_id": event.event_id,
        "webhook_position": event.webhook_position,
        "book_date": event.book_date,
        "provider": event.provider.value,
        "account": event.account,
        "livemode": event.livemode,
        "event_type": event.event_type.value,
        "payment_key": placed.keys.get(event.event_id),
        "payout_key": payout_key(event),
        "amount_minor": minor,
        "currency": currency,
        "occurred_at": naive_utc(event.occurred_at),
        "record_id": record_id(SOURCE, event.event_id, line),
        "record_key": event.event_id,
        "line": line,
        "recorded_at": now,
        "number": number,
    }
