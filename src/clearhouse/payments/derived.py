"""The tables that follow from payment events and settlement entries, each replaced where touched.

A publication touches groups of events that are connected by references, such as a payment's id, and
what was made of them: dbt/macros/payments/touched.sql.
"""

from clearhouse.pipeline.domain import Derived

_HISTORY = "marts.payment_history"


def _touched(model: str, column: str, key: str) -> str:
    """The keys of a model of touched ones, by the name that a table has for them."""
    return f"(SELECT {column} AS {key} FROM next.{model}) AS touched_keys"


def _of_subjects(  # noqa: PLR0913
    name: str,
    key: str,
    at: str,
    *row: str,
    touched: str = "int_payments_touched_subjects",
    column: str = "subject_key",
    served_in: str = "marts",
    feeds: bool = False,
    indexes: tuple[tuple[str, ...], ...] = (),
) -> Derived:
    """A table of what is so of payments, payouts, or refunds and disputes by themselves.

    Args:
        name: of the table.
        key: its column of the subject.
        at: the date by which it is served in parts.
        row: columns that tell the rows of a subject apart.
        touched: model of the touched subjects.
        column: of that model.
        served_in: schema.
        feeds: see `Derived`.
        indexes: see `Derived`.
    """
    return Derived(
        name,
        served_in,
        key,
        _touched(touched, column, key),
        part=at,
        entity="subject_key",
        entities_in=_HISTORY,
        grain=(key, *row),
        feeds=feeds,
        indexes=indexes,
    )


OF_EVENTS = (
    Derived(
        "int_payments_references",
        "gold",
        "_record_key",
        "next.int_payments_touched_keys",
        is_internal=True,
        grain=("_record_key", "reference", "is_asking"),
        feeds=True,
        indexes=(("reference", "is_asking"),),
    ),
    Derived(
        "payment_history",
        "marts",
        "_record_key",
        "next.int_payments_touched_events",
        part="_book_date",
        feeds=True,
        indexes=(("subject_key",), ("_book_date",)),
    ),
    _of_subjects(
        "payment_captures", "payment_key", "first_at", "capture_id",
        feeds=True, indexes=(("capture_id",), ("first_at",)),
    ),
    _of_subjects(
        "refunds", "subject_key", "first_at", "refund_key", feeds=True, indexes=(("refund_id",),)
    ),
    Derived(
        "disputes",
        "marts",
        "dispute_key",
        "next.int_payments_touched_disputes",
        part="first_at",
        entity="scope || ':' || dispute_id",
        entities_in=_HISTORY,
        grain=("dispute_key", "payment_key"),
        feeds=True,
        indexes=(("dispute_id",),),
    ),
    _of_subjects("payouts", "payout_key", "first_at", feeds=True, indexes=(("payout_id",),)),
    _of_subjects("payments", "payment_key", "first_at"),
    _of_subjects(
        "int_payments_event_lines", "subject_key", "occurred_at", "posting", "line",
        served_in="gold",
    ),
)  # fmt: skip

OF_SETTLEMENTS = (
    Derived(
        "payout_entries",
        "marts",
        "_record_key",
        "next.int_payments_touched_settlements",
        part="_book_date",
        feeds=True,
        indexes=(("payout_key",), ("subject_key",)),
    ),
    _of_subjects(
        "payout_tie_out", "payout_key", "coalesce(sent_at, DATE '1970-01-01')", "line",
        touched="int_payments_touched_payouts", column="payout_key",
    ),
    _of_subjects(
        "receivables", "payment_key", "captured_on", "capture_id",
        touched="int_payments_touched_receivables", column="payment_key",
    ),
    _of_subjects(
        "int_payments_settled_lines", "subject_key", "occurred_at", "posting", "line",
        touched="int_payments_touched_postings", served_in="gold",
    ),
)  # fmt: skip
