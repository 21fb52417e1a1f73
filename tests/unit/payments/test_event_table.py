"""What each provider calls each ledger fact: every row of the table, for all four."""

import payment_notifications as n
import pytest

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import payment_key

_CREDIT = {"affected_party": "SELLER", "type": "CREDIT", "reason": "DISPUTE_SETTLEMENT",
           "amount": {"value": "45.90", "currency_code": "USD"}}  # fmt: skip
_DEBIT = {**_CREDIT, "type": "DEBIT"}
_OUTGOING = {"id": "TR1", "amount": {"value": 4590, "currency": "EUR"}, "category": "bank",
             "direction": "outgoing", "balancePlatform": "Shop"}  # fmt: skip


def _transfer(status, number=1):
    body = {"type": "balancePlatform.transfer.updated", "environment": "live",
            "timestamp": n.MOMENT, "data": {**_OUTGOING, "status": status,
                                            "sequenceNumber": number}}  # fmt: skip
    return n.stored("adyen", body)


STRIPE = {
    T.AUTHORIZED: [
        n.stripe("payment_intent.amount_capturable_updated", n.intent(amount_capturable=4590)),
        n.stripe("charge.succeeded", n.charge(captured=False, amount_captured=0)),
        n.stripe("charge.updated", n.charge(captured=False, amount_captured=0)),
    ],
    T.CAPTURED: [
        n.stripe("charge.captured", n.charge()),
        n.stripe("charge.succeeded", n.charge()),
        n.stripe("charge.updated", n.charge()),
    ],
    T.PENDING: [
        n.stripe("charge.pending", n.charge(status="pending")),
        n.stripe("charge.updated", n.charge(status="pending")),
        n.stripe("payment_intent.processing", n.intent()),
    ],
    T.FAILED: [
        n.stripe("charge.failed", n.charge(status="failed", captured=False)),
        n.stripe("payment_intent.payment_failed", n.intent()),
    ],
    T.CANCELED: [
        n.stripe("payment_intent.canceled", n.intent()),
        n.stripe("charge.expired", n.charge(captured=False)),
    ],
    T.REFUNDED: [
        n.stripe("refund.created", n.refund()),
        n.stripe("refund.updated", n.refund()),
        n.stripe("charge.refund.updated", n.refund()),
    ],
    T.REFUND_PENDING: [
        n.stripe("refund.created", n.refund(status="pending")),
        n.stripe("refund.updated", n.refund(status="requires_action")),
    ],
    T.REFUND_UNDONE: [
        n.stripe("refund.failed", n.refund(status="failed")),
        n.stripe("refund.updated", n.refund(status="canceled")),
    ],
    T.DISPUTE_OPENED: [
        n.stripe("charge.dispute.created", n.dispute()),
        n.stripe("charge.dispute.created", n.dispute(status="warning_needs_response")),
    ],
    T.DISPUTE_UPDATED: [n.stripe("charge.dispute.updated", n.dispute(status="under_review"))],
    T.FUNDS_WITHDRAWN: [n.stripe("charge.dispute.funds_withdrawn", n.dispute())],
    T.FUNDS_REINSTATED: [n.stripe("charge.dispute.funds_reinstated", n.dispute(status="won"))],
    T.DISPUTE_CLOSED: [
        n.stripe("charge.dispute.closed", n.dispute(status=status))
        for status in ("won", "lost", "warning_closed", "prevented")
    ],
    T.PAYOUT_SENT: [
        n.stripe("payout.created", n.payout(status="pending")),
        n.stripe("payout.updated", n.payout()),
        n.stripe("payout.created", n.payout(id="po_2", amount=-90000, original_payout="po_1")),
    ],
    T.PAYOUT_PAID: [n.stripe("payout.paid", n.payout(status="paid"))],
    T.PAYOUT_FAILED: [n.stripe("payout.failed", n.payout(status="failed"))],
    T.PAYOUT_CANCELED: [n.stripe("payout.canceled", n.payout(status="canceled"))],
}

