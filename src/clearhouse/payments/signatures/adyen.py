"""Adyen: in the standard scheme each item of the body is signed, in the other the whole body.

Keys are hexadecimal. The items of a standard notification are taken apart here, so that each is
the account's unit; a single item that is not signed refuses the request.
"""

import base64
import re

import msgspec

from clearhouse.payments.signatures.checking import (
    Checked,
    Delivery,
    header,
    key_that_signed,
    live_secrets,
)
from clearhouse.payments.signatures.refusals import SignatureRefused

HEADER = "hmacsignature"

_NOT_A_NOTIFICATION = "The body is no notification with signed items."
_INTEGER = re.compile(rb"-?[0-9]{1,20}")


class _Amount(msgspec.Struct):
    value: msgspec.Raw = msgspec.Raw()
    currency: str | None = None


class _AdditionalData(msgspec.Struct):
    signature: str = msgspec.field(default="", name="hmacSignature")


class _Signed(msgspec.Struct, rename="camel"):
    """What of an item is signed, and its signature."""

    psp_reference: str | None = None
    original_reference: str | None = None
    merchant_account_code: str | None = None
    merchant_reference: str | None = None
    amount: _Amount | None = None
    event_code: str | None = None
    success: str | None = None
    additional_data: _AdditionalData | None = None


class _Item(msgspec.Struct):
    item: msgspec.Raw = msgspec.field(name="NotificationRequestItem")


class _Notification(msgspec.Struct, rename="camel"):
    notification_items: list[_Item]
    live: msgspec.Raw = msgspec.Raw()


_notification = msgspec.json.Decoder(_Notification)
_signed = msgspec.json.Decoder(_Signed)


def check_items(delivery: Delivery) -> Checked:
    """Check a standard notification; see `signatures.verify`."""
    secrets = live_secrets(delivery.account)
    try:
        notification = _notification.decode(delivery.raw.body)
        items = [(bytes(each.item), _signed.decode(each.item)) for each in _items(notification)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SignatureRefused("not_signed", _NOT_A_NOTIFICATION) from None
    key_ids = [_key_of_item(secrets, item) for _, item in items]
    live = bytes(notification.live) or b"null"
    return Checked(key_ids[0], tuple(_of_one(live, item) for item, _ in items))


def check_body(delivery: Delivery) -> Checked:
    """Check a webhook that a header signs; see `signatures.verify`."""
    secrets = live_secrets(delivery.account)
    given = header(delivery.raw, HEADER)
    signed = delivery.raw.body
    key_id = key_that_signed(secrets, _as_hex, signed, [given], base64.b64encode)
    return Checked(key_id, (delivery.raw.body,))


def _items(notification: _Notification) -> list[_Item]:
    if not notification.notification_items:
        raise SignatureRefused("not_signed", _NOT_A_NOTIFICATION)
    return notification.notification_items


def _key_of_item(secrets: list[str], item: _Signed) -> str:
    given = item.additional_data.signature if item.additional_data else ""
    if not given or not given.isascii():
        raise SignatureRefused("no_signature", "An item has no signature.")
    signed = _signed_text(item).encode()
    return key_that_signed(secrets, _as_hex, signed, [given], base64.b64encode)


def _signed_text(item: _Signed) -> str:
    """What is signed. Nothing in it is escaped, and what is missing is empty: zero is not."""
    amount = item.amount or _Amount()
    parts = (
        item.psp_reference,
        item.original_reference,
        item.merchant_account_code,
        item.merchant_reference,
        _value(amount.value),
        amount.currency,
        item.event_code,
        item.success,
    )
    return ":".join(part or "" for part in parts)


def _value(written: msgspec.Raw) -> str:
    text = bytes(written)
    if text in (b"", b"null"):
        return ""
    if not _INTEGER.fullmatch(text):
        raise SignatureRefused("not_signed", "The value of an item's amount is no integer.")
    return text.decode()


def _of_one(live: bytes, item: bytes) -> bytes:
    """A notification of one item, of the item's own bytes."""
    return b'{"live":%b,"notificationItems":[{"NotificationRequestItem":%b}]}' % (live, item)


def _as_hex(secret: str) -> bytes:
    try:
        return bytes.fromhex(secret)
    except ValueError:
        raise SignatureRefused(
            "bad_secret", "The account's secret is not hexadecimal: nothing is accepted."
        ) from None
