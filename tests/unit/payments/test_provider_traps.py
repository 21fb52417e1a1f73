"""Traps of the providers' notifications: each is a shape seen in the wild."""

import json

import msgspec
import payment_notifications as n
import pytest

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, payment_key
from clearhouse.payments.fold import fold_payment
from clearhouse.payments.normalizing import needs_fetch


def _problem(webhook, fetched=None):
    found = n.outcome(webhook, fetched)
    assert isinstance(found, list), found
    return found[0].code, found[0].field


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

    assert _problem(n.stripe("charge.captured", broken, api_version="2027-03-31.fuchsia")) == (
        "unknown_version",
        "api_version",
    )
    assert _problem(n.stripe("charge.captured", broken)) == ("field_type", "data.object.amount")


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
    assert _problem(_thin("v1.charge.captured")) == ("not_fetched", "related_object")
    for url in ("https://evil.example/v1/charges", "/v1/../keys", "/v1/charges?key=1", "//x/v1/a"):
        assert needs_fetch(_thin("v1.charge.captured", url)) is None
    assert needs_fetch(_thin("v1.customer.created")) is None
    assert isinstance(n.outcome(_thin("v1.customer.created")), Unmapped)
    assert needs_fetch(n.stripe("charge.captured", n.charge())) is None


def test_adyen_texts_are_no_truths():
    for webhook, field in (
        (n.adyen("CAPTURE", "True"), "notificationItems[0].NotificationRequestItem.success"),
        (n.adyen("CAPTURE", ""), "notificationItems[0].NotificationRequestItem.success"),
        (n.adyen("CAPTURE", live="yes"), "live"),
    ):
        assert _problem(webhook) == ("not_true_or_false", field)
    assert _problem(n.adyen("CAPTURE", success=True))[0] == "field_type"
    assert n.event_of(n.adyen("CAPTURE", live="false")).livemode is False


def test_adyen_capture_that_comes_again_is_another_event_and_a_redelivery_is_not():
    first, again = n.adyen("CAPTURE"), n.adyen("CAPTURE", reason="Transaction Recaptured")
    redelivered = n.adyen("CAPTURE", eventDate="2026-11-02T12:00:00+00:00")

    ids = [n.event_of(each).event_id for each in (first, again, redelivered)]

    assert ids[0] == ids[2] != ids[1]
    assert ids[0].startswith("adyen:Shop:QFQTPCQ8HXSKGK82:CAPTURE:true:2026-11-02T12:00:00+00:00:")


def test_adyen_adjustment_is_the_new_amount_of_the_payments_authorization():
    event = n.event_of(n.adyen("AUTHORISATION_ADJUSTMENT"))

    assert (event.event_type, event.amount_minor) == (EventType.AUTHORIZED, 4590)
    assert event.payment_id == "NC6HT9CRT65ZGN82"
    assert n.outcome(n.adyen("AUTHORISATION_ADJUSTMENT", "false")).why == "no_money"


def test_adyen_links_a_dispute_without_original_reference_by_the_merchants():
    event = n.event_of(n.adyen("CHARGEBACK_REVERSED", originalReference=None))

    assert (event.payment_id, payment_key(event)) == (None, None)
    assert (event.dispute_id, event.merchant_reference) == ("QFQTPCQ8HXSKGK82", "order 1")


def test_adyen_zero_and_odd_currencies():
    zero = n.adyen("AUTHORISATION", originalReference="", amount={"value": 0, "currency": "EUR"})
    pesos = n.adyen("CAPTURE", amount={"value": 459000, "currency": "CLP"})

    assert n.event_of(zero).amount_minor == 0
    assert n.event_of(pesos).amount_minor == 4590


def test_adyen_report_says_nothing_by_its_amount():
    report = n.adyen(
        "REPORT_AVAILABLE",
        pspReference="settlement_report 1.csv",
        amount=None,
        reason="https://ca-test.adyen.com/reports/settlement_report.csv",
    )

    assert n.outcome(report).why == "no_money"


