"""A settlement entry: one piece of a payout, as its provider itemizes it."""

import datetime as dt
import re
from enum import StrEnum

import msgspec

from clearhouse.core.errors import SourceError
from clearhouse.payments.event import Provider
from clearhouse.payments.exponents import rule_of

_POWERS = (1, 10, 100, 1_000, 10_000)
_DECIMAL = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,4})?")


class EntryKind(StrEnum):
    """What an entry is of."""

    CHARGE = "charge"
    CAPTURE_FAILED = "capture_failed"
    REFUND = "refund"
    REFUND_UNDONE = "refund_undone"
    DISPUTE = "dispute"
    DISPUTE_REVERSED = "dispute_reversed"
    FEE = "fee"
    PAYOUT = "payout"
    """The payout itself, which some providers list among its entries: no part of its sum."""
    PAYOUT_RETURNED = "payout_returned"
    """A payout that failed or was taken back: its money is in the balance again."""
    CONVERSION = "conversion"
    """Of what is in a balance into another currency: an entry in each of the two."""
    TRANSFER = "transfer"
    """Between a balance and the merchant's own bank account."""
    OTHER = "other"


class SettlementEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry.

    Attributes:
        entry_id: unique over all providers.
        payout_id: the payout that settles it.
        provider_type: the provider's own name of the kind.
        source_id: the capture, refund, dispute or payout that it is of, where it says one.
        payment_id, merchant_reference: of its payment, where it says them.
        amount_minor: by which the balance changed before fees, by ISO 4217; signed.
        fee_minor: what the provider kept of it.
        net_minor: amount less fee: what it is worth in the payout.
        moved_at: when the balance changed, in UTC.
        raw: the provider's own text of it.
    """

    entry_id: str
    provider: Provider
    account: str
    livemode: bool
    payout_id: str
    kind: EntryKind
    provider_type: str
    source_id: str | None
    payment_id: str | None = None
    merchant_reference: str | None = None
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    moved_at: dt.datetime
    raw: str


encode_entry = msgspec.json.Encoder(order="deterministic").encode
"""An entry as JSON bytes: the same entry gives the same bytes."""


class Payout(msgspec.Struct, frozen=True):
    """A payout whose entries are asked for."""

    account: str
    payout_id: str


def minor_of(provider: Provider, currency: str, amount: int | str) -> int:
    """An amount of an entry in ISO 4217's minor units: of any sign, a payout's or a part of one.

    Args:
        provider: whose number it is.
        currency: ISO 4217.
        amount: in the provider's units, or as a decimal text.

    Raises:
        SourceError: it is none of the currency.
    """
    rule = rule_of(provider, currency)
    if rule is None:
        raise _unusable(provider, "the provider has no such currency")
    if isinstance(amount, str):
        if not _DECIMAL.fullmatch(amount):
            raise _unusable(provider, "it is no decimal number")
        whole, _, fraction = amount.partition(".")
        if len(fraction) > rule.exponent:
            raise _unusable(provider, f"{currency} has {rule.exponent} decimals there")
        amount = int(whole + fraction.ljust(rule.exponent, "0"))
    more = rule.iso_exponent - rule.exponent
    minor, rest = divmod(amount * _POWERS[max(more, 0)], _POWERS[max(-more, 0)])
    if rest:
        raise _unusable(provider, f"{currency} has no such small part")
    return minor


def _unusable(provider: Provider, why: str) -> SourceError:
    return SourceError(
        f"A settlement entry of {provider} has an amount that can't be used: {why}.", "bad_answer"
    )
