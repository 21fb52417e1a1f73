"""What a set of events makes of a payment or a payout, rule by rule."""

import datetime as dt
from typing import Any

import pytest
from payment_lives import NOON, an_event

from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, Provider
from clearhouse.payments.fold import fold_payment, fold_payout, fold_unlinked

ADYEN = {"provider": Provider.ADYEN}
AUTHORIZED = an_event(T.AUTHORIZED)
CAPTURED = an_event(T.CAPTURED, at=10)
CAPTURED_AT_ADYEN = an_event(T.CAPTURED, **ADYEN)
REFUNDED = an_event(T.REFUNDED, at=20, amount_minor=400)


def payment(*events: PaymentEvent) -> dict[str, Any]:
    row = fold_payment(events).payment
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([an_event(T.PENDING)], {"status": "pending", "captured_minor": 0}),
        ([AUTHORIZED], {"status": "authorized", "authorized_minor": 1000}),
        ([an_event(T.FAILED, failure_code="declined")],
         {"status": "failed", "failures": 1, "failure_code": "declined"}),
        ([an_event(T.FAILED), an_event(T.FAILED, at=5), CAPTURED],
         {"status": "captured", "failures": 2}),
        ([an_event(T.FAILED, capture_id="c"), an_event(T.FAILED, at=1, capture_id="c")],
         {"failures": 1}),
        ([an_event(T.FAILED, capture_id="c"), an_event(T.PENDING, at=60, capture_id="d")],
         {"status": "pending", "failures": 1}),
        ([an_event(T.PENDING), an_event(T.FAILED, at=60)], {"status": "failed"}),
        ([CAPTURED, an_event(T.CAPTURE_FAILED, at=20), an_event(T.PENDING, at=30)],
         {"status": "pending"}),
        ([AUTHORIZED, an_event(T.CANCELED, at=5)], {"status": "canceled"}),
        ([CAPTURED, an_event(T.CANCELED, at=15)], {"status": "captured"}),
        ([an_event(T.CAPTURED, amount_minor=0)], {"status": "captured", "captured_minor": 0}),
        ([CAPTURED, an_event(T.CAPTURED, at=11, fee_minor=59)],
         {"captured_minor": 1000, "fee_minor": 59}),
        ([CAPTURED, an_event(T.CAPTURED, at=12, capture_id="cap2", amount_minor=500)],
         {"captured_minor": 1500, "fee_minor": None}),
        ([CAPTURED, REFUNDED], {"status": "partially_refunded", "refunded_minor": 400}),
        ([CAPTURED, REFUNDED, an_event(T.REFUNDED, at=21, refund_id="r2", amount_minor=600)],
         {"status": "refunded", "refunded_minor": 1000}),
        ([CAPTURED, an_event(T.REFUND_PENDING, at=20)], {"status": "captured"}),
        ([CAPTURED, REFUNDED, an_event(T.REFUND_UNDONE, at=30, amount_minor=400)],
         {"status": "captured", "refunded_minor": 0}),
        ([an_event(T.CAPTURED, amount_minor=700), an_event(T.REFUNDED, at=1, amount_minor=300),
          an_event(T.REFUNDED, at=2, refund_id="r2", amount_minor=700)],
         {"status": "refunded", "refunded_minor": 700}),
        ([CAPTURED, an_event(T.FUNDS_WITHDRAWN, at=20), an_event(T.FUNDS_WITHDRAWN, at=20)],
         {"status": "captured", "disputed_minor": 1000}),
        ([AUTHORIZED, CAPTURED, an_event(T.CAPTURE_FAILED, at=20)],
         {"status": "authorized", "captured_minor": 0, "captured_at": None}),
        ([CAPTURED, an_event(T.CAPTURE_FAILED, at=20)], {"status": "failed"}),
    ],
)  # fmt: skip
def test_payment(events: list[PaymentEvent], expected: dict[str, Any]) -> None:
    for order in (events, events[::-1]):
        row = payment(*order)
        assert {name: row[name] for name in expected} == expected


def test_adyen_captures_again_what_had_failed() -> None:
    life = [
        an_event(T.CAPTURED, **ADYEN),
        an_event(T.CAPTURE_FAILED, at=5, **ADYEN),
        an_event(T.CAPTURED, at=9, **ADYEN),
    ]
    assert payment(*life[:2])["captured_minor"] == 0
    folded = fold_payment(life)
    assert folded.payment is not None
    assert folded.payment["captured_minor"] == 1000
    names = [line["posting"] for line in folded.lines if line["line"] == 1]
    assert sorted(names) == ["capture:cap", "capture:cap#2", "capture_failed:cap"]


