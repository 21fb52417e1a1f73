"""The tables of the operational store, the same on SQLite and PostgreSQL.

`delivery` and `payment_event` are what happened: rows are added and never changed. Everything from
`payment` on follows from the events of one payment or payout alone (`payments.fold`), and is
written anew in the transaction that records an event of it.
"""

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

# The bytes of a key decide its order on a server too, as they do in SQLite and in Python.
_KEY = sa.String(300).with_variant(sa.String(300, collation="C"), "postgresql")
_HINT = sa.String(600).with_variant(sa.String(600, collation="C"), "postgresql")
_ID = sa.String(255)
_MINOR = sa.BigInteger
_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_CODE = sa.String(60)
_IS_OF_PAYOUT = sa.text("payout_key IS NOT NULL")
_OF_PAYOUTS: Any = {"postgresql_where": _IS_OF_PAYOUT, "sqlite_where": _IS_OF_PAYOUT}
IS_OF_CONNECTED = sa.text("provider = 'stripe' AND substr(account, 1, 5) = 'acct_'")
"""Of an event: its account is one that is connected at Stripe. Word for word as the index has it,
which is not used otherwise.
"""
_OF_CONNECTED: Any = {"postgresql_where": IS_OF_CONNECTED, "sqlite_where": IS_OF_CONNECTED}


def _of_provider() -> list[sa.Column[str] | sa.Column[bool]]:
    return [
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
    ]


version = sa.Table("payments_version", metadata, sa.Column("version_num", sa.String(32)))

event_log = sa.Table(
    "event_log",
    metadata,
    sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("identity", sa.String(200), nullable=False),
)
"""The log whose positions the other tables hold: one row."""

consumer_progress = sa.Table(
    "consumer_progress",
    metadata,
    sa.Column("consumer", sa.String(80), primary_key=True),
    sa.Column("topic", sa.String(80), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", _POSITION, nullable=False),
)
"""Where the worker reads on, changed in the transaction of the effects of what it has read."""

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("webhook_position", _POSITION, primary_key=True, autoincrement=False),
    sa.Column("event_id", _KEY, nullable=False, index=True),
    sa.Column("outcome", sa.String(20), nullable=False),  # recorded, duplicate, dead_letter
    sa.Column("book_date", sa.Date, nullable=False, index=True),
    sa.Column("amount_minor", _MINOR, nullable=False),  # 0 of XXX where the event says none
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("body_sha256", sa.String(64), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),  # one more with each redrive by the worker
    sa.Column("first_at", sa.DateTime, nullable=False),  # when the worker first read it
)
"""What became of each normalized event that the worker has read: one row a webhook.

A redriven dead letter changes its row to `recorded` or `duplicate` when it succeeds.
"""

