"""Payment events as tests need them, by hand and by hypothesis."""

import datetime as dt
from itertools import count
from typing import Any

from hypothesis import strategies as st

from clearhouse.payments.event import EventType, PaymentEvent, Provider
from clearhouse.payments.settlements.entry import EntryKind, SettlementEntry

NOON = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
_STATUSES = {
    EventType.DISPUTE_CLOSED: ["won", "lost"],
    EventType.FUNDS_REINSTATED: ["won", "lost", "under_review"],
}
_numbers = count()


def an_event(kind: EventType, at: int = 0, **changes: Any) -> PaymentEvent:
    """An event of 10.00 USD of the payment `pay` at Stripe, `at` seconds after noon."""
    number = changes.pop("number", None)
    number = next(_numbers) if number is None else number
    fields: dict[str, Any] = {
        "event_id": f"stripe:evt_{number}",
        "provider": Provider.STRIPE,
        "account": "acct",
        "livemode": True,
        "event_type": kind,
        "provider_type": f"some.{kind}",
        "payment_id": None if kind.startswith("payout_") else "pay",
        "amount_minor": 1000,
        "currency": "USD",
        "occurred_at": NOON + dt.timedelta(seconds=at),
        "received_at": NOON + dt.timedelta(seconds=at + 1),
        "book_date": NOON.date(),
        "webhook_position": number,
        "body_sha256": f"{number:064x}",
        **_objects_of(kind),
    }
    return PaymentEvent(**{**fields, **changes})


def an_entry(
    kind: str, source_id: str | None, amount: int, fee: int = 0, **changes: Any
) -> SettlementEntry:
    """An entry in USD of the payout `po` at Stripe."""
    fields: dict[str, Any] = {
        "entry_id": f"e{next(_numbers)}",
        "provider": Provider.STRIPE,
        "account": "acct",
        "livemode": True,
        "payout_id": "po",
        "kind": EntryKind(kind),
        "provider_type": kind,
        "source_id": source_id,
        "amount_minor": amount,
        "fee_minor": fee,
        "net_minor": amount - fee,
        "currency": "USD",
        "moved_at": NOON,
        "raw": "{}",
    }
    return SettlementEntry(**{**fields, **changes})


def _objects_of(kind: EventType) -> dict[str, str]:
    if kind in (EventType.CAPTURED, EventType.CAPTURE_FAILED):
        return {"capture_id": "cap"}
    for prefix, name, own in (
        ("refund", "refund_id", "ref"),
        ("dispute", "dispute_id", "dis"),
        ("funds", "dispute_id", "dis"),
        ("payout", "payout_id", "po"),
    ):
        if kind.startswith(prefix):
            return {name: own}
    return {}


@st.composite
def _one_event(draw: st.DrawFn, number: int, provider: Provider, payout: bool) -> PaymentEvent:
    kinds = [kind for kind in EventType if kind.startswith("payout_") == payout]
    kind = draw(st.sampled_from(kinds))
    own = {name: f"{value}{draw(st.integers(1, 2))}" for name, value in _objects_of(kind).items()}
    if payout:
        own = {"payout_id": draw(st.sampled_from(["po1", "po2"]))}
        if own["payout_id"] == "po2" and draw(st.booleans()):
            own["is_reversal_of"] = "po1"
    else:
        own["payment_id"] = draw(st.sampled_from(["pay", "pay", "pay", "later"]))
        own["linked_id"] = "pay" if own["payment_id"] == "later" else None
    return an_event(
        kind,
        at=draw(st.integers(0, 2)),
        number=number,
        provider=provider,
        provider_type=draw(st.sampled_from(["some", "PAYOUT_THIRDPARTY" if payout else "another"])),
        amount_minor=draw(st.sampled_from([0, 1, 250, 1000, 4000])),
        currency=draw(st.sampled_from(["USD", "USD", "USD", "JPY"])),
        fee_minor=draw(st.sampled_from([None, None, 30, 59])),
        status=draw(st.sampled_from(_STATUSES.get(kind, [""]))),
        object_version=draw(st.sampled_from([None, 1, 2])),
        failure_code=draw(st.sampled_from([None, "declined", "expired"])),
        method=draw(st.sampled_from([None, "card", "wallet"])),
        **own,
    )


@st.composite
def lives(draw: st.DrawFn, payout: bool = False) -> list[PaymentEvent]:
    """Events of one payment, or of two payouts, many of them in the same second."""
    provider = draw(st.sampled_from(Provider))
    size = draw(st.integers(1, 14))
    return [draw(_one_event(number, provider, payout)) for number in range(size)]


@st.composite
def settlements(draw: st.DrawFn, provider: Provider) -> list[SettlementEntry]:
    """Entries of the payout `po1`, of objects that `lives` has and of others."""
    ids = ["cap1", "cap1", "ref1", "ref1", "dis1", "dis1", "po2", None]
    return [
        an_entry(
            draw(st.sampled_from(EntryKind)),
            draw(st.sampled_from(ids)),
            draw(st.sampled_from([-1000, -250, 0, 1000])),
            draw(st.sampled_from([-30, 0, 0, 59])),
            provider=provider,
            payout_id="po1",
            currency=draw(st.sampled_from(["USD", "JPY", "EUR"])),
        )
        for _ in range(draw(st.integers(8, 30)))
    ]
