"""Traps of Stripe's notifications: each is a shape seen in the wild."""

import json

import payment_notifications as n
import pytest

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, payment_key
from clearhouse.payments.fold import fold_payment
from clearhouse.payments.normalizing import needs_fetch


def test_stripe_partial_capture_is_what_was_captured():
    event = n.event_of(n.stripe("charge.captured", n.charge(amount_captured=1590)))

    assert (event.amount_minor, event.currency) == (1590, "USD")


REVERSAL = {"destination_details": {"type": "card", "card": {"type": "reversal"}}}


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "charge.refund.updated"])
def test_stripe_what_is_released_of_an_authorization_is_no_refund(kind):
    captured = n.event_of(n.stripe("charge.captured", n.charge(amount_captured=1590)))
    rest = n.refund(amount=3000, balance_transaction=None, **REVERSAL)
    released = n.event_of(n.stripe(kind, rest, id="evt_released"))

    folded = fold_payment([captured, released])

    assert released.event_type == "canceled"
    assert (released.refund_id, released.amount_minor) == (None, 3000)
    assert folded.refunds == []
    assert folded.payment["status"] == "captured"
    assert (folded.payment["captured_minor"], folded.payment["refunded_minor"]) == (1590, 0)
    assert {line["posting"] for line in folded.lines} == {"capture:ch_1"}


@pytest.mark.parametrize(
    "refund",
    [
        n.refund(balance_transaction="txn_1", **REVERSAL),
        n.refund(balance_transaction=None),
        n.refund(balance_transaction=None, status="pending", **REVERSAL),
    ],
    ids=["its money moved", "not said to be a reversal", "pending"],
)
def test_stripe_any_other_refund_is_one(refund):
    event = n.event_of(n.stripe("refund.created", refund))

    assert event.refund_id == "re_1"
    assert event.event_type in ("refunded", "refund_pending")


def test_stripe_fee_comes_with_the_expanded_entry_and_never_across_currencies():
    for entry, fee in (
        (None, None),
        ("txn_1", None),
        ({"id": "txn_1", "fee": 163, "currency": "usd"}, 163),
        ({"id": "txn_1", "fee": 150, "currency": "eur"}, None),
    ):
        found = n.event_of(n.stripe("charge.updated", n.charge(balance_transaction=entry)))
        assert found.fee_minor == fee


def test_stripe_a_failed_charge_that_is_updated_has_not_failed_again():
    failed = n.charge(status="failed", captured=False, metadata={"note": "written later"})

    assert n.outcome(n.stripe("charge.updated", failed)).why == "not_posted"
    assert n.event_of(n.stripe("charge.failed", failed)).event_type is EventType.FAILED


def test_stripe_fields_of_a_charge():
    event = n.event_of(
        n.stripe(
            "charge.failed",
            n.charge(status="failed", captured=False, failure_code="card_declined",
                     customer={"id": "cus_1", "object": "customer"}),
        )
    )  # fmt: skip

    assert (event.event_id, event.provider_type) == ("stripe:evt_1", "charge.failed")
    assert (event.payment_id, event.capture_id) == ("pi_1", "ch_1")
    assert (event.method, event.card_brand, event.card_last4) == ("card", "visa", "4242")
    assert (event.customer_id, event.failure_code) == ("cus_1", "card_declined")
    assert event.occurred_at.isoformat() == "2026-11-02T12:00:00+00:00"
    assert event.api_version == "2025-03-31.basil"


@pytest.mark.parametrize(
    ("reason", "advice", "code"),
    [
        ("generic_decline", "do_not_try_again", "do_not_try_again"),
        ("generic_decline", "try_again_later", "generic_decline"),
        ("stolen_card", "do_not_try_again", "stolen_card"),
        (None, "do_not_try_again", "do_not_try_again"),
    ],
)
def test_stripe_advice_never_to_try_again_is_the_code_of_a_decline_without_a_reason(
    reason, advice, code
):
    outcome = {"reason": reason, "advice_code": advice}
    declined = n.charge(status="failed", failure_code="card_declined", outcome=outcome)
    error = {"code": "card_declined", "decline_code": reason, "advice_code": advice}

    assert n.event_of(n.stripe("charge.failed", declined)).failure_code == code
    failed = n.stripe("payment_intent.payment_failed", n.intent(last_payment_error=error))
    assert n.event_of(failed).failure_code == code


def test_stripe_connected_account_and_test_mode_are_part_of_the_key():
    own = n.event_of(n.stripe("charge.captured", n.charge()))
    other = n.event_of(n.stripe("charge.captured", n.charge(), account="acct_1"))
    test = n.event_of(n.stripe("charge.captured", n.charge(), account="acct_1", livemode=False))

    assert other.event_id == "stripe:acct_1:evt_1"
    assert test.event_id == "stripe:acct_1:test:evt_1"
    assert len({payment_key(each) for each in (own, other, test)}) == 3
    assert payment_key(test) == "stripe:acct_1:test:pi_1"


@pytest.mark.parametrize(
    "version",
    ["2020-08-27", "2022-11-15", "2024-04-10", "2024-10-28.acacia", "2025-03-31.basil",
     "2026-06-24.dahlia", "2026-09-30.endive", "not a version", None],
)  # fmt: skip
def test_stripe_any_version_that_keeps_the_contract_is_read(version):
    event = n.event_of(n.stripe("charge.captured", n.charge(), api_version=version))

    assert (event.amount_minor, event.api_version) == (4590, version)