def test_square_total_is_amount_and_tip():
    payment = n.square_payment(
        processing_fee=[{"amount_money": n.usd(100)}, {"amount_money": n.usd(5)}]
    )
    event = n.event_of(n.square("payment.updated", "payment", payment))

    assert (event.amount_minor, event.fee_minor, event.card_brand) == (4590, 105, "amex")
    assert event.occurred_at.isoformat() == "2026-11-02T11:59:59.500000+00:00"
    assert (event.account, event.payment_id, event.capture_id) == ("MLX", "sqpay", "sqpay")
    given_back = n.square_payment(
        processing_fee=[{"amount_money": n.usd(100)}, {"amount_money": n.usd(-120)}]
    )
    assert n.event_of(n.square("payment.updated", "payment", given_back)).fee_minor == -20
    wrong = n.square_payment(total_money=n.usd(4600))
    assert _problem(n.square("payment.updated", "payment", wrong))[0] == "amounts_disagree"


def _automatic(code, psp="PSP1", **item):
    sent = n.adyen(code, **{"pspReference": psp, "originalReference": None, **item})
    return n.event_of(msgspec.structs.replace(sent, automatic_capture=True))


def test_adyen_an_authorization_is_the_capture_where_the_account_captures_automatically():
    authorized = _automatic("AUTHORISATION")
    again = _automatic("CAPTURE", "PSP2", originalReference="PSP1")
    failed = _automatic("CAPTURE_FAILED", "PSP3", originalReference="PSP1")

    captured = fold_payment([authorized, again])
    lost = fold_payment([authorized, failed])

    assert (authorized.event_type, authorized.capture_id) == ("captured", "PSP1")
    assert captured.payment["captured_minor"] == 4590
    assert {line["posting"] for line in captured.lines} == {"capture:PSP1"}
    assert lost.payment["captured_minor"] == 0


def test_adyen_a_card_check_and_a_refusal_capture_nothing_automatically():
    check = _automatic("AUTHORISATION", amount={"value": 0, "currency": "EUR"})
    refused = _automatic("AUTHORISATION", success="false")

    assert (check.event_type, check.capture_id) == ("authorized", None)
    assert refused.event_type == "failed"


def test_square_what_the_application_takes_is_a_fee():
    payment = n.square_payment(
        app_fee_money=n.usd(200), processing_fee=[{"amount_money": n.usd(163)}]
    )

    event = n.event_of(n.square("payment.updated", "payment", payment))

    assert (event.amount_minor, event.fee_minor) == (4590, 363)


def test_square_pays_nothing_out_for_its_own_gift_cards():
    card = {"card": {"card_brand": "SQUARE_GIFT_CARD", "last_4": "0005"}}
    refund = {"id": "R", "status": "COMPLETED", "amount_money": n.usd(1), "payment_id": "sqpay"}
    to_card = {"destination_type": "CARD", "destination_details": {"card_details": card}}

    for webhook in (
        n.square("payment.updated", "payment", n.square_payment(card_details=card)),
        n.square("refund.updated", "refund", {**refund, **to_card}),
    ):
        assert n.outcome(webhook).why == "no_money"


def test_paypal_a_sale_is_a_capture_and_its_reversal_names_itself():
    sale = n.event_of(n.paypal("PAYMENT.SALE.COMPLETED", n.paypal_sale()))
    refund = n.event_of(
        n.paypal("PAYMENT.SALE.REFUNDED", n.paypal_sale("REF1", "10.00", sale_id="SALE1"))
    )
    reversal = n.event_of(n.paypal("PAYMENT.SALE.REVERSED", n.paypal_sale("REV1", "-45.90")))

    assert (sale.payment_id, sale.capture_id, sale.fee_minor) == ("SALE1", "SALE1", 163)
    assert sale.merchant_reference == "order 1"
    assert (refund.payment_id, refund.refund_id, refund.amount_minor) == ("SALE1", "REF1", 1000)
    assert (reversal.dispute_id, reversal.amount_minor) == ("reversal:REV1", 4590)
    assert reversal.payment_id == "REV1"


@pytest.mark.parametrize("source", ["CASH", "EXTERNAL"])
def test_square_owes_nothing_of_what_others_took(source):
    payment = n.square_payment(source_type=source)
    refund = {"id": "R", "status": "COMPLETED", "amount_money": n.usd(1), "payment_id": "sqpay"}

    for webhook in (
        n.square("payment.updated", "payment", payment),
        n.square("refund.updated", "refund", {**refund, "destination_type": source}),
    ):
        assert n.outcome(webhook).why == "no_money"
    by_card = n.square("refund.updated", "refund", {**refund, "destination_type": "CARD"})
    assert n.event_of(by_card).refund_id == "R"


