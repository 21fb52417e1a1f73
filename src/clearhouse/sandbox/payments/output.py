"""What lives leave behind: notices to be sent, money to be paid out, objects to be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from clearhouse.payments.event import Provider

if TYPE_CHECKING:
    from clearhouse.sandbox.payments.payment import Payment
    from clearhouse.sandbox.payments.payout import Payout

Object = dict[str, Any]
encode = msgspec.json.Encoder().encode


class Fate(StrEnum):
    """What has to become of a notice."""

    EVENT = "event"
    UNMAPPED = "unmapped"
    DEAD_NORMALIZER = "dead_normalizer"
    DEAD_GATEWAY = "dead_gateway"


@dataclass(slots=True)
class Notice:
    """One notification, as its provider makes it.

    Attributes:
        endpoint: name of the account whose endpoint it is for.
        at: when it happened, in Unix seconds.
        content: the body; for Adyen a NotificationRequestItem that is not signed yet.
        fate: what has to become of it.
        label: of a trap, for people.
        is_thin: Stripe's, which the other secret signs.
        is_live: for Adyen, whose batches are of one mode.
    """

    provider: Provider
    endpoint: str
    at: int
    content: bytes | Object
    fate: Fate = Fate.EVENT
    label: str = ""
    is_thin: bool = False
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Move:
    """Money that moved in the merchant's balance at a provider.

    Attributes:
        kind: charge, charge_more, fee, capture_failure, refund, refund_failure, dispute,
            dispute_reversal, payout_failure, payout_cancel, adjustment; at PayPal also
            third_party_payout, third_party_payout_back, payout_hold, payout_fee, withdrawal.
        source: the object that it is of: a capture, refund, dispute or payout; "" for none. At
            PayPal the transaction.
        amount: in minor units, signed as it changes the balance.
        fee: what the provider keeps of it.
        gross: currency and amount of its object, where they are converted to be settled.
    """

    provider: Provider
    account: str
    currency: str
    at: int
    kind: str
    source: str
    payment_id: str
    reference: str
    amount: int
    fee: int = 0
    gross: tuple[str, int] | None = None

    @property
    def net(self) -> int:
        """What is left for the merchant."""
        return self.amount - self.fee


@dataclass(slots=True)
class StripeEvent:
    """An event as list-events gives it."""

    id: str
    account: str
    livemode: bool
    created: int
    type: str
    body: bytes


@dataclass(slots=True)
class Output:
    """What all lives have left behind.

    Attributes:
        horizon: now, in Unix seconds: what is later has not happened.
        objects: Stripe's, by account, mode and id, as they are now.
        thin: Stripe's thin events by id.
        card_numbers: those that stand in free text, and must nowhere be stored.
    """

    horizon: int
    notices: list[Notice] = field(default_factory=list)
    payments: list["Payment"] = field(default_factory=list)
    payouts: list["Payout"] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    objects: dict[tuple[str, bool, str], Mapping[str, Any]] = field(default_factory=dict)
    stripe_events: list[StripeEvent] = field(default_factory=list)
    thin: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    card_numbers: set[str] = field(default_factory=set)
