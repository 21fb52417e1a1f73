"""What comes of the times at which a failed payment is to be tried again: each is decided once."""

import datetime as dt
import json
from typing import Any

import msgspec
import sqlalchemy as sa

from clearhouse.core import tracing
from clearhouse.core.errors import StoreError
from clearhouse.core.sql_values import select_in
from clearhouse.log.log import Message
from clearhouse.payments.event import EventType, PaymentEvent, decode_event
from clearhouse.payments.journal import naive_utc
from clearhouse.payments.keys import reference_hint
from clearhouse.payments.retry_due import (
    CANCELED,
    DUE,
    MISSED,
    PAID,
    SUPERSEDED,
    Attempt,
    RetryDue,
)
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.linking import payments_of
from clearhouse.payments.store.sql import add
from clearhouse.payments.store.tables import decision, payment, payment_event, retry_attempt
from clearhouse.payments.topics import RETRIES

_MOST_LATE = dt.timedelta(days=1)
_PAID = frozenset({"authorized", "captured", "partially_refunded", "refunded"})
_SUCCESSES = frozenset({EventType.AUTHORIZED, EventType.CAPTURED})
_ATTEMPTS = (EventType.PENDING, EventType.FAILED, *_SUCCESSES)


def planned(store: PaymentStore, event_id: str, activity: str) -> list[dt.datetime]:
    """When what an event says has failed is to be tried again, as it was recorded with the event.

    Args:
        store: holds it.
        event_id: of the failure.
        activity: the one that planned.
    """
    with store.reading() as connection:
        plan = connection.scalar(
            sa.select(decision.c.plan).where(
                decision.c.event_id == event_id, decision.c.activity == activity
            )
        )
    return [dt.datetime.fromisoformat(at) for at in json.loads(plan or "[]")]


def decide(store: PaymentStore, attempt: Attempt, now: dt.datetime) -> str:
    """Say what comes of a planned attempt, and leave a message where it is due.

    The message carries the current trace on.

    Returns:
        due, paid, canceled, superseded or missed. Decided before, the same again, and nothing is
        left.

    Raises:
        StoreError: the failure is not recorded (event_missing).
    """
    columns = retry_attempt.c
    with store.writing() as connection:
        outbox.hold(connection)
        before = connection.scalar(
            sa.select(columns.outcome).where(
                columns.event_id == attempt.event_id, columns.number == attempt.number
            )
        )
        if before is not None:
            return str(before)
        event, key, status = _payment_of(connection, attempt.event_id)
        outcome = _ended(connection, event, key, status) or _at_its_time(attempt, now)
        row = {
            "event_id": attempt.event_id,
            "number": attempt.number,
            "due_at": naive_utc(attempt.due_at),
            "outcome": outcome,
            "decided_at": naive_utc(now),
        }
        add(connection, retry_attempt, [row])
        if outcome == DUE:
            outbox.leave(connection, [_message(event, key, attempt, tracing.current())])
    return outcome


def _ended(
    connection: sa.Connection, event: PaymentEvent, key: str | None, status: str | None
) -> str | None:
    """Why what an event says has failed is not tried again at all; None where it may be.

    A further attempt can be a payment of its own, with the same reference of the merchant: an order
    that such a one has paid is paid.
    """
    if status in _PAID:
        return PAID
    if status == "canceled":
        return CANCELED
    attempts = _later_attempts(connection, event, key)
    succeeded = {row.payment_key for row in attempts if row.event_type in _SUCCESSES}
    columns = payment.c
    rows = select_in(connection, sa.select(columns.status), columns.payment_key, succeeded)
    if any(row.status in _PAID for row in rows):
        return PAID
    return SUPERSEDED if any(row.event_type not in _SUCCESSES for row in attempts) else None


def _later_attempts(
    connection: sa.Connection, event: PaymentEvent, key: str | None
) -> list[sa.Row[Any]]:
    """What is recorded of attempts to pay the same order after a failure."""
    reference = reference_hint(event)
    keys = {key} if key is not None else set()
    keys = keys.union(*payments_of(connection, [reference] if reference else []).values())
    columns = payment_event.c
    read = sa.select(
        columns.payment_key, columns.event_type, columns.occurred_at, columns.event_id
    ).where(columns.event_type.in_(_ATTEMPTS), columns.event_id != event.event_id)
    rows = select_in(connection, read, columns.payment_key, keys)
    failed_at = naive_utc(event.occurred_at)
    return [row for row in rows if _is_later(row, failed_at, event.event_id)]


def _is_later(row: sa.Row[Any], failed_at: dt.datetime, event_id: str) -> bool:
    """Whether an attempt came after a failure. Of two failures in one second one is the later."""
    if row.occurred_at != failed_at:
        return bool(row.occurred_at > failed_at)
    if row.event_type == EventType.FAILED:
        return bool(row.event_id > event_id)
    return row.event_type in _SUCCESSES


def _at_its_time(attempt: Attempt, now: dt.datetime) -> str:
    is_over = attempt.next_at is not None and attempt.next_at <= now
    return MISSED if is_over or now - attempt.due_at > _MOST_LATE else DUE


def _payment_of(
    connection: sa.Connection, event_id: str
) -> tuple[PaymentEvent, str | None, str | None]:
    """A recorded event, the payment that it is of, and how that is."""
    of = payment_event.outerjoin(payment, payment.c.payment_key == payment_event.c.payment_key)
    found = connection.execute(
        sa.select(payment_event.c.line, payment_event.c.payment_key, payment.c.status)
        .select_from(of)
        .where(payment_event.c.event_id == event_id)
    ).one_or_none()
    if found is None:
        raise StoreError(
            f"{event_id} is not in PAYMENTS_DATABASE_URL, though its retries are planned: put the "
            "store back from which they were.",
            "event_missing",
        )
    return decode_event(found.line), found.payment_key, found.status


def _message(
    event: PaymentEvent, key: str | None, attempt: Attempt, headers: tracing.Headers
) -> Message:
    due = RetryDue(
        event_id=event.event_id,
        number=attempt.number,
        due_at=attempt.due_at,
        provider=event.provider,
        account=event.account,
        livemode=event.livemode,
        payment_key=key,
        payment_id=event.payment_id,
        merchant_reference=event.merchant_reference,
        customer_id=event.customer_id,
        failure_code=event.failure_code,
        amount_minor=event.amount_minor,
        currency=event.currency,
    )
    return Message(RETRIES.name, key or event.event_id, msgspec.json.encode(due), headers)
