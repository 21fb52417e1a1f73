"""Times at which a failed payment is to be tried again, and the message that one has come."""

import datetime as dt

import msgspec

from clearhouse.payments.event import Provider

PAID, CANCELED, SUPERSEDED = "paid", "canceled", "superseded"
DUE, MISSED = "due", "missed"
"""What comes of a planned attempt."""
ENDS = frozenset({PAID, CANCELED, SUPERSEDED})
"""After these the rest of the plan does not matter."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One of the times of a plan.

    Attributes:
        number: from 1.
        due_at: when it is.
        next_at: the time after it; None: it is the last.
    """

    event_id: str
    number: int
    due_at: dt.datetime
    next_at: dt.datetime | None


class RetryDue(msgspec.Struct, frozen=True, kw_only=True):
    """What `payments.retries` holds: each is published once.

    Attributes:
        event_id: of the failure that was planned for; with `number` it names the attempt.
        number: of the attempt in the plan, from 1.
        due_at: the planned time, in UTC.
        payment_key: what the payment is known by in the store; None where it is not known.
        payment_id, merchant_reference, customer_id, failure_code: as the failure named them.
        amount_minor, currency: of the failed attempt; None where the event says none.
    """

    event_id: str
    number: int
    due_at: dt.datetime
    provider: Provider
    account: str
    livemode: bool
    payment_key: str | None
    payment_id: str | None
    merchant_reference: str | None
    customer_id: str | None
    failure_code: str | None
    amount_minor: int | None
    currency: str | None
