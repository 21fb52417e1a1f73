"""Adyen: one notification item. The sign of the money follows the event's code, not `success`.

`success` says whether a request did what was asked; for what schemes and banks tell
(CAPTURE_FAILED, CHARGEBACK and so on) it is always true.

Where an account captures automatically, no CAPTURE comes: the authorization is the capture, by the
payment's own id. Should one come all the same, it is that capture told again.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.methods import method_and_brand
from clearhouse.payments.providers import adyen_transfers
from clearhouse.payments.providers.notice import (
    NOTHING,
    Notice,
    clip,
    decode,
    in_utc,
    last4,
    needed_id,
    optional_id,
    prefixed,
    reference,
    word,
)
from clearhouse.payments.providers.refusal import RefusedError

_ITEMS_AT = "notificationItems[0].NotificationRequestItem"
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]

_BY_SUCCESS: Mapping[str, tuple[EventType, EventType | None]] = {
    "AUTHORISATION": (EventType.AUTHORIZED, EventType.FAILED),
    "AUTHORISATION_ADJUSTMENT": (EventType.AUTHORIZED, None),
    "CAPTURE": (EventType.CAPTURED, EventType.FAILED),
    "CANCELLATION": (EventType.CANCELED, None),
    "TECHNICAL_CANCEL": (EventType.CANCELED, None),
    "EXPIRE": (EventType.CANCELED, None),
    "CANCEL_OR_REFUND": (EventType.CANCELED, None),
    "REFUND": (EventType.REFUNDED, EventType.REFUND_UNDONE),
    "REFUND_WITH_DATA": (EventType.REFUNDED, EventType.REFUND_UNDONE),
    "PAYOUT_THIRDPARTY": (EventType.PAYOUT_SENT, EventType.PAYOUT_FAILED),
}
"""What a request's success and failure stand for. None: it failed, and nothing has changed."""

_ALWAYS: Mapping[str, EventType] = {
    "CAPTURE_FAILED": EventType.CAPTURE_FAILED,
    "REFUND_FAILED": EventType.REFUND_UNDONE,
    "REFUNDED_REVERSED": EventType.REFUND_UNDONE,
    "NOTIFICATION_OF_CHARGEBACK": EventType.DISPUTE_OPENED,
    "REQUEST_FOR_INFORMATION": EventType.DISPUTE_OPENED,
    "CHARGEBACK": EventType.FUNDS_WITHDRAWN,
    "SECOND_CHARGEBACK": EventType.FUNDS_WITHDRAWN,
    "CHARGEBACK_REVERSED": EventType.FUNDS_REINSTATED,
    "PREARBITRATION_WON": EventType.DISPUTE_CLOSED,
    "PREARBITRATION_LOST": EventType.DISPUTE_CLOSED,
    "SCHEME_ARBITRATION_WON": EventType.DISPUTE_CLOSED,
    "SCHEME_ARBITRATION_LOST": EventType.DISPUTE_CLOSED,
    "PAYOUT_DECLINE": EventType.PAYOUT_FAILED,
    "PAYOUT_EXPIRE": EventType.PAYOUT_FAILED,
    "PAIDOUT_REVERSED": EventType.PAYOUT_REVERSED,
}
"""What codes stand for that tell of more than an answer to a request."""

_NO_MONEY = frozenset(
    {
        "REPORT_AVAILABLE", "NOTIFICATION_OF_FRAUD", "INFORMATION_SUPPLIED", "ISSUER_COMMENTS",
        "DISPUTE_DEFENSE_PERIOD_ENDED", "OFFER_CLOSED", "ORDER_OPENED", "ORDER_CLOSED",
        "RECURRING_CONTRACT", "MANUAL_REVIEW_ACCEPT", "MANUAL_REVIEW_REJECT", "PENDING",
    }
)  # fmt: skip

_CAPTURES = frozenset({"CAPTURE", "CAPTURE_FAILED"})
_REFUND_TYPES = frozenset({EventType.REFUNDED, EventType.REFUND_UNDONE})
_DISPUTE_TYPES = frozenset(
    {
        EventType.DISPUTE_OPENED,
        EventType.FUNDS_WITHDRAWN,
        EventType.FUNDS_REINSTATED,
        EventType.DISPUTE_CLOSED,
    }
)
_PAYOUT_TYPES = frozenset(
    {EventType.PAYOUT_SENT, EventType.PAYOUT_FAILED, EventType.PAYOUT_REVERSED}
)


class _Amount(msgspec.Struct):
    value: int
    currency: str


class _More(msgspec.Struct):
    """additionalData: all of its values are texts."""

    card_summary: str | None = msgspec.field(default=None, name="cardSummary")
    action: str | None = msgspec.field(default=None, name="modification.action")
    dispute_status: str | None = msgspec.field(default=None, name="disputeStatus")
    shopper: str | None = msgspec.field(default=None, name="recurring.shopperReference")
    refusal: str | None = msgspec.field(default=None, name="refusalReasonRaw")


class _Item(msgspec.Struct, rename="camel"):
    psp_reference: str
    merchant_account_code: str
    event_code: str
    event_date: _Moment
    success: str
    original_reference: str | None = None
    merchant_reference: str | None = None
    amount: msgspec.Raw = NOTHING
    payment_method: str | None = None
    reason: str | None = None
    additional_data: _More | None = None