def test_square_versions_order_payouts():
    payout = {"id": "p", "status": "FAILED", "version": 3, "amount_money": n.usd(1)}

    assert n.event_of(n.square("payout.failed", "payout", payout)).object_version == 3


def test_paypal_capture_is_known_by_its_authorization():
    related = {"related_ids": {"authorization_id": "AUTH1"}}
    fee = {"paypal_fee": {"value": "1.63", "currency_code": "USD"}}
    capture = n.paypal_payment(supplementary_data=related, seller_receivable_breakdown=fee)

    event = n.event_of(n.paypal("PAYMENT.CAPTURE.COMPLETED", capture))

    assert (event.payment_id, event.linked_id, event.capture_id) == ("CAP1", "AUTH1", "CAP1")
    assert payment_key(event) == "paypal:default:live:AUTH1"
    assert (event.amount_minor, event.fee_minor) == (4590, 163)


@pytest.mark.parametrize(
    ("breakdown", "fee"),
    [
        ({"paypal_fee": n.paypal_money("1.63"),
          "platform_fees": [{"amount": n.paypal_money("4.00")}, {"amount": n.paypal_money("0.5")}]},
         613),
        ({"paypal_fee": n.paypal_money("1.63"),
          "platform_fees": [{"amount": n.paypal_money("4.00", "EUR")}]}, None),
        ({"paypal_fee": n.paypal_money("-1.63"), "platform_fees": []}, -163),
        ({"platform_fees": []}, None),
    ],
)  # fmt: skip
def test_paypal_fee_is_what_the_seller_does_not_get(breakdown, fee):
    capture = n.paypal_payment(seller_receivable_breakdown=breakdown)

    assert n.event_of(n.paypal("PAYMENT.CAPTURE.COMPLETED", capture)).fee_minor == fee


def test_paypal_says_by_the_processors_code_why_a_capture_was_declined():
    declined = n.paypal_payment(
        status="DECLINED", processor_response={"response_code": "9500"},
        status_details={"reason": "OTHER"},
    )  # fmt: skip

    assert n.event_of(n.paypal("PAYMENT.CAPTURE.DECLINED", declined)).failure_code == "9500"
    without = {**declined, "processor_response": {}}
    assert n.event_of(n.paypal("PAYMENT.CAPTURE.DENIED", without)).failure_code == "OTHER"


def test_paypal_refund_names_its_capture_by_a_link_and_a_reversal_is_a_dispute():
    refund = n.event_of(n.paypal("PAYMENT.CAPTURE.REFUNDED", n.paypal_refund()))
    by_refund = n.event_of(n.paypal("PAYMENT.CAPTURE.REVERSED", n.paypal_refund()))
    by_capture = n.event_of(n.paypal("PAYMENT.CAPTURE.REVERSED", n.paypal_payment()))

    assert (refund.payment_id, refund.refund_id) == ("CAP1", "REF1")
    assert (by_refund.payment_id, by_refund.dispute_id) == ("CAP1", "reversal:REF1")
    assert (by_capture.payment_id, by_capture.dispute_id) == ("CAP1", "reversal:CAP1")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("RESOLVED_BUYER_FAVOUR", "lost"), ("RESOLVED_SELLER_FAVOUR", "won"),
     ("RESOLVED_WITH_PAYOUT", "closed"), ("NONE", "closed")],
)  # fmt: skip
def test_paypal_dispute_is_lost_only_where_its_outcome_says_so(outcome, status):
    dispute = n.paypal_dispute(dispute_outcome={"outcome_code": outcome})

    assert n.event_of(n.paypal("CUSTOMER.DISPUTE.RESOLVED", dispute)).status == status


@pytest.mark.parametrize(
    ("outcome", "status"), [("RESOLVED_SELLER_FAVOUR", "won"), ("RESOLVED_BUYER_FAVOUR", "lost")]
)
def test_paypal_dispute_that_ends_with_a_credit_gives_the_money_back(outcome, status):
    credit = {"affected_party": "SELLER", "type": "CREDIT", "amount": n.paypal_money("40.00")}
    dispute = n.paypal_dispute(dispute_outcome={"outcome_code": outcome}, money_movements=[credit])

    event = n.event_of(n.paypal("CUSTOMER.DISPUTE.RESOLVED", dispute))

    assert (event.event_type, event.status, event.amount_minor) == (
        "funds_reinstated", status, 4000,
    )  # fmt: skip


