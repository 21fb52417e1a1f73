"""A payment event: what a provider said happened, in the one form that all providers share."""

import datetime as dt
from enum import StrEnum

import msgspec

VERSION = 1
"""Of this form. A field that is added has a default; a change that breaks readers adds one here."""


class Provider(StrEnum):
    """Who sends webhooks."""

    STRIPE = "stripe"
    SQUARE = "square"
    ADYEN = "adyen"
    PAYPAL = "paypal"


class EventType(StrEnum):
    """What happened. Money moves by `captured` and the types marked with * below."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    """* A capture succeeded, or is still as it was with its fee known: the capture names which."""
    CAPTURE_FAILED = "capture_failed"
    """* A capture that had succeeded was rejected afterwards. It may be captured again."""
    FAILED = "failed"
    """An attempt failed. An authorization before it stands."""
    CANCELED = "canceled"
    """The authorization, or what is left of it, was voided or expired. Captured money stays."""
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    """* A refund succeeded."""
    REFUND_UNDONE = "refund_undone"
    """* A refund failed or was reversed; the money of one that had succeeded is back."""
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_UPDATED = "dispute_updated"
    """Its state changed; no money."""
    FUNDS_WITHDRAWN = "funds_withdrawn"
    """* Disputed money was taken."""
    FUNDS_REINSTATED = "funds_reinstated"
    """* Disputed money was given back."""
    DISPUTE_CLOSED = "dispute_closed"
    """`status` says how: won, lost, closed."""
    PAYOUT_SENT = "payout_sent"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    """* Also after it was paid."""
    PAYOUT_CANCELED = "payout_canceled"
    PAYOUT_REVERSED = "payout_reversed"
    """* A paid payout came back."""


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One fact, said once by one event of a provider.

    Attributes:
        event_id: unique over all providers and accounts, the same at each delivery:
            `<provider>:[<account>:][test:]<id>`; the account where ids are unique only in it.
        account: whose money it is: the connected or merchant account that the event names, or the
            name of the account by which the webhook was verified.
        livemode: False for events of a provider's test mode.
        provider_type: the provider's own name of the event.
        payment_id: the provider's id of the payment that the event is about; None for a payout, and
            where the event names the payment only by `merchant_reference`.
        linked_id: another id of the same payment, under which earlier events know it, such as the
            authorization of a PayPal capture. The payment is known by this one then.
        capture_id, refund_id, dispute_id, payout_id: the object whose fact it is.
        amount_minor: of this fact, in units of 10**-exponent by ISO 4217 (not the provider's); may
            be 0, negative only for a payout that takes money. None where the event says none.
        currency: ISO 4217, upper case; None with the amount.
        fee_minor: the provider's fee for the capture, refund or dispute, where the event says it,
            in the same currency. What is still unknown is None, and not 0.
        status: of the object, in the provider's words, lower case; ours of `dispute_closed`, and of
            `funds_reinstated` where the same event ends the dispute: won, lost, closed.
        object_version: the provider's own count of the object's versions, where it has one.
        method: such as card, bank_debit, wallet; lower case.
        card_last4: four digits.
        failure_code: the provider's word for why an attempt, refund or payout failed.
        occurred_at: when, by the provider, in UTC.
        received_at: when the gateway had verified it, in UTC.
        book_date: the day on which the log took the webhook, in UTC.
        webhook_position: of the webhook in its topic; what one delivery is known by.
        body_sha256: of the request's bytes as they came, in hex.
        is_reversal_of: the payout that this one takes back (Stripe's `original_payout`).
    """

    event_id: str
    provider: Provider
    account: str
    livemode: bool
    event_type: EventType
    provider_type: str
    payment_id: str | None
    linked_id: str | None = None
    merchant_reference: str | None = None
    capture_id: str | None = None
    refund_id: str | None = None
    dispute_id: str | None = None
    payout_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    fee_minor: int | None = None
    status: str = ""
    object_version: int | None = None
    method: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None
    customer_id: str | None = None
    failure_code: str | None = None
    is_reversal_of: str | None = None
    api_version: str | None = None
    occurred_at: dt.datetime
    received_at: dt.datetime
    book_date: dt.date
    webhook_position: int
    body_sha256: str
    version: int = VERSION


def payment_key(event: PaymentEvent) -> str | None:
    """What the payment of an event is known by; None where the event names none by an id."""
    payment_id = event.linked_id or event.payment_id
    mode = "live" if event.livemode else "test"
    return payment_id and f"{event.provider}:{event.account}:{mode}:{payment_id}"


_DECODER = msgspec.json.Decoder(PaymentEvent)
encode_event = msgspec.json.Encoder(order="deterministic").encode
"""A payment event as JSON bytes: the same event gives the same bytes."""


def decode_event(data: bytes) -> PaymentEvent:
    """A payment event from its bytes.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _DECODER.decode(data)