class _Holder(msgspec.Struct):
    item: _Item = msgspec.field(name="NotificationRequestItem")


class _Notification(msgspec.Struct):
    live: str | None = None
    items: Annotated[list[_Holder], msgspec.Meta(max_length=1)] | None = msgspec.field(
        default=None, name="notificationItems"
    )


_NOTIFICATION = msgspec.json.Decoder(_Notification)
_AMOUNT = msgspec.json.Decoder(_Amount)
_TRUTHS = {"true": True, "false": False}


def normalize(notice: Notice) -> PaymentEvent | Unmapped:
    """The event that a notification of one item says.

    Raises:
        RefusedError: it can't be read.
    """
    found = decode(_NOTIFICATION, notice.body)
    if found.items is None:
        return adyen_transfers.normalize(notice)
    if not found.items:
        raise RefusedError.of("field_missing", "notificationItems[0]", "There is no item.")
    item = found.items[0].item
    is_live, success = _truth(found.live, "live"), _truth(item.success, f"{_ITEMS_AT}.success")
    account = needed_id(item.merchant_account_code, f"{_ITEMS_AT}.merchantAccountCode")
    event_type = _type_of(item, success)
    if not isinstance(event_type, EventType):
        return notice.unmapped(item.event_code, event_type, None, account)
    amount = decode(_AMOUNT, item.amount, f"{_ITEMS_AT}.amount")
    at_once = notice.webhook.automatic_capture
    if at_once and item.event_code == "AUTHORISATION" and success and amount.value:
        event_type = EventType.CAPTURED
    occurred_at = in_utc(item.event_date, f"{_ITEMS_AT}.eventDate")
    is_payout = event_type in _PAYOUT_TYPES
    return notice.event(
        prefixed(notice.provider, account, is_live, _own_id(item, amount, occurred_at)),
        account,
        livemode=is_live,
        provider_type=item.event_code,
        event_type=event_type,
        occurred_at=occurred_at,
        **_ids(item, event_type, at_once),
        **_about(item, event_type, success),
        **notice.amount(
            amount.value, amount.currency, f"{_ITEMS_AT}.amount.value", is_payout=is_payout
        ),
    )


def _truth(text: str | None, at: str) -> bool:
    """The texts true and false; a third value is refused."""
    found = _TRUTHS.get(text or "")
    if found is None:
        raise RefusedError.of("not_true_or_false", at, "It must be the text true or false.")
    return found


def _type_of(item: _Item, success: bool) -> EventType | str:
    """What happened, or why the item is not mapped."""
    always = _ALWAYS.get(item.event_code)
    if always is not None:
        return always
    by_success = _BY_SUCCESS.get(item.event_code)
    if by_success is None:
        return "no_money" if item.event_code in _NO_MONEY else "unknown_type"
    if success and item.event_code == "CANCEL_OR_REFUND" and _action(item) == "refund":
        return EventType.REFUNDED
    return by_success[0 if success else 1] or "no_money"


def _action(item: _Item) -> str:
    """What a request that leaves the choice to Adyen has become."""
    return ((item.additional_data.action if item.additional_data else "") or "").lower()


def _own_id(item: _Item, amount: _Amount, occurred_at: dt.datetime) -> str:
    """The id of an item, which has none of its own.

    A redelivery has all of these parts again; a capture that comes again after it had failed has
    another reason.
    """
    told = f"{item.reason or ''}|{amount.value}|{amount.currency}".encode()
    psp = needed_id(item.psp_reference, f"{_ITEMS_AT}.pspReference")
    moment, digest = occurred_at.isoformat(), hashlib.sha256(told).hexdigest()[:8]
    return f"{psp}:{item.event_code}:{item.success}:{moment}:{digest}"


def _ids(item: _Item, event_type: EventType, at_once: bool) -> dict[str, Any]:
    psp = item.psp_reference
    original = optional_id(item.original_reference, f"{_ITEMS_AT}.originalReference")
    if event_type in _PAYOUT_TYPES:
        return {"payment_id": None, "payout_id": original or psp}
    capture_id = psp if item.event_code in _CAPTURES else None
    if at_once and (event_type is EventType.CAPTURED or item.event_code in _CAPTURES):
        capture_id = original or psp
    return {
        "payment_id": original or (psp if item.event_code == "AUTHORISATION" else None),
        "merchant_reference": reference(item.merchant_reference),
        "capture_id": capture_id,
        "refund_id": psp if event_type in _REFUND_TYPES else None,
        "dispute_id": psp if event_type in _DISPUTE_TYPES else None,
    }


def _about(item: _Item, event_type: EventType, success: bool) -> dict[str, Any]:
    more = item.additional_data or _More()
    method, brand = method_and_brand(word(item.payment_method))
    status = word(more.dispute_status) or ("succeeded" if success else "failed")
    if event_type is EventType.DISPUTE_CLOSED:
        status = "won" if item.event_code.endswith("_WON") else "lost"
    is_failure = not success or event_type in (EventType.CAPTURE_FAILED, EventType.REFUND_UNDONE)
    failure = word(item.reason) or word(more.refusal) if is_failure else None
    return {
        "status": clip(status).lower(),
        "method": method,
        "card_brand": brand,
        "card_last4": last4(more.card_summary),
        "customer_id": reference(more.shopper),
        "failure_code": failure,
    }