def test_paypal_amounts_are_texts_of_either_version():
    v1 = n.paypal_payment("AUTH1", amount={"total": "45.90", "currency": "USD"})

    assert n.event_of(n.paypal("PAYMENT.AUTHORIZATION.CREATED", v1)).amount_minor == 4590
    number = n.paypal_payment(amount={"value": 45.9, "currency_code": "USD"})
    assert _problem(n.paypal("PAYMENT.CAPTURE.COMPLETED", number)) == (
        "field_type",
        "resource.amount.value",
    )
    yen = n.paypal_payment(amount={"value": "45.90", "currency_code": "JPY"})
    assert _problem(n.paypal("PAYMENT.CAPTURE.COMPLETED", yen))[0] == "amount_not_exact"


def test_paypal_test_mode_is_known_by_the_events_own_link():
    own = [{"href": "https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-1"}]

    event = n.event_of(n.paypal("PAYMENT.CAPTURE.COMPLETED", n.paypal_payment(), links=own))

    assert (event.livemode, event.event_id) == (False, "paypal:test:WH-1")


@pytest.mark.parametrize("nothing", ["", "null", "None", " n/a ", "undefined"])
def test_what_looks_like_nothing_is_nothing(nothing):
    charge = n.charge(customer=nothing, failure_code=nothing, payment_intent=nothing)

    event = n.event_of(n.stripe("charge.captured", charge))

    assert (event.customer_id, event.failure_code, event.payment_id) == (None, None, "ch_1")
    assert _problem(n.stripe("charge.captured", n.charge(id=nothing, payment_intent="pi_1"))) == (
        "field_missing",
        "data.object.id",
    )


@pytest.mark.parametrize(
    ("webhook", "problem"),
    [
        (n.stored("stripe", "{"), ("not_json", "")),
        (n.stored("stripe", "[]"), ("field_type", "")),
        (n.stored("stripe", "[" * 100_000), ("field_type", "")),
        (n.stored("square", "{}"), ("field_missing", "merchant_id")),
        (n.stored("adyen", "{}"), ("field_missing", "type")),
        (n.stored("adyen", {"live": "true", "notificationItems": []}),
         ("field_missing", "notificationItems[0]")),
        (n.stored("paypal", "null"), ("field_type", "")),
        (n.stripe("charge.captured", n.charge(amount=45.9)), ("field_type", "data.object.amount")),
        (n.stripe("charge.captured", n.charge(amount="45")), ("field_type", "data.object.amount")),
        (n.stripe("charge.captured", n.charge(amount=True)), ("field_type", "data.object.amount")),
        (n.stripe("charge.captured", n.charge(currency="xyz")),
         ("currency_unknown", "data.object.amount")),
        (n.stripe("charge.captured", n.charge(id="ch 1")), ("id_malformed", "data.object.id")),
        (n.stripe("charge.captured", n.charge(id="c" * 256)), ("id_malformed", "data.object.id")),
        (n.stripe("charge.captured", n.charge(), created=10**18),
         ("time_out_of_bounds", "created")),
        (n.stripe("charge.captured", n.charge(), created="yesterday"), ("field_type", "created")),
        (n.stripe("charge.captured", n.charge(), livemode="false"), ("field_type", "livemode")),
        (n.stripe("charge.captured", n.charge(), data=None), ("field_missing", "data.object")),
        (n.stripe("refund.updated", n.refund(status="odd")),
         ("status_unknown", "data.object.status")),
        (n.adyen("CAPTURE", eventDate="2026-11-02T13:00:00"),
         ("field_type", "notificationItems[0].NotificationRequestItem.eventDate")),
        (n.adyen("CAPTURE", amount={"value": "1", "currency": "EUR"}),
         ("field_type", "notificationItems[0].NotificationRequestItem.amount.value")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_code_and_path(webhook, problem):
    assert _problem(webhook) == problem


def test_problems_quote_no_data():
    secret = "4242424242424242"
    webhook = n.stripe("charge.captured", n.charge(amount=secret, currency=secret))

    assert secret not in str(n.outcome(webhook))
