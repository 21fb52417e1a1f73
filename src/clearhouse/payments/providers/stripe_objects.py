"""What Stripe's objects say: charge, PaymentIntent, refund, dispute, payout."""

from typing import Any

import msgspec

from clearhouse.payments.event import EventType
from clearhouse.payments.methods import brand_of, method_of
from clearhouse.payments.providers.notice import (
    Notice,
    by_status,
    decode,
    last4,
    needed_id,
    optional_id,
    word,
)
from clearhouse.payments.providers.refusal import RefusedError

OBJECT_AT = "data.object"

Said = dict[str, Any]
"""Fields of a PaymentEvent."""


class _Named(msgspec.Struct):
    """An object that is expanded where often only its id stands."""

    id: str


class _Entry(msgspec.Struct):
    """A balance transaction."""

    amount: int = 0
    fee: int = 0
    currency: str = ""


class _Card(msgspec.Struct):
    brand: str | None = None
    last4: str | None = None


class _Method(msgspec.Struct):
    type: str | None = None
    card: _Card | None = None


class _OfCard(msgspec.Struct):
    type: str | None = None


class _Destination(msgspec.Struct):
    card: _OfCard | None = None


class _Refund(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str | None = None
    created: int = 0
    charge: str | _Named | None = None
    payment_intent: str | _Named | None = None
    failure_reason: str | None = None
    balance_transaction: str | _Named | None = None
    destination_details: _Destination | None = None

    @property
    def is_release(self) -> bool:
        """Whether it lets go what was authorized and never captured.

        It is reversed at the card and moves no balance. Of captured money, a refund moves the
        balance even where it reaches the card as a reversal.
        """
        card = self.destination_details.card if self.destination_details else None
        is_reversal = card is not None and card.type == "reversal"
        return self.status == "succeeded" and is_reversal and self.balance_transaction is None


class _Refunds(msgspec.Struct):
    data: list[_Refund] = []


class _Outcome(msgspec.Struct):
    reason: str | None = None
    advice_code: str | None = None


class _Charge(msgspec.Struct):
    id: str
    amount: int
    currency: str
    captured: bool
    amount_captured: int | None = None
    status: str | None = None
    payment_intent: str | _Named | None = None
    customer: str | _Named | None = None
    balance_transaction: str | _Entry | None = None
    payment_method_details: _Method | None = None
    failure_code: str | None = None
    outcome: _Outcome | None = None
    refunds: _Refunds | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None


class _Charges(msgspec.Struct):
    data: list[_Named] = []


class _Intent(msgspec.Struct):
    id: str
    amount: int
    currency: str
    amount_capturable: int = 0
    status: str | None = None
    customer: str | _Named | None = None
    latest_charge: str | _Named | None = None
    charges: _Charges | None = None
    last_payment_error: _Error | None = None


class _Dispute(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    charge: str | _Named | None = None
    payment_intent: str | _Named | None = None
    balance_transactions: list[_Entry] = []


class _Payout(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    failure_code: str | None = None
    original_payout: str | _Named | None = None


_CHARGE = msgspec.json.Decoder(_Charge)
_INTENT = msgspec.json.Decoder(_Intent)
_REFUND = msgspec.json.Decoder(_Refund)
_DISPUTE = msgspec.json.Decoder(_Dispute)
_PAYOUT = msgspec.json.Decoder(_Payout)

_REFUND_TYPES = {
    "succeeded": EventType.REFUNDED,
    "pending": EventType.REFUND_PENDING,
    "requires_action": EventType.REFUND_PENDING,
    "failed": EventType.REFUND_UNDONE,
    "canceled": EventType.REFUND_UNDONE,
}
_CHARGE_TYPES = {
    "charge.pending": EventType.PENDING,
    "charge.failed": EventType.FAILED,
    "charge.expired": EventType.CANCELED,
}
_INTENT_TYPES = {
    "payment_intent.amount_capturable_updated": EventType.AUTHORIZED,
    "payment_intent.processing": EventType.PENDING,
    "payment_intent.payment_failed": EventType.FAILED,
    "payment_intent.canceled": EventType.CANCELED,
}
_DISPUTE_TYPES = {
    "charge.dispute.created": EventType.DISPUTE_OPENED,
    "charge.dispute.updated": EventType.DISPUTE_UPDATED,
    "charge.dispute.funds_withdrawn": EventType.FUNDS_WITHDRAWN,
    "charge.dispute.funds_reinstated": EventType.FUNDS_REINSTATED,
    "charge.dispute.closed": EventType.DISPUTE_CLOSED,
}
_CLOSED_AS = {
    "won": "won",
    "lost": "lost",
    "warning_closed": "closed",
    "prevented": "closed",
    "charge_refunded": "closed",  # in older versions
}
_NO_REASON = ("card_declined", "generic_decline", "do_not_honor", "no_action_taken")
_NEVER_AGAIN = "do_not_try_again"
_PAYOUT_TYPES = {
    "payout.created": EventType.PAYOUT_SENT,
    "payout.paid": EventType.PAYOUT_PAID,
    "payout.failed": EventType.PAYOUT_FAILED,
    "payout.canceled": EventType.PAYOUT_CANCELED,
}
_PAYOUT_STATUSES = {
    "pending": EventType.PAYOUT_SENT,
    "in_transit": EventType.PAYOUT_SENT,
    "paid": EventType.PAYOUT_PAID,
    "failed": EventType.PAYOUT_FAILED,
    "canceled": EventType.PAYOUT_CANCELED,
}


def charge(notice: Notice, data: bytes | msgspec.Raw, kind: str) -> Said | str:
    """What a charge says under an event of some type, or why it is not posted.

    A charge that failed is updated where only its description is; it has not failed again.
    """
    found = decode(_CHARGE, data, OBJECT_AT)
    event_type = _CHARGE_TYPES.get(kind)
    if kind == "charge.updated" and found.status == "failed":
        return "not_posted"
    if kind == "charge.updated" and found.status == "pending":
        event_type = EventType.PENDING
    if event_type is None:
        event_type = EventType.CAPTURED if found.captured else EventType.AUTHORIZED
    amount = found.amount
    if event_type is EventType.CAPTURED and found.amount_captured is not None:
        amount = found.amount_captured
    currency = found.currency.upper()
    said = notice.amount(amount, currency, f"{OBJECT_AT}.amount")
    details = found.payment_method_details or _Method()
    card = details.card or _Card()
    return {
        "event_type": event_type,
        "payment_id": _payment_id(found.payment_intent, found.id),
        "capture_id": needed_id(found.id, f"{OBJECT_AT}.id"),
        "fee_minor": _fee(notice, found.balance_transaction, currency),
        "status": word(found.status) or "",
        "method": method_of(word(details.type)),
        "card_brand": brand_of(word(card.brand)),
        "card_last4": last4(card.last4),
        "customer_id": _id_of(found.customer, f"{OBJECT_AT}.customer"),
        "failure_code": _decline(found),
        **said,
    }


def _decline(found: _Charge) -> str | None:
    """Why a charge failed: where the bank has declined, its own reason, as a PaymentIntent has."""
    code = word(found.failure_code)
    if code == "card_declined" and found.outcome is not None:
        return _advised(word(found.outcome.reason) or code, found.outcome.advice_code)
    return code


def _advised(code: str | None, advice: str | None) -> str | None:
    """A decline's code; where it gives no reason, the advice never to try again takes its place."""
    return advice if code in _NO_REASON and advice == _NEVER_AGAIN else code


def newest_refund(notice: Notice, data: bytes | msgspec.Raw) -> Said | None:
    """What the newest refund in a charge says, where the charge lists them."""
    found = decode(_CHARGE, data, OBJECT_AT)
    if found.refunds is None or not found.refunds.data:
        return None
    newest = max(found.refunds.data, key=lambda each: each.created)  # the first: newest stand first
    newest.charge = newest.charge or found.id
    newest.payment_intent = newest.payment_intent or found.payment_intent
    return _of_refund(notice, newest, f"{OBJECT_AT}.refunds.data")


def refund(notice: Notice, data: bytes | msgspec.Raw, _kind: str) -> Said:
    """What a refund says: its status alone counts, as several types tell of the same change."""
    return _of_refund(notice, decode(_REFUND, data, OBJECT_AT), OBJECT_AT)


def _of_refund(notice: Notice, found: _Refund, at: str) -> Said:
    charge_id, refund_id = _id_of(found.charge, f"{at}.charge"), needed_id(found.id, f"{at}.id")
    event_type = by_status(_REFUND_TYPES, found.status, f"{at}.status")
    return {
        "event_type": EventType.CANCELED if found.is_release else event_type,
        "payment_id": _payment_id(found.payment_intent, charge_id),
        "capture_id": charge_id,
        "refund_id": None if found.is_release else refund_id,
        "status": word(found.status) or "",
        "failure_code": word(found.failure_reason),
        **notice.amount(found.amount, found.currency.upper(), f"{at}.amount"),
    }


def payment_intent(notice: Notice, data: bytes | msgspec.Raw, kind: str) -> Said:
    """What a PaymentIntent says that no charge does."""
    found = decode(_INTENT, data, OBJECT_AT)
    event_type = _INTENT_TYPES[kind]
    amount = found.amount
    if event_type is EventType.AUTHORIZED and found.amount_capturable:
        amount = found.amount_capturable
    older = found.charges.data[0] if found.charges and found.charges.data else None
    error = found.last_payment_error if event_type is EventType.FAILED else None
    return {
        "event_type": event_type,
        "payment_id": needed_id(found.id, f"{OBJECT_AT}.id"),
        "capture_id": _id_of(found.latest_charge or older, f"{OBJECT_AT}.latest_charge"),
        "status": word(found.status) or "",
        "customer_id": _id_of(found.customer, f"{OBJECT_AT}.customer"),
        "failure_code": _advised(word(error.decline_code or error.code), error.advice_code)
        if error
        else None,
        **notice.amount(amount, found.currency.upper(), f"{OBJECT_AT}.amount"),
    }


def dispute(notice: Notice, data: bytes | msgspec.Raw, kind: str) -> Said:
    """What a dispute says under an event of some type."""
    found = decode(_DISPUTE, data, OBJECT_AT)
    event_type = _DISPUTE_TYPES[kind]
    status: str | None = word(found.status)
    if event_type is EventType.DISPUTE_CLOSED:
        status = _CLOSED_AS.get(found.status)
        if status is None:
            raise RefusedError.of(
                "status_unknown", f"{OBJECT_AT}.status", "A dispute is not closed by this status."
            )
    currency = found.currency.upper()
    charge_id = _id_of(found.charge, f"{OBJECT_AT}.charge")
    entry = _moved_by(found, event_type)
    is_withdrawn = event_type is EventType.FUNDS_WITHDRAWN
    amount = found.amount if entry is None else abs(entry.amount)
    return {
        "event_type": event_type,
        "payment_id": _payment_id(found.payment_intent, charge_id),
        "capture_id": charge_id,
        "dispute_id": needed_id(found.id, f"{OBJECT_AT}.id"),
        "fee_minor": _fee(notice, entry, currency) if is_withdrawn else None,
        "status": status or "",
        **notice.amount(amount, currency, f"{OBJECT_AT}.amount"),
    }


def _moved_by(found: _Dispute, event_type: EventType) -> _Entry | None:
    """The entry by which disputed money was taken or given back, which may be a part of it.

    None of another type of event, and where it is not here or in another currency.
    """
    sign = {EventType.FUNDS_WITHDRAWN: -1, EventType.FUNDS_REINSTATED: 1}.get(event_type, 0)
    entries = (each for each in found.balance_transactions if each.amount * sign > 0)
    entry = next(entries, None)
    if entry is None or entry.currency.upper() != found.currency.upper():
        return None
    return entry


def payout(notice: Notice, data: bytes | msgspec.Raw, kind: str) -> Said:
    """What a payout says under an event of some type."""
    found = decode(_PAYOUT, data, OBJECT_AT)
    event_type = _PAYOUT_TYPES.get(kind) or by_status(
        _PAYOUT_STATUSES, found.status, f"{OBJECT_AT}.status"
    )
    return {
        "event_type": event_type,
        "payment_id": None,
        "payout_id": needed_id(found.id, f"{OBJECT_AT}.id"),
        "status": word(found.status) or "",
        "failure_code": word(found.failure_code),
        "is_reversal_of": _id_of(found.original_payout, f"{OBJECT_AT}.original_payout"),
        **notice.amount(
            found.amount, found.currency.upper(), f"{OBJECT_AT}.amount", is_payout=True
        ),
    }


def _id_of(named: str | _Named | None, at: str) -> str | None:
    return optional_id(named.id if isinstance(named, _Named) else named, at)


def _payment_id(intent: str | _Named | None, charge_id: str | None) -> str | None:
    return _id_of(intent, f"{OBJECT_AT}.payment_intent") or charge_id


def _fee(notice: Notice, entry: str | _Entry | None, currency: str) -> int | None:
    """The fee where the entry is here and in the same currency: two are never one sum."""
    if not isinstance(entry, _Entry) or entry.currency.upper() != currency:
        return None
    return notice.fee(entry.fee, currency, f"{OBJECT_AT}.balance_transaction.fee")
