"""Adyen's other notifications: one JSON object, signed by a header.

Transfers out of a balance account are payouts; tokens, accounts and reports move no money.
"""

import datetime as dt
from typing import Annotated

import msgspec

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.providers.notice import (
    NOTHING,
    Notice,
    by_status,
    clip,
    decode,
    first_with,
    in_utc,
    needed_id,
    prefixed,
    reference,
    word,
)
from clearhouse.payments.providers.refusal import RefusedError

_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
_TRANSFERS = ("balancePlatform.transfer.created", "balancePlatform.transfer.updated")
_STATUSES = {
    "received": EventType.PAYOUT_SENT,
    "authorised": EventType.PAYOUT_SENT,
    "pending": EventType.PAYOUT_SENT,
    "booked": EventType.PAYOUT_SENT,
    "credited": EventType.PAYOUT_PAID,
    "failed": EventType.PAYOUT_FAILED,
    "refused": EventType.PAYOUT_FAILED,
    "error": EventType.PAYOUT_FAILED,
    "cancelled": EventType.PAYOUT_CANCELED,
    "returned": EventType.PAYOUT_REVERSED,
}
_OUTSIDE = ("bank", "card")
"""Categories of transfers that leave the platform."""
_NOT_MAPPED = {"no_money": ("recurring.token.", "balancePlatform.")}
_MAX_VERSION = 1 << 31


class _Amount(msgspec.Struct):
    value: int
    currency: str


class _Transfer(msgspec.Struct, rename="camel"):
    id: str
    amount: _Amount
    status: str
    category: str = ""
    direction: str = ""
    balance_platform: str | None = None
    reference: str | None = None
    reason: str | None = None
    sequence_number: int | None = None
    creation_date: _Moment | None = None


class _Notification(msgspec.Struct, rename="camel"):
    type: str
    environment: str = "live"
    event_id: str | None = None
    timestamp: _Moment | None = None
    data: msgspec.Raw = NOTHING


_NOTIFICATION = msgspec.json.Decoder(_Notification)
_TRANSFER = msgspec.json.Decoder(_Transfer)


def normalize(notice: Notice) -> PaymentEvent | Unmapped:
    """The event that such a notification says.

    Raises:
        RefusedError: it can't be read.
    """
    found = decode(_NOTIFICATION, notice.body)
    if found.type in _TRANSFERS:
        transfer = decode(_TRANSFER, found.data, "data")
        if transfer.category in _OUTSIDE and transfer.direction == "outgoing":
            return _payout(notice, found, transfer)
    why = first_with(_NOT_MAPPED, found.type)
    return notice.unmapped(found.type, why, None, notice.webhook.account)


def _payout(notice: Notice, found: _Notification, transfer: _Transfer) -> PaymentEvent:
    account = needed_id(transfer.balance_platform or notice.webhook.account, "data.balancePlatform")
    if found.environment not in ("live", "test"):
        raise RefusedError.of("field_type", "environment", "It must be live or test.")
    is_live = found.environment == "live"
    version = transfer.sequence_number
    if version is not None and not 0 <= version < _MAX_VERSION:
        raise RefusedError.of("field_type", "data.sequenceNumber", "It is no count of versions.")
    moment = found.timestamp or transfer.creation_date
    if moment is None:
        raise RefusedError.of("field_missing", "timestamp", "Nothing says when it happened.")
    transfer_id = needed_id(transfer.id, "data.id")
    occurred_at = in_utc(moment, "timestamp")
    event_type = by_status(_STATUSES, transfer.status, "data.status")
    order = version if version is not None else occurred_at.isoformat()
    own = f"{transfer_id}:{found.type}:{transfer.status}:{order}"
    return notice.event(
        prefixed(notice.provider, account, is_live, own),
        account,
        livemode=is_live,
        provider_type=found.type,
        event_type=event_type,
        payment_id=None,
        payout_id=transfer_id,
        merchant_reference=reference(transfer.reference),
        status=clip(transfer.status).lower(),
        object_version=version,
        failure_code=word(transfer.reason) if event_type is EventType.PAYOUT_FAILED else None,
        occurred_at=occurred_at,
        **notice.amount(
            transfer.amount.value, transfer.amount.currency, "data.amount.value", is_payout=True
        ),
    )
