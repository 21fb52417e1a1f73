"""Payments' tables: replaced where publications touch them they hold what is built from nothing.

Random gold entries of events and settlements over days: the same event on several days, days
withdrawn, corrections, days that go back to an earlier entry. Ids are few, so that payments are
joined by a late link, and parted when its day goes; events without a payment are found by a
dispute, a refund or a reference that one payment has, or several; payouts take others back;
captures fall due.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from domain_warehouse import DomainWarehouse
from hypothesis import example, given
from hypothesis import strategies as st
from mended_models import BUILDS, DAYS, Models, Publication, entry_of, few_examples, publication

from clearhouse.engines.dbt_runner import preload
from clearhouse.payments.domain import PAYMENTS

IN_ORDER = (
    *("int_payments_touched_keys", "int_payments_published", "int_payments_hidden_records"),
    *("int_payments_touched_entries", "int_payments_published_entries"),
    *("int_payments_hidden_entries", "int_payments_references", "int_payments_touched_events"),
    *("payment_history", "int_payments_touched_subjects", "int_payments_touched_disputes"),
    *("payment_captures", "refunds", "disputes", "payouts", "payments"),
    *("int_payments_event_lines", "int_payments_touched_settlements", "payout_entries"),
    *("int_payments_touched_payouts", "payout_tie_out", "int_payments_touched_receivables"),
    *("receivables", "int_payments_touched_postings", "int_payments_settled_lines"),
)
FIRST = str(DAYS[0])
NOON = dt.datetime.combine(DAYS[0], dt.time(12), dt.UTC)

Row = dict[str, Any]
Entries = Mapping[tuple[dt.date, str], Sequence[Row]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """The models, after a publication of nothing."""
    preload()
    warehouse = DomainWarehouse(tmp_path_factory.mktemp("mended"), PAYMENTS)
    warehouse.build(FIRST)
    warehouse.publish(FIRST)
    yield Models.of(warehouse, IN_ORDER)
    warehouse.engine.close()


OBJECTS = {
    "authorized": (), "captured": ("capture_id",), "capture_failed": ("capture_id",),
    "failed": (), "refunded": ("refund_id",), "refund_undone": ("refund_id",),
    "dispute_opened": ("dispute_id",), "funds_withdrawn": ("dispute_id",),
    "dispute_closed": ("dispute_id",), "payout_sent": ("payout_id",),
    "payout_failed": ("payout_id",),
}  # fmt: skip


@st.composite
def an_event(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from([*OBJECTS, "captured", "captured"]))
    is_of_payout = kind.startswith("payout")
    payment = None if is_of_payout else draw(st.sampled_from(["p1", "p2", "p3", None]))
    own = payment[1] if payment else draw(st.sampled_from("123"))
    number = st.sampled_from([own, own, own, "1"])  # an id that another payment has too, at times
    objects = {name: f"{name[:2]}{draw(number)}" for name in OBJECTS[kind]}
    return {
        "event_id": f"e{draw(st.integers(1, 9))}",
        "event_type": kind,
        "payment_id": payment,
        "linked_id": draw(st.sampled_from([None, None, None, "p1"])) if payment else None,
        "merchant_reference": draw(st.none() | number.map("m{}".format)),
        "is_reversal_of": draw(st.sampled_from([None, None, "pa1"])) if is_of_payout else None,
        "provider": draw(st.sampled_from(["stripe", "stripe", "stripe", "square"])),
        "amount_minor": draw(st.sampled_from([0, 250, 1000])),
        "fee_minor": draw(st.sampled_from([None, 30])),
        "occurred_at": NOON + dt.timedelta(days=draw(st.sampled_from([-10, -9, -1, 0, 1]))),
        **objects,
    }


KINDS = {
    "charge": "ca", "fee": "ca", "refund": "re", "dispute": "di", "payout": "pa",
    "payout_returned": "pa", "other": "ca",
}  # fmt: skip


@st.composite
def an_entry(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from([*KINDS, "charge", "charge"]))
    amount, fee = draw(st.sampled_from([-250, 1000])), draw(st.sampled_from([0, 30]))
    return {
        "entry_id": f"s{draw(st.integers(1, 6))}",
        "payout_id": f"pa{draw(st.integers(1, 3))}",
        "source_id": f"{KINDS[kind]}{draw(st.integers(1, 3))}",
        "provider": draw(st.sampled_from(["stripe", "stripe", "stripe", "square"])),
        "kind": kind,
        "amount_minor": amount,
        "fee_minor": fee,
        "net_minor": amount - fee,
        "currency": draw(st.sampled_from(["USD", "USD", "EUR"])),
        "moved_at": NOON,
        "raw": "{}",
    }


def entries_of(row: st.SearchStrategy[Row], key: str, least: int) -> st.SearchStrategy[Entries]:
    """By day and build, some rows, each key once."""
    return st.fixed_dictionaries(
        {
            (day, build): st.lists(row, min_size=least, max_size=5, unique_by=lambda r: r[key])
            for day in DAYS
            for build in BUILDS
        }
    )


histories = st.lists(st.tuples(publication, publication), min_size=3, max_size=6)


TOLD = [({DAYS[0]: "a"}, {}), ({DAYS[1]: "a"}, {})]
WITHDRAWN = [({DAYS[0]: "a", DAYS[1]: "a"}, {}), ({DAYS[1]: None}, {})]


def found_by(kind: str, history: list[tuple[Publication, Publication]], **hint: str) -> Any:
    """Arguments of the test: an event names no payment, and one of another day has its payment."""
    row = {"event_type": kind, "provider": "stripe", "occurred_at": NOON, **hint}
    first = [{**row, "event_id": "e1"}]
    then = [{**row, "event_id": "e2", "payment_id": "p1"}]
    events = {(DAYS[0], "a"): first, (DAYS[1], "a"): then}
    return {"events": events, "settlements": {}, "history": history}


@few_examples(15)
@example(**found_by("authorized", TOLD, merchant_reference="m1"))
@example(**found_by("refunded", TOLD, refund_id="re1"))
@example(**found_by("refunded", WITHDRAWN, refund_id="re1"))
@given(
    events=entries_of(an_event(), "event_id", 3),
    settlements=entries_of(an_entry(), "entry_id", 2),
    history=histories,
)
def test_what_is_mended_is_what_is_built_from_nothing(
    models: Models,
    events: Entries,
    settlements: Entries,
    history: list[tuple[Publication, Publication]],
) -> None:
    rows = [
        gold_rows(models, "gold.fct_payment_events", events, "event_id"),
        gold_rows(models, "gold.fct_settlement_entries", settlements, "entry_id"),
    ]
    models.mends_all(rows, history)


def gold_rows(models: Models, fact: str, entries: Entries, key: str) -> pa.Table:
    """Rows of a fact as a day's build has them; what is not said is null."""
    schema = models.warehouse.engine.query(f"SELECT * FROM {fact} WHERE false").schema
    rows = [
        {
            "account": "acct", "livemode": True, "currency": "USD", **row,
            "_record_id": hashlib.md5(repr(row).encode()).hexdigest(),
            "_record_key": row[key], "_book_date": day, "_entry_id": entry_of(day, build),
        }
        for (day, build), some in entries.items()
        for row in some
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema)
