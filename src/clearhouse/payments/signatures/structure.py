"""The structure that a verified notification must have, and the key that orders it in the log.

It must be a JSON object in UTF-8 with the provider's own id and type of its event. All else is for
who reads it to judge.
"""

from typing import Any

import msgspec

from clearhouse.payments.accounts import Account, Scheme
from clearhouse.payments.event import Provider
from clearhouse.payments.signatures.refusals import MalformedWebhook

_PAYMENTS_OF_STRIPE = ("payment_intent", "charge")


class _StripeObject(msgspec.Struct):
    id: Any = None
    object: Any = None
    payment_intent: Any = None
    charge: Any = None


class _StripeData(msgspec.Struct):
    object: _StripeObject | None = None


class _StripeRelated(msgspec.Struct):
    id: Any = None
    type: Any = None


class _Stripe(msgspec.Struct):
    id: Any = None
    type: Any = None
    data: _StripeData | None = None
    related_object: _StripeRelated | None = None

    def event(self) -> tuple[Any, Any]:
        return self.id, self.type

    def payment(self) -> Any:
        related = self.related_object
        if related is not None and related.type in _PAYMENTS_OF_STRIPE:
            return related.id
        found = self.data.object if self.data is not None else None
        if found is None:
            return None
        payment = found.payment_intent or found.charge
        if payment is None and found.object in _PAYMENTS_OF_STRIPE:
            payment = found.id
        return _at(payment, "id") or payment


class _Square(msgspec.Struct):
    event_id: Any = None
    type: Any = None
    data: Any = None

    def event(self) -> tuple[Any, Any]:
        return self.event_id, self.type

    def payment(self) -> Any:
        found = _at(self.data, "object")
        return (
            _at(_at(found, "payment"), "id")
            or _at(_at(found, "refund"), "payment_id")
            or _at(_at(_at(found, "dispute"), "disputed_payment"), "payment_id")
        )


class _AdyenItem(msgspec.Struct):
    item: Any = msgspec.field(default=None, name="NotificationRequestItem")


class _Adyen(msgspec.Struct, rename="camel"):
    notification_items: list[_AdyenItem]
    live: Any = None

    def event(self) -> tuple[Any, Any]:
        item = self.notification_items[0].item
        return _at(item, "pspReference"), _at(item, "eventCode")

    def payment(self) -> Any:
        item = self.notification_items[0].item
        return _at(item, "originalReference") or _at(item, "pspReference")


class _AdyenBody(msgspec.Struct):
    type: Any = None
    data: Any = None
    event_id: Any = msgspec.field(default=None, name="eventId")

    def event(self) -> tuple[Any, Any]:
        # Those of banking have no id of their own; some say that of the object they are about.
        return self.event_id or _at(self.data, "id") or self.type, self.type

    def payment(self) -> Any:
        return None


class _PayPal(msgspec.Struct):
    id: Any = None
    event_type: Any = None
    resource: Any = None

    def event(self) -> tuple[Any, Any]:
        return self.id, self.event_type

    def payment(self) -> Any:
        related = _at(_at(self.resource, "supplementary_data"), "related_ids")
        disputed = _at(self.resource, "disputed_transactions")
        first = disputed[0] if isinstance(disputed, list) and disputed else None
        return (
            _at(related, "authorization_id")
            or _at(related, "capture_id")
            or _at(first, "seller_transaction_id")
            or _at(self.resource, "id")
        )


_Structure = _Stripe | _Square | _Adyen | _AdyenBody | _PayPal

_DECODERS: dict[tuple[Provider, Scheme], msgspec.json.Decoder[Any]] = {
    (Provider.STRIPE, Scheme.STANDARD): msgspec.json.Decoder(_Stripe),
    (Provider.SQUARE, Scheme.STANDARD): msgspec.json.Decoder(_Square),
    (Provider.ADYEN, Scheme.STANDARD): msgspec.json.Decoder(_Adyen),
    (Provider.ADYEN, Scheme.ADYEN_HEADER): msgspec.json.Decoder(_AdyenBody),
    (Provider.PAYPAL, Scheme.STANDARD): msgspec.json.Decoder(_PayPal),
}


def key_of(provider: Provider, account: Account, item: bytes) -> str:
    """The message key of a notification: its payment, where it names one, else its event.

    Raises:
        MalformedWebhook: it has not the structure of one.
    """
    found = _read(provider, account, item)
    if isinstance(found, _Adyen) and found.live not in ("true", "false"):
        raise MalformedWebhook("bad_live", 'What `live` says is neither "true" nor "false".')
    event_id, kind = found.event()
    if not (isinstance(event_id, str) and event_id and isinstance(kind, str) and kind):
        raise MalformedWebhook("no_event", "It names no event: its id or its type is missing.")
    payment = found.payment()
    named = payment if isinstance(payment, str) and payment else event_id
    return f"{provider}:{account.told_of}:{named}"


def _read(provider: Provider, account: Account, item: bytes) -> _Structure:
    try:
        item.decode()
        found: _Structure = _DECODERS[provider, account.scheme].decode(item)
    except UnicodeDecodeError:
        raise MalformedWebhook("not_utf8", "The body is not UTF-8.") from None
    except msgspec.ValidationError:
        raise MalformedWebhook("wrong_shape", "The body has not the shape of an event.") from None
    except msgspec.DecodeError:
        raise MalformedWebhook("not_json", "The body is not JSON.") from None
    except RecursionError:
        raise MalformedWebhook("too_deep", "The body is nested too deeply.") from None
    return found


def _at(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