def test_adyen_dispute_taken_twice_and_won_at_last() -> None:
    life = [
        an_event(T.DISPUTE_OPENED, **ADYEN),
        an_event(T.FUNDS_WITHDRAWN, at=1, **ADYEN),
        an_event(T.FUNDS_REINSTATED, at=2, **ADYEN),
        an_event(T.FUNDS_WITHDRAWN, at=3, provider_type="SECOND_CHARGEBACK", **ADYEN),
        an_event(T.DISPUTE_CLOSED, at=4, status="lost", **ADYEN),
        an_event(T.DISPUTE_CLOSED, at=5, status="won", **ADYEN),
        an_event(T.FUNDS_REINSTATED, at=5, **ADYEN),
    ]
    (dispute,) = fold_payment(life).disputes
    assert (dispute["withdrawn_minor"], dispute["reinstated_minor"]) == (2000, 2000)
    assert dispute["status"] == "won"
    assert payment(*life)["disputed_minor"] == 0


def test_adyen_chargeback_that_is_told_again_takes_the_money_once() -> None:
    told = {**ADYEN, "provider_type": "CHARGEBACK"}
    life = [
        an_event(T.FUNDS_WITHDRAWN, at=1, amount_minor=900, **told),
        an_event(T.FUNDS_WITHDRAWN, at=2, **told),
        an_event(T.FUNDS_REINSTATED, at=3, **ADYEN),
        an_event(T.FUNDS_REINSTATED, at=4, **ADYEN),
    ]
    assert payment(CAPTURED_AT_ADYEN, *life[:2])["disputed_minor"] == 1000
    assert payment(CAPTURED_AT_ADYEN, *life)["disputed_minor"] == 0


@pytest.mark.parametrize("opened", [[], [an_event(T.DISPUTE_OPENED)]])
def test_a_dispute_is_about_its_whole_amount_when_a_part_is_given_back(
    opened: list[PaymentEvent],
) -> None:
    back = an_event(T.FUNDS_REINSTATED, at=4, amount_minor=600)
    (dispute,) = fold_payment([*opened, an_event(T.FUNDS_WITHDRAWN, at=2), back]).disputes
    assert (dispute["amount_minor"], dispute["reinstated_minor"]) == (1000, 600)


@pytest.mark.parametrize(
    ("provider", "status", "expected"),
    [
        (Provider.PAYPAL, "won", "won"),
        (Provider.PAYPAL, "under_review", "open"),
        (Provider.ADYEN, "won", "open"),
    ],
)
def test_money_that_is_given_back_can_end_its_dispute(
    provider: Provider, status: str, expected: str
) -> None:
    back = an_event(T.FUNDS_REINSTATED, provider=provider, status=status)
    (dispute,) = fold_payment([back]).disputes
    assert dispute["status"] == expected


def test_the_fee_of_a_dispute_is_posted_with_the_money_that_is_taken() -> None:
    withdrawn = an_event(T.FUNDS_WITHDRAWN, at=20, fee_minor=1500)

    folded = fold_payment([CAPTURED, withdrawn, an_event(T.FUNDS_WITHDRAWN, at=21)])

    debits = {line["posting"]: line for line in folded.lines if line["line"] == 1}
    fee = debits["dispute_fee:dis"]
    assert (fee["account_code"], fee["debit_minor"]) == ("fees", 1500)
    assert fee["event_id"] == withdrawn.event_id


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        ([T.REFUND_PENDING], "pending"),
        ([T.REFUND_PENDING, T.REFUNDED], "succeeded"),
        ([T.REFUND_PENDING, T.REFUND_UNDONE], "failed"),
        ([T.REFUND_UNDONE, T.REFUNDED], "undone"),
    ],
)
def test_refund(kinds: list[T], status: str) -> None:
    (refund,) = fold_payment([an_event(kind) for kind in kinds]).refunds
    assert refund["status"] == status


def test_a_payment_is_known_by_the_id_that_the_others_are_linked_to() -> None:
    row = payment(
        an_event(T.CAPTURED, payment_id="cap", linked_id="auth"),
        an_event(T.AUTHORIZED, payment_id="auth"),
        an_event(T.REFUNDED, payment_id="cap"),
    )
    assert row["payment_key"] == "stripe:acct:live:auth"


