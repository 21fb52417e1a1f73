"""Notifications of the four providers as the log holds them, each part replaceable."""

import datetime as dt
import hashlib
import json
from typing import Any

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent, Provider
from clearhouse.payments.normalizing import normalize
from clearhouse.payments.problem import Problem
from clearhouse.payments.webhook import StoredWebhook

RECEIVED = dt.datetime(2026, 11, 2, 12, 0, 5, tzinfo=dt.UTC)
DAY = RECEIVED.date()
CREATED = 1_793_620_800  # 2026-11-02 12:00 UTC
MOMENT = "2026-11-02T12:00:00Z"


def stored(provider: str, body: Any, account: str = "default", **values: Any) -> StoredWebhook:
    """A webhook whose body is given as text, or as what JSON is made of."""
    text = body if isinstance(body, str) else json.dumps(body)
    return StoredWebhook(
        provider=Provider(provider),
        account=account,
        key_id="1",
        received_at=RECEIVED,
        verified_at=RECEIVED,
        item=0,
        items=1,
        body=text,
        body_sha256=hashlib.sha256(text.encode()).hexdigest(),
        **values,
    )


def outcome(
    webhook: StoredWebhook, fetched: bytes | None = None
) -> PaymentEvent | Unmapped | list[Problem]:
    """What a webhook at position 7 says."""
    return normalize(webhook, 7, DAY, fetched)


def event_of(webhook: StoredWebhook, fetched: bytes | None = None) -> PaymentEvent:
    """The same where it must be an event."""
    found = outcome(webhook, fetched)
    assert isinstance(found, PaymentEvent), found
    return found


def problem_of(webhook: StoredWebhook, fetched: bytes | None = None) -> tuple[str, str]:
    """Code and field of its first problem, where it must have one."""
    found = outcome(webhook, fetched)
    assert isinstance(found, list), found
    return found[0].code, found[0].field


def stripe(kind: str, obj: Any, **head: Any) -> StoredWebhook:
    """A snapshot event."""
    event = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2025-03-31.basil",
        "created": CREATED,
        "type": kind,
        "livemode": True,
        "data": {"object": obj},
        **head,
    }
    return stored("stripe", event)


def thin(number: int = 1, kind: str = "v1.charge.captured") -> StoredWebhook:
    """A thin event of Stripe, of a charge of its number."""
    event = {
        "id": f"evt_{number}", "object": "v2.core.event", "type": kind, "created": MOMENT,
        "livemode": True, "context": "acct_1",
        "related_object": {"id": "ch_1", "type": "charge", "url": f"/v1/charges/ch_{number}"},
    }  # fmt: skip
    return stored("stripe", event)


def charge(**values: Any) -> dict[str, Any]:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 4590,
        "amount_captured": 4590,
        "currency": "usd",
        "captured": True,
        "status": "succeeded",
        "payment_intent": "pi_1",
        "balance_transaction": None,
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        **values,
    }


def intent(**values: Any) -> dict[str, Any]:
    return {"id": "pi_1", "amount": 4590, "currency": "usd", "latest_charge": "ch_1", **values}


def refund(**values: Any) -> dict[str, Any]:
    return {
        "id": "re_1",
        "amount": 1000,
        "currency": "usd",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "status": "succeeded",
        **values,
    }


def dispute(**values: Any) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "amount": 4590,
        "currency": "usd",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "status": "needs_response",
        "balance_transactions": [],
        **values,
    }


def payout(**values: Any) -> dict[str, Any]:
    return {"id": "po_1", "amount": 90000, "currency": "usd", "status": "in_transit", **values}


def square(kind: str, name: str, obj: Any) -> StoredWebhook:
    event = {
        "merchant_id": "MLX",
        "type": kind,
        "event_id": "b3adf364-4937-436e-a833-49c72b4baee8",
        "created_at": MOMENT,
        "data": {"type": name, "id": obj.get("id"), "object": {name: obj}},
    }
    return stored("square", event)


def usd(amount: int, currency: str = "USD") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def square_payment(**values: Any) -> dict[str, Any]:
    return {
        "id": "sqpay",
        "status": "COMPLETED",
        "amount_money": usd(4000),
        "tip_money": usd(590),
        "total_money": usd(4590),
        "source_type": "CARD",
        "card_details": {"card": {"card_brand": "AMERICAN_EXPRESS", "last_4": "0005"}},
        "updated_at": "2026-11-02T11:59:59.500Z",
        **values,
    }


def adyen(code: str, success: str = "true", *, live: str = "true", **item: Any) -> StoredWebhook:
    whole = {
        "pspReference": "QFQTPCQ8HXSKGK82",
        "originalReference": "NC6HT9CRT65ZGN82",
        "merchantAccountCode": "Shop",
        "merchantReference": "order 1",
        "amount": {"value": 4590, "currency": "EUR"},
        "eventCode": code,
        "eventDate": "2026-11-02T13:00:00+01:00",
        "success": success,
        "paymentMethod": "mc",
        "reason": "",
        "additionalData": {"hmacSignature": "x", "cardSummary": "1111"},
        **item,
    }
    return stored(
        "adyen", {"live": live, "notificationItems": [{"NotificationRequestItem": whole}]}
    )


def paypal(kind: str, resource: Any, **head: Any) -> StoredWebhook:
    event = {
        "id": "WH-1",
        "create_time": MOMENT,
        "event_type": kind,
        "resource_version": "2.0",
        "resource": resource,
        "links": [{"href": "https://api.paypal.com/v1/notifications/webhooks-events/WH-1"}],
        **head,
    }
    return stored("paypal", event)


def paypal_money(value: str, currency: str = "USD") -> dict[str, str]:
    return {"value": value, "currency_code": currency}


def paypal_payment(payment_id: str = "CAP1", **values: Any) -> dict[str, Any]:
    return {
        "id": payment_id,
        "status": "COMPLETED",
        "amount": {"value": "45.90", "currency_code": "USD"},
        "invoice_id": "order 1",
        **values,
    }


def paypal_sale(own_id: str = "SALE1", total: str = "45.90", **values: Any) -> dict[str, Any]:
    """A sale of API v1, or what took one back."""
    return {
        "id": own_id,
        "state": "completed",
        "amount": {"total": total, "currency": "USD", "details": {"subtotal": "40.00"}},
        "transaction_fee": {"value": "1.63", "currency": "USD"},
        "parent_payment": "PAY-1",
        "billing_agreement_id": "I-1",
        "invoice_number": "order 1",
        **values,
    }


def paypal_refund(**values: Any) -> dict[str, Any]:
    up = {"href": "https://api.paypal.com/v2/payments/captures/CAP1", "rel": "up"}
    return paypal_payment("REF1", links=[up], **values)


def paypal_dispute(**values: Any) -> dict[str, Any]:
    return {
        "dispute_id": "PP-D-1",
        "dispute_amount": {"value": "45.90", "currency_code": "USD"},
        "disputed_transactions": [{"seller_transaction_id": "CAP1"}],
        "status": "OPEN",
        **values,
    }


def paypal_item(**values: Any) -> dict[str, Any]:
    return {
        "payout_item_id": "IT1",
        "payout_item": {"amount": {"value": "5.00", "currency": "USD"}},
        **values,
    }


def paypal_batch(**values: Any) -> dict[str, Any]:
    header = {"payout_batch_id": "BA1", "amount": {"value": "15.00", "currency": "USD"}, **values}
    return {"batch_header": header}
