"""A webhook before and after its signature was verified: two types, and what the log keeps.

Only a verifier (`payments.signatures`) makes a `VerifiedWebhook`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from clearhouse.payments.event import Provider


@dataclass(frozen=True, slots=True)
class RawWebhook:
    """A request as it came. Nothing in it is true yet.

    Attributes:
        account: of which the endpoint tells that it came by (`Account.told_of`).
        headers: by lower-case name; secret ones among them, so that this is never stored.
    """

    provider: Provider
    account: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why what a provider has signed is no notification, and which key signed it.

    Attributes:
        code: a stable word for programs.
        reason: a sentence for people.
    """

    code: str
    reason: str
    key_id: str


@dataclass(frozen=True, slots=True)
class VerifiedWebhook:
    """A request whose provider has signed it.

    Attributes:
        account: of which the endpoint tells whose secret verified it.
        key_id: which of the account's secrets did, by a name that does not give it away.
        items: the bytes of each notification in it: for Adyen a notification of one item each, for
            the others the body. At least one.
        keys: the message key of each: what keeps its order in the log.
        malformed: by their places, the items of several that are no notification; a request of one
            such item is none itself.
    """

    provider: Provider
    account: str
    key_id: str
    items: tuple[bytes, ...] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: dt.datetime
    verified_at: dt.datetime
    keys: tuple[str, ...] = ()
    malformed: Mapping[int, Malformed] = field(default_factory=dict)


class StoredWebhook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One verified notification as the topic `payments.webhooks` and landing hold it, as JSON.

    Attributes:
        item, items: which notification of its request this is, from 0, of how many.
        body: the notification's text (UTF-8), card numbers masked.
        body_sha256: of the whole request's bytes before anything was masked, in hex.
        masked: JSON pointers of the values in which a card number was masked.
        redrive_of: the dead letter that this delivery repeats; "" for a delivery by the provider.
        attempt: 1 for the provider's delivery; one more with each redrive.
        automatic_capture: as it was declared of the account when the webhook came.
    """

    provider: Provider
    account: str
    key_id: str
    received_at: dt.datetime
    verified_at: dt.datetime
    item: int
    items: int
    body: str
    body_sha256: str
    masked: tuple[str, ...] = ()
    redrive_of: str = ""
    attempt: int = 1
    automatic_capture: bool = False


_DECODER = msgspec.json.Decoder(StoredWebhook)
encode_webhook = msgspec.json.Encoder().encode


def decode_webhook(data: bytes) -> StoredWebhook:
    """A stored webhook from its bytes.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _DECODER.decode(data)
