"""PayPal's sales of API v1, which subscriptions are still paid by, and their refunds.

A sale is what a capture is in v2: its id is the transaction's. A reversal is an object of its own,
which often names no sale; its amount is negative.
"""

from collections.abc import Callable, Mapping

import msgspec

from clearhouse.payments.event import EventType
from clearhouse.payments.providers.notice import (
    Notice,
    by_status,
    decode,
    needed_id,
    optional_id,
    reference,
    word,
)
from clearhouse.payments.providers.paypal_parts import AT, Amount, Said, amount_of

_SALE_TYPES = {
    "PAYMENT.SALE.COMPLETED": EventType.CAPTURED,
    "PAYMENT.SALE.PENDING": EventType.PENDING,
    "PAYMENT.SALE.DENIED": EventType.FAILED,
}
_REFUND_STATES = {
    "completed": EventType.REFUNDED,
    "pending": EventType.REFUND_PENDING,
    "failed": EventType.REFUND_UNDONE,
    "cancelled": EventType.REFUND_UNDONE,
}


class _Sale(msgspec.Struct):
    """A sale, or a refund or reversal of one."""

    id: str
    amount: Amount
    state: str | None = None
    sale_id: str | None = None
    invoice_number: str | None = None
    custom: str | None = None
    transaction_fee: Amount | None = None
    reason_code: str | None = None


_SALE = msgspec.json.Decoder(_Sale)


def _sale(notice: Notice, data: msgspec.Raw, kind: str) -> Said:
    found = decode(_SALE, data, AT)
    sale_id = needed_id(found.id, f"{AT}.id")
    common = _common(notice, found)
    return {
        "event_type": _SALE_TYPES[kind],
        "payment_id": sale_id,
        "capture_id": sale_id,
        "fee_minor": _fee(notice, found, common["currency"]),
        **common,
    }


def _refund(notice: Notice, data: msgspec.Raw, _kind: str) -> Said:
    found = decode(_SALE, data, AT)
    sale_id = optional_id(found.sale_id, f"{AT}.sale_id")
    return {
        "event_type": by_status(_REFUND_STATES, found.state, f"{AT}.state"),
        "payment_id": sale_id,
        "capture_id": sale_id,
        "refund_id": needed_id(found.id, f"{AT}.id"),
        **_common(notice, found),
    }


def _reversal(notice: Notice, data: msgspec.Raw, _kind: str) -> Said:
    found = decode(_SALE, data, AT)
    own = needed_id(found.id, f"{AT}.id")
    sale_id = optional_id(found.sale_id, f"{AT}.sale_id") or own
    return {
        "event_type": EventType.FUNDS_WITHDRAWN,
        "payment_id": sale_id,
        "capture_id": sale_id,
        "dispute_id": f"reversal:{own}",
        **_common(notice, found),
    }


def _common(notice: Notice, found: _Sale) -> Said:
    text = found.amount.text(f"{AT}.amount").removeprefix("-")
    amount = msgspec.structs.replace(found.amount, value=text)
    return {
        "merchant_reference": reference(found.invoice_number) or reference(found.custom),
        "status": (word(found.state) or "").lower(),
        "failure_code": word(found.reason_code),
        "method": "wallet",
        **amount_of(notice, amount, f"{AT}.amount"),
    }


def _fee(notice: Notice, found: _Sale, currency: str) -> int | None:
    """What PayPal keeps; None while it is unknown, or in another currency."""
    fee = found.transaction_fee
    if fee is None or fee.code != currency:
        return None
    at = f"{AT}.transaction_fee"
    return notice.fee_of_text(fee.text(at), currency, at)


READERS: Mapping[str, Callable[[Notice, msgspec.Raw, str], Said]] = {
    **dict.fromkeys(_SALE_TYPES, _sale),
    "PAYMENT.SALE.REFUNDED": _refund,
    "PAYMENT.SALE.REVERSED": _reversal,
}