def test_an_older_event_changes_nothing_that_is_newer() -> None:
    newer = an_event(T.CAPTURED, at=50, method="wallet", customer_id="new")
    older = an_event(T.AUTHORIZED, method="card", customer_id="old", card_last4="4242")
    row = payment(newer, older)
    assert (row["method"], row["customer_id"], row["card_last4"]) == ("wallet", "new", "4242")
    assert row["first_at"] == NOON.replace(tzinfo=None)


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_of_partial_captures_in_one_second_the_larger_amount_is_the_newer(
    numbers: tuple[int, int],
) -> None:
    first, second = numbers
    row = payment(
        an_event(T.CAPTURED, number=first, amount_minor=500),
        an_event(T.CAPTURED, number=second, amount_minor=1000),
    )
    assert row["captured_minor"] == 1000


def test_a_dispute_of_an_unknown_payment_has_its_own_rows() -> None:
    folded = fold_unlinked([an_event(T.FUNDS_WITHDRAWN, payment_id=None)])
    assert folded.payment is None
    assert folded.disputes[0]["payment_key"] is None
    assert {line["subject_key"] for line in folded.lines} == {"stripe:acct:live:dis"}


@pytest.mark.parametrize(
    ("kinds", "status", "postings"),
    [
        ([T.PAYOUT_SENT], "sent", 1),
        ([T.PAYOUT_SENT, T.PAYOUT_PAID], "paid", 1),
        ([T.PAYOUT_FAILED, T.PAYOUT_PAID], "failed", 2),
        ([T.PAYOUT_CANCELED], "canceled", 0),
        ([T.PAYOUT_PAID, T.PAYOUT_REVERSED, T.PAYOUT_FAILED], "reversed", 2),
    ],
)
def test_payout(kinds: list[T], status: str, postings: int) -> None:
    folded = fold_payout([an_event(kind) for kind in kinds])
    assert folded.payout["status"] == status
    assert len({line["posting"] for line in folded.lines}) == postings


@pytest.mark.parametrize(
    ("provider", "name", "account"),
    [
        (Provider.PAYPAL, "PAYMENT.PAYOUTS-ITEM.SUCCEEDED", "third_party_payouts"),
        (Provider.ADYEN, "PAYOUT_THIRDPARTY", "third_party_payouts"),
        (Provider.ADYEN, "balancePlatform.transfer.updated", "bank"),
        (Provider.STRIPE, "payout.paid", "bank"),
    ],
)
def test_what_is_paid_to_others_is_not_in_the_bank(
    provider: Provider, name: str, account: str
) -> None:
    life = [
        an_event(kind, provider=provider, provider_type=name)
        for kind in (T.PAYOUT_PAID, T.PAYOUT_REVERSED)
    ]
    lines = fold_payout(life).lines
    assert [line["account_code"] for line in lines] == [account, "clearing", "clearing", account]


def test_the_newest_version_of_a_payout_is_the_one_that_holds() -> None:
    old = an_event(T.PAYOUT_FAILED, object_version=1)
    new = an_event(T.PAYOUT_PAID, object_version=2)
    assert fold_payout([new, old]).payout["status"] == "paid"


def test_a_payout_that_takes_another_back() -> None:
    sent = an_event(T.PAYOUT_PAID, amount_minor=5000)
    back = an_event(T.PAYOUT_PAID, payout_id="po2", is_reversal_of="po", amount_minor=-5000)
    original, reversal = fold_payout([sent], [back]), fold_payout([back])
    assert original.payout["status"] == "reversed"
    assert reversal.payout["status"] == "paid"
    lines = [*original.lines, *reversal.lines]
    bank = [line for line in lines if line["account_code"] == "bank"]
    assert sum(line["debit_minor"] - line["credit_minor"] for line in bank) == 0


def test_times_are_in_utc_whatever_offset_an_event_says() -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    folded = fold_payment([an_event(T.CAPTURED, occurred_at=NOON.astimezone(zone))])
    assert folded.payment is not None
    moments = {folded.payment["first_at"], folded.payment["captured_at"]}
    assert moments == {line["occurred_at"] for line in folded.lines} == {NOON.replace(tzinfo=None)}