def test_stripe_an_unknown_version_that_breaks_the_contract_is_named_as_such():
    broken = n.charge(amount={"minor": 4590})

    assert n.problem_of(n.stripe("charge.captured", broken, api_version="2027-03-31.fuchsia")) == (
        "unknown_version",
        "api_version",
    )
    assert n.problem_of(n.stripe("charge.captured", broken)) == ("field_type", "data.object.amount")


def test_stripe_refunds_before_acacia_are_in_the_charge():
    refunds = {"data": [n.refund(id="re_2", created=2, amount=300), n.refund(created=1)]}
    older = n.charge(refunds=refunds)

    event = n.event_of(n.stripe("charge.refunded", older, api_version="2020-08-27"))
    assert (event.event_type, event.refund_id) == (EventType.REFUNDED, "re_2")
    assert (event.amount_minor, event.payment_id) == (300, "pi_1")
    for webhook in (
        n.stripe("charge.refunded", older, api_version="2024-10-28.acacia"),
        n.stripe("charge.refunded", n.charge(), api_version="2022-11-15"),
    ):
        assert n.outcome(webhook).why == "not_posted"


def test_stripe_of_two_refunds_in_one_second_the_newest_stands_first():
    refunds = {"data": [n.refund(id="re_1", created=9), n.refund(id="re_2", created=9)]}
    webhook = n.stripe("charge.refunded", n.charge(refunds=refunds), api_version="2020-08-27")

    assert n.event_of(webhook).refund_id == "re_1"


def _entry(amount, fee=0, currency="usd"):
    return {"id": "txn_1", "amount": amount, "fee": fee, "currency": currency}


@pytest.mark.parametrize(
    ("entries", "withdrawn", "fee", "reinstated"),
    [
        ([], 4590, None, 4590),
        ([_entry(-4590, 1500)], 4590, 1500, 4590),
        ([_entry(-4590, 1500), _entry(3000)], 4590, 1500, 3000),  # won in part
        ([_entry(3000, -1500), _entry(-4590, 1500)], 4590, 1500, 3000),
        ([_entry(-4200, 1400, "eur"), _entry(2800, 0, "eur")], 4590, None, 4590),
    ],
)
def test_stripe_disputed_money_moves_by_the_entries_of_the_dispute(
    entries, withdrawn, fee, reinstated
):
    found = n.dispute(balance_transactions=entries)

    taken = n.event_of(n.stripe("charge.dispute.funds_withdrawn", found))
    back = n.event_of(n.stripe("charge.dispute.funds_reinstated", found))

    assert (taken.amount_minor, taken.fee_minor) == (withdrawn, fee)
    assert (back.amount_minor, back.fee_minor) == (reinstated, None)
    assert n.event_of(n.stripe("charge.dispute.updated", found)).amount_minor == 4590


def test_stripe_a_dispute_of_older_versions_is_closed_by_a_refund():
    closed = n.stripe("charge.dispute.closed", n.dispute(status="charge_refunded"))

    assert n.event_of(closed).status == "closed"


def test_stripe_payment_intents_before_2022_name_their_charges():
    older = {"id": "pi_1", "amount": 4590, "currency": "usd", "charges": {"data": [{"id": "ch_9"}]}}

    webhook = n.stripe("payment_intent.canceled", older, api_version="2020-08-27")

    assert n.event_of(webhook).capture_id == "ch_9"


def test_stripe_payout_that_takes_another_back():
    webhook = n.stripe("payout.created", n.payout(id="po_2", amount=-500, original_payout="po_1"))

    event = n.event_of(webhook)

    assert (event.amount_minor, event.is_reversal_of) == (-500, "po_1")


def _thin(kind, url="/v1/charges/ch_1", **head):
    event = {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": kind,
        "created": "2026-11-02T12:00:00.250Z",
        "livemode": True,
        "related_object": {"id": "ch_1", "type": "charge", "url": url},
        **head,
    }
    return n.stored("stripe", event)


def test_stripe_thin_event_is_read_from_the_object_it_names():
    webhook = _thin("v1.charge.captured", context="acct_1")

    assert needs_fetch(webhook) == "/v1/charges/ch_1"
    event = n.event_of(webhook, json.dumps(n.charge()).encode())
    assert (event.event_type, event.amount_minor) == (EventType.CAPTURED, 4590)
    assert (event.event_id, event.account) == ("stripe:acct_1:evt_thin", "acct_1")
    assert payment_key(event) == payment_key(
        n.event_of(n.stripe("charge.captured", n.charge(), account="acct_1"))
    )


def test_stripe_thin_event_without_its_object_or_with_a_bad_address():
    assert n.problem_of(_thin("v1.charge.captured")) == ("not_fetched", "related_object")
    for url in ("https://evil.example/v1/charges", "/v1/../keys", "/v1/charges?key=1", "//x/v1/a"):
        assert needs_fetch(_thin("v1.charge.captured", url)) is None
    assert needs_fetch(_thin("v1.customer.created")) is None
    assert isinstance(n.outcome(_thin("v1.customer.created")), Unmapped)
    assert needs_fetch(n.stripe("charge.captured", n.charge())) is None