ADYEN = {
    T.AUTHORIZED: [n.adyen("AUTHORISATION", originalReference="")],
    T.CAPTURED: [n.adyen("CAPTURE"), n.adyen("CAPTURE", reason="Transaction Recaptured")],
    T.FAILED: [
        n.adyen("AUTHORISATION", "false", originalReference=""),
        n.adyen("CAPTURE", "false"),
    ],
    T.CAPTURE_FAILED: [n.adyen("CAPTURE_FAILED")],
    T.CANCELED: [
        n.adyen(code) for code in ("CANCELLATION", "TECHNICAL_CANCEL", "EXPIRE", "CANCEL_OR_REFUND")
    ],
    T.REFUNDED: [
        n.adyen("REFUND"),
        n.adyen("REFUND_WITH_DATA"),
        n.adyen("CANCEL_OR_REFUND", additionalData={"modification.action": "refund"}),
    ],
    T.REFUND_UNDONE: [
        n.adyen("REFUND", "false"),
        n.adyen("REFUND_FAILED"),
        n.adyen("REFUNDED_REVERSED"),
    ],
    T.DISPUTE_OPENED: [n.adyen("NOTIFICATION_OF_CHARGEBACK"), n.adyen("REQUEST_FOR_INFORMATION")],
    T.FUNDS_WITHDRAWN: [n.adyen("CHARGEBACK"), n.adyen("SECOND_CHARGEBACK")],
    T.FUNDS_REINSTATED: [n.adyen("CHARGEBACK_REVERSED")],
    T.DISPUTE_CLOSED: [
        n.adyen(f"{stage}_{end}")
        for stage in ("PREARBITRATION", "SCHEME_ARBITRATION")
        for end in ("WON", "LOST")
    ],
    T.PAYOUT_SENT: [_transfer("booked"), n.adyen("PAYOUT_THIRDPARTY")],
    T.PAYOUT_PAID: [_transfer("credited", 3)],
    T.PAYOUT_FAILED: [
        _transfer("failed", 3),
        n.adyen("PAYOUT_DECLINE"),
        n.adyen("PAYOUT_EXPIRE"),
        n.adyen("PAYOUT_THIRDPARTY", "false"),
    ],
    T.PAYOUT_REVERSED: [_transfer("returned", 4), n.adyen("PAIDOUT_REVERSED")],
}


def _sq_payment(kind, status):
    return n.square(kind, "payment", n.square_payment(status=status))


def _sq_refund(status, kind="refund.updated"):
    refund = {"id": "sqpay_r", "payment_id": "sqpay", "status": status, "amount_money": n.usd(1000)}
    return n.square(kind, "refund", refund)


def _sq_dispute(kind, state, **values):
    dispute = {"id": "dts_1", "state": state, "amount_money": n.usd(4590), "version": 2,
               "disputed_payment": {"payment_id": "sqpay"}, **values}  # fmt: skip
    return n.square(kind, "dispute", dispute)


def _sq_payout(kind, **values):
    payout = {"id": "po_sq", "status": "SENT", "version": 1, "amount_money": n.usd(90000), **values}
    return n.square(kind, "payout", payout)


SQUARE = {
    T.AUTHORIZED: [_sq_payment("payment.created", "APPROVED")],
    T.CAPTURED: [_sq_payment("payment.updated", "COMPLETED")],
    T.PENDING: [_sq_payment("payment.created", "PENDING")],
    T.FAILED: [_sq_payment("payment.updated", "FAILED")],
    T.CANCELED: [_sq_payment("payment.updated", "CANCELED")],
    T.REFUND_PENDING: [_sq_refund("PENDING", "refund.created")],
    T.REFUNDED: [_sq_refund("COMPLETED"), _sq_refund("COMPLETED", "refund.created")],
    T.REFUND_UNDONE: [_sq_refund("FAILED"), _sq_refund("REJECTED")],
    T.DISPUTE_OPENED: [_sq_dispute("dispute.created", "EVIDENCE_REQUIRED")],
    T.DISPUTE_UPDATED: [_sq_dispute("dispute.state.updated", "PROCESSING")],
    T.DISPUTE_CLOSED: [
        *(_sq_dispute("dispute.state.updated", state) for state in ("WON", "LOST", "ACCEPTED")),
        _sq_dispute("dispute.state.changed", "WON", id=None, dispute_id="dts_1"),
    ],
    T.PAYOUT_SENT: [_sq_payout("payout.sent"), _sq_payout("payout.sent", amount_money=n.usd(-5))],
    T.PAYOUT_PAID: [_sq_payout("payout.paid", status="PAID", version=2)],
    T.PAYOUT_FAILED: [_sq_payout("payout.failed", status="FAILED", version=3)],
}

