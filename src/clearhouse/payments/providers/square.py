"""Square: each event holds the whole object, and the object's status says what happened.

A payment is authorized and captured as one object, so that its id is the capture's too. Payments
and refunds have no version: `updated_at` orders them. Payouts and disputes have one.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.methods import brand_of, method_of
from clearhouse.payments.providers.notice import (
    Notice,
    by_status,
    decode,
    first_with,
    in_utc,
    last4,
    needed_id,
    optional_id,
    prefixed,
    reference,
    word,
)
from clearhouse.payments.providers.refusal import RefusedError

_OBJECT_AT = "data.object"
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
_Said = dict[str, Any]

_PAYMENT_STATUSES = {
    "APPROVED": EventType.AUTHORIZED,
    "PENDING": EventType.PENDING,
    "COMPLETED": EventType.CAPTURED,
    "CANCELED": EventType.CANCELED,
    "FAILED": EventType.FAILED,
}
_REFUND_STATUSES = {
    "PENDING": EventType.REFUND_PENDING,
    "COMPLETED": EventType.REFUNDED,
    "FAILED": EventType.REFUND_UNDONE,
    "REJECTED": EventType.REFUND_UNDONE,
}
_CLOSED_AS = {"WON": "won", "LOST": "lost", "ACCEPTED": "lost", "INQUIRY_CLOSED": "closed"}
_NOT_SQUARES = frozenset({"CASH", "EXTERNAL"})
"""Sources of money that Square keeps a note of and has never had: none of it is in a payout."""
_GIFT_CARD = "SQUARE_GIFT_CARD"
"""Brand of Square's own gift cards: their money came when they were sold, in a payment of its own,
and is paid out by that."""
_PAYOUT_TYPES = {
    "payout.sent": EventType.PAYOUT_SENT,
    "payout.paid": EventType.PAYOUT_PAID,
    "payout.failed": EventType.PAYOUT_FAILED,
}
_NOT_MAPPED = {
    "not_posted": ("invoice.", "order."),
    "no_money": (
        "bank_account.", "booking.", "card.", "catalog.", "customer.", "device.", "dispute.",
        "inventory.", "labor.", "location.", "loyalty.", "merchant.", "oauth.", "subscription.",
        "team_member.", "terminal.", "vendor.",
    ),
}  # fmt: skip


class _Money(msgspec.Struct):
    amount: int
    currency: str


class _Fee(msgspec.Struct):
    amount_money: _Money


class _Card(msgspec.Struct):
    card_brand: str | None = None
    last_4: str | None = None


class _Failure(msgspec.Struct):
    code: str | None = None


class _CardDetails(msgspec.Struct):
    card: _Card | None = None
    errors: list[_Failure] = []


class _Payment(msgspec.Struct):
    id: str
    status: str
    amount_money: _Money
    tip_money: _Money | None = None
    total_money: _Money | None = None
    app_fee_money: _Money | None = None
    processing_fee: list[_Fee] = []
    source_type: str | None = None
    card_details: _CardDetails | None = None
    customer_id: str | None = None
    reference_id: str | None = None
    updated_at: _Moment | None = None


class _Destination(msgspec.Struct):
    card_details: _CardDetails | None = None


class _Refund(msgspec.Struct):
    id: str
    status: str
    amount_money: _Money
    destination_type: str | None = None
    destination_details: _Destination | None = None
    payment_id: str | None = None
    updated_at: _Moment | None = None


class _Disputed(msgspec.Struct):
    payment_id: str | None = None


class _Dispute(msgspec.Struct):
    state: str
    amount_money: _Money
    id: str | None = None
    dispute_id: str | None = None
    disputed_payment: _Disputed | None = None
    version: int | None = None
    updated_at: _Moment | None = None


class _Payout(msgspec.Struct):
    id: str
    amount_money: _Money
    status: str | None = None
    version: int | None = None
    updated_at: _Moment | None = None


class _OfPayment(msgspec.Struct):
    payment: _Payment


class _OfRefund(msgspec.Struct):
    refund: _Refund


class _OfDispute(msgspec.Struct):
    dispute: _Dispute


class _OfPayout(msgspec.Struct):
    payout: _Payout


class _Data(msgspec.Struct):
    object: msgspec.Raw = msgspec.Raw(b"{}")


class _Event(msgspec.Struct):
    merchant_id: str
    type: str
    event_id: str
    created_at: _Moment
    data: _Data = msgspec.field(default_factory=_Data)


_EVENT = msgspec.json.Decoder(_Event)
_PAYMENT = msgspec.json.Decoder(_OfPayment)
_REFUND = msgspec.json.Decoder(_OfRefund)
_DISPUTE = msgspec.json.Decoder(_OfDispute)
_PAYOUT = msgspec.json.Decoder(_OfPayout)


def normalize(notice: Notice) -> PaymentEvent | Unmapped:
    """The event that a notification says.

    Raises:
        RefusedError: it can't be read.
    """
    head = decode(_EVENT, notice.body)
    account = needed_id(head.merchant_id, "merchant_id")
    # Square's sandbox is another application with its own endpoint: no event says which it is.
    event_id = prefixed(notice.provider, "", True, needed_id(head.event_id, "event_id"))
    reader = _READERS.get(head.type)
    if reader is None:
        return notice.unmapped(head.type, first_with(_NOT_MAPPED, head.type), event_id, account)
    said = reader(notice, head)
    if said is None:
        return notice.unmapped(head.type, "no_money", event_id, account)
    moment = said.pop("updated_at") or head.created_at
    return notice.event(
        event_id,
        account,
        livemode=True,
        provider_type=head.type,
        occurred_at=in_utc(moment, "created_at"),
        **said,
    )


def _payment(notice: Notice, head: _Event) -> _Said | None:
    at = f"{_OBJECT_AT}.payment"
    found = decode(_PAYMENT, head.data.object, _OBJECT_AT).payment
    details = found.card_details or _CardDetails()
    card = details.card or _Card()
    if found.source_type in _NOT_SQUARES or card.card_brand == _GIFT_CARD:
        return None
    payment_id = needed_id(found.id, f"{at}.id")
    total = _total(found, at)
    return {
        "event_type": by_status(_PAYMENT_STATUSES, found.status, f"{at}.status"),
        "payment_id": payment_id,
        "capture_id": payment_id,
        "merchant_reference": reference(found.reference_id),
        "fee_minor": _fees(notice, found, total.currency),
        "status": found.status.lower(),
        "method": method_of(word(found.source_type)),
        "card_brand": brand_of(word(card.card_brand)),
        "card_last4": last4(card.last_4),
        "customer_id": optional_id(found.customer_id, f"{at}.customer_id"),
        "failure_code": word(details.errors[0].code) if details.errors else None,
        "updated_at": found.updated_at,
        **notice.amount(total.amount, total.currency, f"{at}.total_money.amount"),
    }


def _total(found: _Payment, at: str) -> _Money:
    """What the buyer pays: the amount and the tip, which the total must be."""
    parts = [found.amount_money] + ([found.tip_money] if found.tip_money else [])
    totals = [found.total_money] if found.total_money else []
    total = _Money(sum(part.amount for part in parts), found.amount_money.currency)
    if any(each.currency != total.currency for each in (*parts, *totals)) or totals not in (
        [],
        [total],
    ):
        raise RefusedError.of(
            "amounts_disagree", f"{at}.total_money", "It is not the amount and the tip."
        )
    return total


def _fees(notice: Notice, found: _Payment, currency: str) -> int | None:
    """All fees so far, with what the seller's application takes; None where there are none yet, or
    some are in another currency.
    """
    fees = [fee.amount_money for fee in found.processing_fee]
    fees += [found.app_fee_money] if found.app_fee_money else []
    if not fees or any(fee.currency != currency for fee in fees):
        return None
    at = f"{_OBJECT_AT}.payment.processing_fee"
    return notice.fee(sum(fee.amount for fee in fees), currency, at)


def _refund(notice: Notice, head: _Event) -> _Said | None:
    at = f"{_OBJECT_AT}.refund"
    found = decode(_REFUND, head.data.object, _OBJECT_AT).refund
    to = found.destination_details.card_details if found.destination_details else None
    is_to_gift_card = to is not None and to.card is not None and to.card.card_brand == _GIFT_CARD
    if found.destination_type in _NOT_SQUARES or is_to_gift_card:
        return None
    payment_id = optional_id(found.payment_id, f"{at}.payment_id")
    return {
        "event_type": by_status(_REFUND_STATUSES, found.status, f"{at}.status"),
        "payment_id": payment_id,
        "capture_id": payment_id,
        "refund_id": needed_id(found.id, f"{at}.id"),
        "status": found.status.lower(),
        "updated_at": found.updated_at,
        **_amount(notice, found.amount_money, at),
    }


def _dispute(notice: Notice, head: _Event) -> _Said:
    at = f"{_OBJECT_AT}.dispute"
    found = decode(_DISPUTE, head.data.object, _OBJECT_AT).dispute
    payment_id = found.disputed_payment.payment_id if found.disputed_payment else None
    payment_id = optional_id(payment_id, f"{at}.disputed_payment.payment_id")
    closed_as = _CLOSED_AS.get(found.state)
    event_type = EventType.DISPUTE_CLOSED if closed_as else EventType.DISPUTE_UPDATED
    if head.type == "dispute.created":
        event_type, closed_as = EventType.DISPUTE_OPENED, None
    return {
        "event_type": event_type,
        "payment_id": payment_id,
        "capture_id": payment_id,
        "dispute_id": needed_id(found.id or found.dispute_id, f"{at}.id"),
        "status": closed_as or word(found.state.lower()) or "",
        "object_version": _version(found.version, at),
        "updated_at": found.updated_at,
        **_amount(notice, found.amount_money, at),
    }


def _payout(notice: Notice, head: _Event) -> _Said:
    at = f"{_OBJECT_AT}.payout"
    found = decode(_PAYOUT, head.data.object, _OBJECT_AT).payout
    return {
        "event_type": _PAYOUT_TYPES[head.type],
        "payment_id": None,
        "payout_id": needed_id(found.id, f"{at}.id"),
        "status": word((found.status or "").lower()) or "",
        "object_version": _version(found.version, at),
        "updated_at": found.updated_at,
        **_amount(notice, found.amount_money, at, is_payout=True),
    }


def _amount(notice: Notice, money: _Money, at: str, *, is_payout: bool = False) -> _Said:
    return notice.amount(
        money.amount, money.currency, f"{at}.amount_money.amount", is_payout=is_payout
    )


def _version(version: int | None, at: str) -> int | None:
    if version is not None and not 0 <= version < 1 << 31:
        raise RefusedError.of("field_type", f"{at}.version", "It is no count of versions.")
    return version


_READERS: Mapping[str, Callable[[Notice, _Event], _Said | None]] = {
    "payment.created": _payment,
    "payment.updated": _payment,
    "refund.created": _refund,
    "refund.updated": _refund,
    "dispute.created": _dispute,
    "dispute.state.updated": _dispute,
    "dispute.state.changed": _dispute,
    **dict.fromkeys(_PAYOUT_TYPES, _payout),
}
