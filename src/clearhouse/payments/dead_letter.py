"""What a stage keeps of a message that it can't handle, or does not know."""

import datetime as dt

import msgspec

from clearhouse.log.log import MOST_BYTES
from clearhouse.payments.event import Provider

_encode = msgspec.json.Encoder().encode


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a stage can't handle, whole, with the reason.

    Attributes:
        letter_id: `<stage>:<source topic>:<source position>`; of the gateway, which has no source,
            `gateway::<body_sha256>:<received_at>`, and `:<item>` of an item of several.
        code: a stable word for programs.
        reason: a sentence for people; it holds no secret and no card number.
        source_topic, source_position: of the message in the log; "" and None at the gateway.
        webhook_position: of the webhook that it stems from; None at the gateway.
        book_date: the day on which the log took that webhook; at the gateway the day it came.
        event_id: where it is known.
        amount_minor, currency: of the event, where it could be read; else 0 of XXX.
        attempt: how often it has been tried.
        message: the message as the stage got it: a StoredWebhook or a PaymentEvent, as JSON.
        body_base64: instead of `message`, bytes that are no UTF-8 text.
    """

    letter_id: str
    stage: str
    code: str
    reason: str
    provider: Provider
    account: str
    source_topic: str = ""
    source_position: int | None = None
    webhook_position: int | None = None
    book_date: dt.date
    event_id: str | None = None
    amount_minor: int = 0
    currency: str = "XXX"
    body_sha256: str = ""
    first_at: dt.datetime
    last_at: dt.datetime
    attempt: int = 1
    message: msgspec.Raw = msgspec.Raw(b"null")
    body_base64: str = ""


def encode_letter(letter: DeadLetter) -> bytes:
    """A letter as the log takes it: without its message where that makes it too large."""
    value = _encode(letter)
    if len(value) <= MOST_BYTES:
        return value
    reason = f"{letter.reason} It is too large to be repeated here: see its source position."
    return _encode(
        msgspec.structs.replace(letter, reason=reason, message=msgspec.Raw(b"null"), body_base64="")
    )


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """A verified notification of a type that no ledger fact follows from. It can be replayed.

    Attributes:
        provider_type: the provider's name of the event.
        why: what makes it so, in a stable word: `unknown_type`, `no_money`, `not_posted` (another
            object of the same fact is the one that is posted).
    """

    provider: Provider
    account: str
    provider_type: str
    why: str
    event_id: str | None
    webhook_position: int
    book_date: dt.date
    body_sha256: str
