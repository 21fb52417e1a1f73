"""Stripe's own published objects, each wrapped in the events that can carry it."""

import json
from pathlib import Path

import payment_notifications as n
import pytest

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent

_OBJECTS = json.loads(
    (Path(__file__).parents[2] / "data" / "stripe" / "objects.json").read_text(encoding="utf-8")
)
_KINDS = {
    "charge": [
        f"charge.{kind}"
        for kind in ("succeeded", "captured", "updated", "pending", "failed", "expired", "refunded")
    ],
    "payment_intent": [
        f"payment_intent.{kind}"
        for kind in ("created", "amount_capturable_updated", "processing", "payment_failed",
                     "canceled", "succeeded", "requires_action", "partially_funded")
    ],
    "refund": ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"],
    "dispute": [
        f"charge.dispute.{kind}"
        for kind in ("created", "updated", "funds_withdrawn", "funds_reinstated")
    ],
    "payout": [
        f"payout.{kind}"
        for kind in ("created", "updated", "paid", "failed", "canceled",
                     "reconciliation_completed")
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", _OBJECTS)
def test_an_object_in_an_event_is_an_event_or_not_mapped(name):
    for kind in _KINDS.get(name, [f"{name}.created", f"{name}.updated"]):
        found = n.outcome(n.stripe(kind, _OBJECTS[name]))
        assert isinstance(found, PaymentEvent | Unmapped), (kind, found)


@pytest.mark.parametrize(
    ("kind", "minor"),
    [("charge.succeeded", 100), ("payment_intent.canceled", 1099), ("refund.created", 100),
     ("charge.dispute.created", 1000), ("payout.paid", 1100)],
)  # fmt: skip
def test_posted_objects_say_their_amount(kind, minor):
    name = next(name for name, kinds in _KINDS.items() if kind in kinds)

    event = n.event_of(n.stripe(kind, _OBJECTS[name]))

    assert (event.amount_minor, event.currency) == (minor, "USD")


def test_a_dispute_is_closed_only_by_a_final_status():
    closed = {**_OBJECTS["dispute"], "status": "warning_closed"}

    assert n.event_of(n.stripe("charge.dispute.closed", closed)).status == "closed"
    still_open = n.outcome(n.stripe("charge.dispute.closed", _OBJECTS["dispute"]))
    assert still_open[0].code == "status_unknown"