payment_event = sa.Table(
    "payment_event",
    metadata,
    sa.Column("event_id", _KEY, primary_key=True),
    sa.Column("webhook_position", _POSITION, nullable=False, unique=True),
    sa.Column("book_date", sa.Date, nullable=False),
    *_of_provider(),
    sa.Column("event_type", sa.String(30), nullable=False),
    sa.Column("payment_key", _KEY, index=True),  # NULL for a payout, and while it is unknown
    sa.Column("payout_key", _KEY, index=True),
    sa.Column("amount_minor", _MINOR, nullable=False),  # 0 of XXX where the event says none
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("occurred_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("record_id", sa.String(32), nullable=False),  # that of its line in landing
    sa.Column("record_key", _KEY, nullable=False),
    sa.Column("line", sa.LargeBinary, nullable=False),  # `encode_event` of it
    sa.Column("recorded_at", sa.DateTime, nullable=False),
    # One more with each event, in the order of commits; the default is for who writes by hand.
    sa.Column("number", _POSITION, nullable=False, server_default="0"),
    # What each run asks of all days of its window, without the rows: those hold the lines.
    sa.Index("payment_event_by_day", "book_date", "event_id", "record_id", "number"),
    sa.Index("payment_event_by_number", "number", unique=True),
    sa.Index("payment_event_of_payouts", "book_date", "provider", **_OF_PAYOUTS),
    sa.Index("payment_event_of_connected", "account", **_OF_CONNECTED),
)
"""The events, each once, whatever number of times it was delivered."""

payment_link = sa.Table(
    "payment_link",
    metadata,
    sa.Column("alias", _KEY, primary_key=True),  # <provider>:<account>:<mode>:<id>
    sa.Column("payment_key", _KEY, primary_key=True, index=True),
)
"""Ids of one payment that events have linked (`PaymentEvent.linked_id`), each with the other one.

This table and `payment_hint` hold what events say and grow only: what follows from them does not
depend on the order of events.
"""

payment_hint = sa.Table(
    "payment_hint",
    metadata,
    sa.Column("hint", _HINT, primary_key=True),  # see `payments.keys.hints_of`
    sa.Column("payment_key", _KEY, primary_key=True, index=True),
)
"""By what else the events of a payment can be known, as its dispute or the merchant's reference."""

unlinked_event = sa.Table(
    "unlinked_event",
    metadata,
    sa.Column("hint", _HINT, primary_key=True),
    sa.Column("event_id", _KEY, primary_key=True),
)
"""The hints of events that name no payment by an id. One that only one payment has links them."""

payment = sa.Table(
    "payment",
    metadata,
    sa.Column("payment_key", _KEY, primary_key=True),  # <provider>:<account>:<live|test>:<id>
    *_of_provider(),
    sa.Column("payment_id", _ID, nullable=False),
    sa.Column("merchant_reference", _ID),
    sa.Column("status", sa.String(30), nullable=False),
    sa.Column("currency", sa.String(3)),
    sa.Column("authorized_minor", _MINOR),  # NULL: never authorized, so far as is known
    sa.Column("captured_minor", _MINOR, nullable=False),  # captures that stand
    sa.Column("refunded_minor", _MINOR, nullable=False),  # refunds that stand
    sa.Column("disputed_minor", _MINOR, nullable=False),  # withdrawn and not reinstated
    sa.Column("fee_minor", _MINOR),  # NULL: no event has said one
    sa.Column("failures", sa.Integer, nullable=False),  # attempts that failed
    sa.Column("failure_code", _CODE),  # of the latest of them
    sa.Column("method", _CODE),
    sa.Column("card_brand", _CODE),
    sa.Column("card_last4", sa.String(4)),
    sa.Column("customer_id", _ID),
    sa.Column("first_at", sa.DateTime, nullable=False),
    sa.Column("last_at", sa.DateTime, nullable=False),
    sa.Column("captured_at", sa.DateTime),  # the first capture that stands
    sa.Column("events", sa.Integer, nullable=False),
)

refund = sa.Table(
    "refund",
    metadata,
    sa.Column("refund_key", _KEY, primary_key=True),
    sa.Column("payment_key", _KEY, index=True),
    *_of_provider(),
    sa.Column("refund_id", _ID, nullable=False),
    sa.Column("status", sa.String(30), nullable=False),  # pending, succeeded, undone, failed
    sa.Column("amount_minor", _MINOR, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("failure_code", _CODE),
    sa.Column("first_at", sa.DateTime, nullable=False),
    sa.Column("last_at", sa.DateTime, nullable=False),
)

dispute = sa.Table(
    "dispute",
    metadata,
    sa.Column("dispute_key", _KEY, primary_key=True),
    sa.Column("payment_key", _KEY, index=True),
    *_of_provider(),
    sa.Column("dispute_id", _ID, nullable=False),
    sa.Column("status", sa.String(30), nullable=False),  # open, won, lost, closed
    sa.Column("amount_minor", _MINOR, nullable=False),
    sa.Column("withdrawn_minor", _MINOR, nullable=False),
    sa.Column("reinstated_minor", _MINOR, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("first_at", sa.DateTime, nullable=False),
    sa.Column("last_at", sa.DateTime, nullable=False),
)

payout = sa.Table(
    "payout",
    metadata,
    sa.Column("payout_key", _KEY, primary_key=True),
    *_of_provider(),
    sa.Column("payout_id", _ID, nullable=False),
    sa.Column("status", sa.String(30), nullable=False),  # sent, paid, failed, canceled, reversed
    sa.Column("amount_minor", _MINOR, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("failure_code", _CODE),
    sa.Column("is_reversal_of", _ID),
    sa.Column("first_at", sa.DateTime, nullable=False),
    sa.Column("last_at", sa.DateTime, nullable=False),
)

journal_line = sa.Table(
    "journal_line",
    metadata,
    sa.Column("subject_key", _KEY, primary_key=True),  # a payment_key or a payout_key
    sa.Column("posting", _KEY, primary_key=True),  # such as capture:<id>, refund_undone:<id>
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("account_code", sa.String(30), nullable=False),
    sa.Column("debit_minor", _MINOR, nullable=False),
    sa.Column("credit_minor", _MINOR, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("event_id", _KEY, nullable=False),  # the one that established it
    sa.Column("occurred_at", sa.DateTime, nullable=False),
)
"""Double-entry lines: debits and credits of a posting are equal, in its one currency."""

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("event_id", _KEY, primary_key=True),
    sa.Column("activity", sa.String(40), primary_key=True),
    sa.Column("model", sa.String(80), nullable=False),  # name and version
    sa.Column("outcome", sa.String(40), nullable=False),
    sa.Column("score", sa.Integer),  # thousandths
    sa.Column("reasons", sa.Text, nullable=False),  # reason codes, separated by commas
    sa.Column("is_fallback", sa.Boolean, nullable=False),
    sa.Column("plan", sa.Text),  # JSON, of a retry strategy
)
"""What inference said of an event; a recorded fallback where it could not be asked."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("number", _POSITION, primary_key=True, autoincrement=True),
    sa.Column("topic", sa.String(80), nullable=False),
    sa.Column("message_key", _KEY, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("headers", sa.Text),  # JSON, a list of pairs; NULL where there are none
    sa.Column("first_event", _POSITION),  # of payment_event.number; NULL: a message
    sa.Column("last_event", _POSITION),
    sqlite_autoincrement=True,  # or numbers begin again when the table is empty
)
"""What is still to be appended to the log; written with the effect that it tells of. A row is one
message, or stands for those of the events that a batch has recorded: they are made of their rows.
"""

worker_letter = sa.Table(
    "worker_letter",
    metadata,
    sa.Column("letter_id", _KEY, primary_key=True),
    sa.Column("written_at", sa.DateTime, nullable=False),
)
"""The worker's dead letters that were left in the outbox: none is written twice."""

retry_attempt = sa.Table(
    "retry_attempt",
    metadata,
    sa.Column("event_id", _KEY, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("due_at", sa.DateTime, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),  # see payments.retry_due
    sa.Column("decided_at", sa.DateTime, nullable=False),
)
"""What came of the times at which a failed payment was to be tried again. `due` ones are published;
a payment that had been `paid` or `canceled` meanwhile is not tried again, nor by a plan that is
`superseded`: a later attempt was made, which is under way or has a plan of its own. A time that was
`missed` is let go: the one after it had come by then, or it was more than a day ago.
"""

letter_state = sa.Table(
    "letter_state",
    metadata,
    sa.Column("letter_id", _KEY, primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),  # redriven, discarded
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed_at", sa.DateTime, nullable=False),
)
"""What was decided of dead letters; one without a row is open."""