PAYPAL = {
    T.AUTHORIZED: [n.paypal("PAYMENT.AUTHORIZATION.CREATED", n.paypal_payment("AUTH1"))],
    T.CAPTURED: [
        n.paypal("PAYMENT.CAPTURE.COMPLETED", n.paypal_payment()),
        n.paypal("PAYMENT.SALE.COMPLETED", n.paypal_sale()),
    ],
    T.PENDING: [
        n.paypal("PAYMENT.CAPTURE.PENDING", n.paypal_payment(status="PENDING")),
        n.paypal("PAYMENT.SALE.PENDING", n.paypal_sale(state="pending")),
    ],
    T.FAILED: [
        n.paypal("PAYMENT.CAPTURE.DENIED", n.paypal_payment(status="DECLINED")),
        n.paypal("PAYMENT.SALE.DENIED", n.paypal_sale(state="denied")),
        n.paypal("PAYMENT.CAPTURE.DECLINED", n.paypal_payment(status="DECLINED")),
    ],
    T.CANCELED: [n.paypal("PAYMENT.AUTHORIZATION.VOIDED", n.paypal_payment("AUTH1"))],
    T.REFUNDED: [
        n.paypal("PAYMENT.CAPTURE.REFUNDED", n.paypal_refund()),
        n.paypal("PAYMENT.SALE.REFUNDED", n.paypal_sale("REF1", sale_id="SALE1")),
    ],
    T.REFUND_PENDING: [n.paypal("PAYMENT.CAPTURE.REFUNDED", n.paypal_refund(status="PENDING"))],
    T.REFUND_UNDONE: [
        n.paypal("PAYMENT.CAPTURE.REFUNDED", n.paypal_refund(status="FAILED")),
        n.paypal("PAYMENT.CAPTURE.REFUNDED", n.paypal_refund(status="CANCELLED")),
    ],
    T.DISPUTE_OPENED: [n.paypal("CUSTOMER.DISPUTE.CREATED", n.paypal_dispute())],
    T.DISPUTE_UPDATED: [
        n.paypal("CUSTOMER.DISPUTE.UPDATED", n.paypal_dispute()),
        n.paypal("CUSTOMER.DISPUTE.UPDATED", n.paypal_dispute(money_movements=[_DEBIT])),
    ],
    T.FUNDS_WITHDRAWN: [
        n.paypal("PAYMENT.CAPTURE.REVERSED", n.paypal_refund()),
        n.paypal("PAYMENT.SALE.REVERSED", n.paypal_sale("REV1", "-45.90")),
    ],
    T.FUNDS_REINSTATED: [
        n.paypal("CUSTOMER.DISPUTE.UPDATED", n.paypal_dispute(money_movements=[_DEBIT, _CREDIT]))
    ],
    T.DISPUTE_CLOSED: [
        n.paypal(
            "CUSTOMER.DISPUTE.RESOLVED",
            n.paypal_dispute(status="RESOLVED", dispute_outcome={"outcome_code": code}),
        )
        for code in ("RESOLVED_BUYER_FAVOUR", "RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT",
                     "CANCELED_BY_BUYER", "ACCEPTED", "DENIED")
    ],
    T.PAYOUT_SENT: [
        n.paypal("PAYMENT.PAYOUTS-ITEM.HELD", n.paypal_item()),
        n.paypal("PAYMENT.PAYOUTS-ITEM.UNCLAIMED", n.paypal_item()),
    ],
    T.PAYOUT_PAID: [
        n.paypal("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", n.paypal_item()),
    ],
    T.PAYOUT_FAILED: [
        n.paypal("PAYMENT.PAYOUTS-ITEM.FAILED", n.paypal_item()),
        n.paypal("PAYMENT.PAYOUTS-ITEM.BLOCKED", n.paypal_item()),
    ],
    T.PAYOUT_CANCELED: [n.paypal("PAYMENT.PAYOUTS-ITEM.CANCELED", n.paypal_item())],
    T.PAYOUT_REVERSED: [
        n.paypal("PAYMENT.PAYOUTS-ITEM.RETURNED", n.paypal_item()),
        n.paypal("PAYMENT.PAYOUTS-ITEM.REFUNDED", n.paypal_item()),
    ],
}  # fmt: skip

_TABLE = [
    pytest.param(webhook, kind, id=f"{webhook.provider}-{kind}-{number}")
    for rows in (STRIPE, ADYEN, SQUARE, PAYPAL)
    for kind, webhooks in rows.items()
    for number, webhook in enumerate(webhooks)
]


