"""What settlement entries post beside the events: fees, and money that was converted."""

from collections import Counter
from typing import Any

import pytest
from payment_lives import an_entry, an_event
from payment_sql import folded

from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, Provider
from clearhouse.payments.settlements.entry import SettlementEntry


def settled(
    events: list[PaymentEvent], *entries: SettlementEntry
) -> dict[str, tuple[str, int, str]]:
    """The postings of settlements: the debited account, the amount and the currency, by name."""
    (lines,) = folded(events, "settled", entries=entries)
    return {
        line["posting"]: (line["account_code"], line["debit_minor"], line["currency"])
        for line in lines
        if line["line"] == 1
    }


def test_a_fee_is_posted_in_the_currency_of_its_entry() -> None:
    captured = an_event(T.CAPTURED, currency="JPY", amount_minor=10_000, fee_minor=300)

    found = settled([captured], an_entry("charge", "cap", 6_500, 219))

    assert found == {
        "settled_fee:cap:USD": ("fees", 219, "USD"),
        "converted_capture:cap:USD": ("clearing", 6_500, "USD"),
        "converted_capture:cap:JPY": ("conversion", 10_000, "JPY"),
    }


def test_of_a_fee_in_one_currency_the_difference_from_the_events_is_posted() -> None:
    captured = an_event(T.CAPTURED, fee_minor=30)

    found = settled(
        [captured],
        an_entry("charge", "cap", 1_000, 50),
        an_entry("fee", "cap", -7, currency="EUR"),
    )

    assert found == {
        "settled_fee:cap:USD": ("fees", 20, "USD"),
        "settled_fee:cap:EUR": ("fees", 7, "EUR"),
    }


def test_of_a_disputes_fee_the_difference_from_the_events_is_posted() -> None:
    events = [an_event(T.CAPTURED), an_event(T.FUNDS_WITHDRAWN, at=9, fee_minor=1_000)]

    found = settled(events, an_entry("dispute", "dis", -1_000, 1_500))

    assert found == {"settled_dispute_fee:dis:USD": ("fees", 500, "USD")}


@pytest.mark.parametrize(
    ("entry", "name", "amount"),
    [
        (an_entry("refund", "ref", -1_000, -10), "settled_refund_fee:ref:USD", -10),
        (an_entry("fee", None, -50, entry_id="month"), "settled_account_fee:month:USD", 50),
        (an_entry("fee", "Fees of May", -50, entry_id="m"), "settled_account_fee:m:USD", 50),
    ],
)
def test_fees_of_refunds_and_of_the_account_are_posted(
    entry: SettlementEntry, name: str, amount: int
) -> None:
    found = settled([an_event(T.CAPTURED), an_event(T.REFUNDED, at=9)], entry)

    assert found == {name: ("fees" if amount > 0 else "clearing", abs(amount), "USD")}


@pytest.mark.parametrize(
    ("code", "kind", "amount", "posted"),
    [
        ("T0400", "transfer", -700, {"settled_transfer:e": ("bank", 700, "USD")}),
        ("T0300", "transfer", 700, {"settled_transfer:e": ("clearing", 700, "USD")}),
        ("T0200", "conversion", -700, {"settled_conversion:e": ("conversion", 700, "USD")}),
        ("T1503", "other", -700, {}),
    ],
)
def test_what_paypal_transfers_and_converts_is_posted(
    code: str, kind: str, amount: int, posted: dict[str, tuple[str, int, str]]
) -> None:
    entry = an_entry(
        kind, None, amount, entry_id="e", provider=Provider.PAYPAL, provider_type=code
    )  # fmt: skip

    assert settled([an_event(T.CAPTURED)], entry) == posted


def test_what_paypal_takes_for_a_dispute_is_a_fee_of_its_payment() -> None:
    captured = an_event(T.CAPTURED, provider=Provider.PAYPAL, fee_minor=59)
    of_paypal = {"provider": Provider.PAYPAL}

    found = settled(
        [captured],
        an_entry("charge", "cap", 1_000, 59, **of_paypal),
        an_entry("fee", "cap", -2_000, **of_paypal, provider_type="T0106"),
    )

    assert found == {"settled_fee:cap:USD": ("fees", 2_000, "USD")}


def test_after_its_payout_nothing_is_left_in_clearing() -> None:
    events = [
        an_event(T.CAPTURED),
        an_event(T.REFUNDED, at=5, amount_minor=100),
        an_event(T.FUNDS_WITHDRAWN, at=9, fee_minor=1_500),
        an_event(T.PAYOUT_PAID, at=99, payout_id="po", amount_minor=-1_670),
    ]
    entries = [
        an_entry("charge", "cap", 1_000, 30),
        an_entry("refund", "ref", -100, -10),
        an_entry("dispute", "dis", -1_000, 1_500),
        an_entry("fee", None, -50),
    ]

    journal, settled_lines, tied = folded(events, "journal", "settled", "tie_out", entries=entries)

    assert all(row["is_explained"] for row in tied)
    assert in_account("clearing", journal + settled_lines) == {"USD": 0}


def test_what_is_settled_in_another_currency_leaves_none_of_both_in_clearing() -> None:
    yen = {"currency": "JPY", "amount_minor": 10_000}
    events = [
        an_event(T.CAPTURED, **yen),
        an_event(T.REFUNDED, at=5, currency="JPY", amount_minor=2_000),
        an_event(T.DISPUTE_OPENED, at=6, **yen),
        an_event(T.FUNDS_WITHDRAWN, at=9, currency="JPY", amount_minor=8_000),
        an_event(T.PAYOUT_PAID, at=99, payout_id="po", amount_minor=-1_519),
    ]
    entries = [
        an_entry("charge", "cap", 6_500, 219),
        an_entry("refund", "ref", -1_300),
        an_entry("dispute", "dis", -5_000, 1_500),
    ]

    journal, settled_lines = folded(events, "journal", "settled", entries=entries)

    lines = journal + settled_lines
    assert in_account("clearing", lines) == {"JPY": 0, "USD": 0}
    assert in_account("conversion", lines) == {"JPY": 0, "USD": -200}


def in_account(name: str, lines: list[dict[str, Any]]) -> dict[str, int]:
    """Balances of an account of the journal by currency."""
    found: Counter[str] = Counter()
    for line in lines:
        if line["account_code"] == name:
            found[line["currency"]] += line["debit_minor"] - line["credit_minor"]
    return dict(found)
