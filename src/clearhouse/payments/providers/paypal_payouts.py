"""PayPal's payouts, which pay third parties, by their items.

Items are posted and batches are not: the money of a batch is that of its items, and each item is
paid, returned or refused by itself.
"""

from collections.abc import Callable, Mapping

import msgspec

from clearhouse.payments.event import EventType
from clearhouse.payments.providers.notice import Notice, decode, needed_id, word
from clearhouse.payments.providers.paypal_parts import AT, Amount, Said, amount_of

_ITEM_TYPES = {
    "PAYMENT.PAYOUTS-ITEM.HELD": EventType.PAYOUT_SENT,
    "PAYMENT.PAYOUTS-ITEM.UNCLAIMED": EventType.PAYOUT_SENT,
    "PAYMENT.PAYOUTS-ITEM.SUCCEEDED": EventType.PAYOUT_PAID,
    "PAYMENT.PAYOUTS-ITEM.FAILED": EventType.PAYOUT_FAILED,
    "PAYMENT.PAYOUTS-ITEM.BLOCKED": EventType.PAYOUT_FAILED,
    "PAYMENT.PAYOUTS-ITEM.DENIED": EventType.PAYOUT_FAILED,
    "PAYMENT.PAYOUTS-ITEM.CANCELED": EventType.PAYOUT_CANCELED,
    "PAYMENT.PAYOUTS-ITEM.RETURNED": EventType.PAYOUT_REVERSED,
    "PAYMENT.PAYOUTS-ITEM.REFUNDED": EventType.PAYOUT_REVERSED,
}


class _Error(msgspec.Struct):
    name: str | None = None


class _Paid(msgspec.Struct):
    amount: Amount


class _Item(msgspec.Struct):
    payout_item_id: str
    payout_item: _Paid
    transaction_status: str | None = None
    errors: _Error | None = None


_ITEM = msgspec.json.Decoder(_Item)


def _item(notice: Notice, data: msgspec.Raw, kind: str) -> Said:
    found = decode(_ITEM, data, AT)
    return {
        "event_type": _ITEM_TYPES[kind],
        "payment_id": None,
        "payout_id": needed_id(found.payout_item_id, f"{AT}.payout_item_id"),
        "status": (word(found.transaction_status) or "").lower(),
        "failure_code": word(found.errors.name) if found.errors else None,
        **amount_of(notice, found.payout_item.amount, f"{AT}.payout_item.amount", is_payout=True),
    }


READERS: Mapping[str, Callable[[Notice, msgspec.Raw, str], Said]] = dict.fromkeys(
    _ITEM_TYPES, _item
)
