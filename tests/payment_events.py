"""Payment events for tests: a sound one of each type, with what a test says of it changed."""

import datetime as dt
from typing import Any

from clearhouse.payments.event import EventType, PaymentEvent, Provider

AT = dt.datetime(2026, 3, 14, 9, 26, 53, tzinfo=dt.UTC)


def an_event(event_type: EventType = EventType.CAPTURED, **changes: Any) -> PaymentEvent:
    """A Stripe event that keeps every rule."""
    of_payout = event_type.startswith("payout")
    values: dict[str, Any] = {
        "event_id": "stripe:evt_1",
        "provider": Provider.STRIPE,
        "account": "default",
        "livemode": True,
        "event_type": event_type,
        "provider_type": "charge.succeeded",
        "payment_id": None if of_payout else "pi_1",
        "amount_minor": 12_50,
        "currency": "EUR",
        "occurred_at": AT,
        "received_at": AT + dt.timedelta(seconds=2),
        "book_date": AT.date(),
        "webhook_position": 0,
        "body_sha256": "0" * 64,
    }
    if of_payout:
        values["payout_id"] = "po_1"
    elif event_type.startswith(("dispute", "funds")):
        values |= {"dispute_id": "du_1", "status": "won"}
    elif event_type.startswith("refund"):
        values["refund_id"] = "re_1"
    elif event_type.startswith("capture"):
        values["capture_id"] = "ch_1"
    return PaymentEvent(**{**values, **changes})
