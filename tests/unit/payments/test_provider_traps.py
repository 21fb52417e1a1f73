"""Traps of the providers' notifications: each is a shape seen in the wild."""

import msgspec
import payment_notifications as n
import pytest

from clearhouse.payments.event import EventType, payment_key
from clearhouse.payments.fold import fold_payment


def test_adyen_texts_are_no_truths():
    for webhook, field in (
        (n.adyen("CAPTURE", "True"), "notificationItems[0].NotificationRequestItem.success"),
        (n.adyen("CAPTURE", ""), "notificationItems[0].NotificationRequestItem.success"),
        (n.adyen("CAPTURE", live="yes"), "live"),
    ):
        assert n.problem_of(webhook) == ("not_true_or_false", field)
    assert n.problem_of(n.adyen("CAPTURE", success=True))[0] == "field_type"
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
    assert n.problem_of(n.square("payment.updated", "payment", wrong))[0] == "amounts_disagree"


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
    assert n.problem_of(n.paypal("PAYMENT.CAPTURE.COMPLETED", number)) == (
        "field_type",
        "resource.amount.value",
    )
    yen = n.paypal_payment(amount={"value": "45.90", "currency_code": "JPY"})
    assert n.problem_of(n.paypal("PAYMENT.CAPTURE.COMPLETED", yen))[0] == "amount_not_exact"


def test_paypal_test_mode_is_known_by_the_events_own_link():
    own = [{"href": "https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-1"}]

    event = n.event_of(n.paypal("PAYMENT.CAPTURE.COMPLETED", n.paypal_payment(), links=own))

    assert (event.livemode, event.event_id) == (False, "paypal:test:WH-1")


@pytest.mark.parametrize("nothing", ["", "null", "None", " n/a ", "undefined"])
def test_what_looks_like_nothing_is_nothing(nothing):
    charge = n.charge(customer=nothing, failure_code=nothing, payment_intent=nothing)

    event = n.event_of(n.stripe("charge.captured", charge))

    assert (event.customer_id, event.failure_code, event.payment_id) == (None, None, "ch_1")
    assert n.problem_of(
        n.stripe("charge.captured", n.charge(id=nothing, payment_intent="pi_1"))
    ) == (
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
    assert n.problem_of(webhook) == problem


def test_problems_quote_no_data():
    secret = "4242424242424242"
    webhook = n.stripe("charge.captured", n.charge(amount=secret, currency=secret))

    assert secret not in str(n.outcome(webhook))