@pytest.mark.parametrize(("webhook", "kind"), _TABLE)
def test_a_fact_is_what_the_table_says(webhook, kind):
    event = n.event_of(webhook)

    assert event.event_type is kind
    assert (event.webhook_position, event.book_date) == (7, n.DAY)
    assert (event.received_at, event.body_sha256) == (n.RECEIVED, webhook.body_sha256)


@pytest.mark.parametrize(("webhook", "kind"), _TABLE)
def test_a_fact_names_its_object(webhook, kind):
    event = n.event_of(webhook)

    if kind.name.startswith("PAYOUT"):
        assert event.payout_id
        assert event.payment_id is None
    else:
        assert event.payment_id
        assert payment_key(event).startswith(f"{event.provider}:{event.account}:live:")
    named = {"REFUND": event.refund_id, "DISPUTE": event.dispute_id, "FUNDS": event.dispute_id,
             "CAPTURE": event.capture_id}  # fmt: skip
    for beginning, object_id in named.items():
        if kind.name.startswith(beginning):
            assert object_id


_NOT_MAPPED = [
    (n.stripe("payment_intent.succeeded", n.intent()), "not_posted"),
    (n.stripe("payment_intent.created", n.intent()), "not_posted"),
    (n.stripe("checkout.session.completed", {}), "not_posted"),
    (n.stripe("invoice_payment.paid", {}), "not_posted"),
    (n.stripe("charge.refunded", n.charge()), "not_posted"),
    (n.stripe("payout.reconciliation_completed", n.payout()), "not_posted"),
    (n.stripe("customer.created", {}), "no_money"),
    (n.stripe("brand.new", {}), "unknown_type"),
    *(
        (n.adyen(code), "no_money")
        for code in ("REPORT_AVAILABLE", "NOTIFICATION_OF_FRAUD", "INFORMATION_SUPPLIED",
                     "ISSUER_COMMENTS", "DISPUTE_DEFENSE_PERIOD_ENDED", "OFFER_CLOSED",
                     "ORDER_OPENED", "ORDER_CLOSED", "RECURRING_CONTRACT", "MANUAL_REVIEW_ACCEPT")
    ),
    *(
        (n.adyen(code, "false"), "no_money")
        for code in ("CANCELLATION", "TECHNICAL_CANCEL", "EXPIRE", "CANCEL_OR_REFUND")
    ),
    (n.adyen("BRAND_NEW"), "unknown_type"),
    (n.stored("adyen", {"type": "recurring.token.created", "data": {}}), "no_money"),
    (n.stored("adyen", {"type": "balancePlatform.accountHolder.created"}), "no_money"),
    (n.square("order.created", "order", {"id": "o"}), "not_posted"),
    (n.square("dispute.evidence.created", "dispute", {"id": "d"}), "no_money"),
    (n.square("brand.new", "new", {"id": "x"}), "unknown_type"),
    (n.paypal("CHECKOUT.ORDER.APPROVED", {}), "not_posted"),
    *(
        (n.paypal(f"PAYMENT.PAYOUTSBATCH.{status}", n.paypal_batch()), "not_posted")
        for status in ("PROCESSING", "SUCCESS", "DENIED")
    ),
    (n.paypal("BILLING.PLAN.CREATED", {}), "no_money"),
    (n.paypal("BRAND.NEW", {}), "unknown_type"),
]  # fmt: skip


@pytest.mark.parametrize(("webhook", "why"), _NOT_MAPPED)
def test_a_type_without_a_fact_is_not_mapped_and_says_why(webhook, why):
    found = n.outcome(webhook)

    assert isinstance(found, Unmapped)
    assert found.why == why
    assert (found.webhook_position, found.book_date) == (7, n.DAY)


def test_a_dispute_is_closed_in_our_words():
    ends = {
        event.provider_type + event.status
        for rows in (STRIPE, ADYEN, SQUARE, PAYPAL)
        for event in map(n.event_of, rows[T.DISPUTE_CLOSED])
    }

    assert {"charge.dispute.closedclosed", "SCHEME_ARBITRATION_LOSTlost"} <= ends
    assert {"dispute.state.updatedlost", "CUSTOMER.DISPUTE.RESOLVEDclosed"} <= ends
    assert all(end.endswith(("won", "lost", "closed")) for end in ends)
