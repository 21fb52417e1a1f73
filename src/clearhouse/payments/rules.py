"""The business rules of a payment event: pure functions, each from an event to what is wrong.

An event that breaks one is never recorded, and no second try mends it: the worker dead-letters it
with the problems found here. A rule says what must hold whatever the provider; what a provider
writes, and in which units, is the normalizer's business.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from operator import attrgetter

from clearhouse.payments.event import EventType, PaymentEvent, Provider
from clearhouse.payments.exponents import rule_of
from clearhouse.payments.problem import Problem

Problems = Sequence[Problem]
"""What a rule finds: nothing, as a rule."""

_OF_A_PAYOUT = frozenset(
    {
        EventType.PAYOUT_SENT,
        EventType.PAYOUT_PAID,
        EventType.PAYOUT_FAILED,
        EventType.PAYOUT_CANCELED,
        EventType.PAYOUT_REVERSED,
    }
)
_OF_A_CAPTURE = frozenset({EventType.CAPTURED, EventType.CAPTURE_FAILED})
_OF_A_REFUND = frozenset({EventType.REFUND_PENDING, EventType.REFUNDED, EventType.REFUND_UNDONE})
_OF_A_DISPUTE = frozenset(
    {
        EventType.DISPUTE_OPENED,
        EventType.DISPUTE_UPDATED,
        EventType.DISPUTE_CLOSED,
        EventType.FUNDS_WITHDRAWN,
        EventType.FUNDS_REINSTATED,
    }
)
_OWN_ID = {
    **dict.fromkeys(_OF_A_PAYOUT, "payout_id"),
    **dict.fromkeys(_OF_A_CAPTURE, "capture_id"),
    **dict.fromkeys(_OF_A_REFUND, "refund_id"),
    **dict.fromkeys(_OF_A_DISPUTE, "dispute_id"),
}
"""By type of event, the id of the object that it is about."""
_WITH_AMOUNT = frozenset(
    {
        EventType.AUTHORIZED,
        EventType.CAPTURED,
        EventType.REFUNDED,
        EventType.FUNDS_WITHDRAWN,
        EventType.FUNDS_REINSTATED,
        EventType.PAYOUT_SENT,
        EventType.PAYOUT_PAID,
    }
)
"""Types whose own amount is posted or shown: without it they say nothing."""

_OUTCOMES = frozenset({"won", "lost", "closed"})

_FIRST_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_AHEAD = dt.timedelta(days=1)
"""A provider's clock may go before ours, but not by more."""

_EVENT_ID = re.compile(r"""[^\s"\\\x00-\x1f\x7f]+""")
_PREFIXES = {provider: f"{provider}:" for provider in Provider}
_LAST4 = re.compile(r"[0-9]{4}", re.ASCII)

_MOST_OF_WORD = 60
_WORDS = attrgetter("method", "card_brand", "failure_code")
MOST_CHARACTERS = {
    "event_id": 300,
    "account": 255,
    "payment_id": 255,
    "linked_id": 255,
    "merchant_reference": 255,
    "capture_id": 255,
    "refund_id": 255,
    "dispute_id": 255,
    "payout_id": 255,
    "is_reversal_of": 255,
    "customer_id": 255,
    "method": _MOST_OF_WORD,
    "card_brand": _MOST_OF_WORD,
    "failure_code": _MOST_OF_WORD,
}
"""What the columns of the operational store hold. One text that does not fit would fail the batch
in which it is recorded, and not itself alone."""
_TEXTS = attrgetter(*MOST_CHARACTERS)
_LIMITS = tuple(
    (field, most, field.endswith("_id") and field != "event_id")
    for field, most in MOST_CHARACTERS.items()
)
"""Of each text: its field, its most characters, and whether it is an id that makes a key."""

_MOST_OF_ACCOUNT_AND_ID = 270
"""With the provider and the mode they make a key, which has 300."""
_FITS_TOGETHER = _MOST_OF_ACCOUNT_AND_ID // 2
"""Ids of so few characters fit, by themselves and with the account."""


def validate_currency(event: PaymentEvent) -> Problems:
    """An amount has a currency, one that ISO 4217 knows and the provider takes."""
    if event.currency is None:
        if event.amount_minor is not None or event.fee_minor is not None:
            missing = "An amount is given without a currency."
            return (Problem("currency_missing", "currency", missing),)
    elif rule_of(event.provider, event.currency) is None:
        unknown = "The provider has no amounts in this currency."
        return (Problem("currency_unknown", "currency", unknown),)
    return ()


def validate_amount(event: PaymentEvent) -> Problems:
    """The amount is there where the event is about it, of the right sign and within bounds."""
    amount, field = event.amount_minor, "amount_minor"
    if amount is None:
        if event.event_type not in _WITH_AMOUNT:
            return ()
        return (Problem("amount_missing", field, f"A {event.event_type} event needs an amount."),)
    too_large = _too_large(event, amount, field)
    if amount < 0 and event.event_type not in _OF_A_PAYOUT:
        negative = Problem("amount_negative", field, "Only a payout can have a negative amount.")
        return (negative, *too_large)
    return too_large


def validate_fee(event: PaymentEvent) -> Problems:
    """The fee is within bounds. One that is given back is negative; one may exceed the amount."""
    return () if event.fee_minor is None else _too_large(event, event.fee_minor, "fee_minor")


def _too_large(event: PaymentEvent, minor: int, field: str) -> Problems:
    rule = rule_of(event.provider, event.currency or "")
    if rule is None:
        return ()
    of_payout = event.event_type in _OF_A_PAYOUT
    if abs(minor) <= (rule.max_payout_minor if of_payout else rule.max_minor):
        return ()
    more = f"It is more {event.currency} than any payment moves."
    return (Problem("amount_out_of_bounds", field, more),)


def validate_ids(event: PaymentEvent) -> Problems:
    """An event names the object that it is about, and the payment that the object belongs to."""
    kind = event.event_type
    own = _OWN_ID.get(kind)
    missing: Problems = ()
    if own is not None and not getattr(event, own):
        missing = (Problem("id_missing", own, f"A {kind} event needs a {own}."),)
    if event.payment_id or event.merchant_reference or kind in _OF_A_PAYOUT:
        return missing
    unnamed = f"A {kind} event needs a payment id or a merchant reference."
    return (*missing, Problem("payment_unnamed", "payment_id", unnamed))


def validate_event_id(event: PaymentEvent) -> Problems:
    """The event's id begins with its provider, so that two providers' ids can't be the same.

    Landing reads it from the event's line as it is written there: nothing in it may be escaped.
    """
    if not event.event_id.startswith(_PREFIXES[event.provider]):
        wrong = f"It must begin with {event.provider}:."
    elif not _EVENT_ID.fullmatch(event.event_id):
        wrong = "It has a blank, a quote or a control character."
    else:
        return ()
    return (Problem("event_id_malformed", "event_id", wrong),)


def validate_texts(event: PaymentEvent) -> Problems:
    """Every text fits where it is stored, on each of the stores."""
    said = [text for text in _TEXTS(event) if text is not None]
    fits = max(map(len, said)) <= _FITS_TOGETHER and "\0" not in "".join(said)
    for code in _WORDS(event):
        fits = fits and (code is None or len(code) <= _MOST_OF_WORD)
    return () if fits else _misfits(event)  # which nearly none is


def _misfits(event: PaymentEvent) -> Problems:
    problems = []
    longest = 0
    for text, (field, limit, is_in_key) in zip(_TEXTS(event), _LIMITS, strict=True):
        if text is None:
            continue
        length = len(text)
        if length > limit:
            limited = f"It has more than {limit} characters."
            problems.append(Problem("text_too_long", field, limited))
        elif "\0" in text:
            problems.append(Problem("text_not_storable", field, "It has a character of code 0."))
        elif is_in_key and length > longest:
            longest = length
    if len(event.account) + longest > _MOST_OF_ACCOUNT_AND_ID:
        together = (
            f"The account and an id have more than {_MOST_OF_ACCOUNT_AND_ID} characters together."
        )
        problems.append(Problem("text_too_long", "account", together))
    return problems


def validate_card(event: PaymentEvent) -> Problems:
    """No more of a card's number is kept than its last four digits."""
    if event.card_last4 is None or _LAST4.fullmatch(event.card_last4):
        return ()
    return (Problem("card_last4_malformed", "card_last4", "It is not four digits."),)


def validate_dates(event: PaymentEvent) -> Problems:
    """It happened in this century, and not in the future."""
    happened, received = event.occurred_at, event.received_at
    if happened.tzinfo is None or received.tzinfo is None:
        field = "occurred_at" if happened.tzinfo is None else "received_at"
        return (Problem("date_without_offset", field, "It says no offset from UTC."),)
    if happened < _FIRST_DAY:
        return (Problem("date_too_early", "occurred_at", "It is before the year 2000."),)
    if happened > received + _AHEAD:
        ahead = "It is more than a day after the webhook came."
        return (Problem("date_in_future", "occurred_at", ahead),)
    return ()


def validate_dispute(event: PaymentEvent) -> Problems:
    """A dispute that is closed says how it ended."""
    if event.event_type is not EventType.DISPUTE_CLOSED or event.status in _OUTCOMES:
        return ()
    unknown = "A closed dispute is won, lost or closed."
    return (Problem("dispute_outcome_unknown", "status", unknown),)


def validate_payout(event: PaymentEvent) -> Problems:
    """A payout does not take back itself, and only a payout takes one back."""
    field = "is_reversal_of"
    if event.is_reversal_of is None:
        return ()
    if event.event_type not in _OF_A_PAYOUT:
        return (Problem("reversal_misplaced", field, "Only a payout can take back a payout."),)
    if event.is_reversal_of == event.payout_id:
        return (Problem("reversal_of_itself", field, "A payout can't take back itself."),)
    return ()


RULES: tuple[Callable[[PaymentEvent], Problems], ...] = (
    validate_event_id,
    validate_currency,
    validate_amount,
    validate_fee,
    validate_ids,
    validate_texts,
    validate_card,
    validate_dates,
    validate_dispute,
    validate_payout,
)


def validate(event: PaymentEvent) -> list[Problem]:
    """All that is wrong with an event, in the order of the rules; none where it can be recorded."""
    problems: list[Problem] = []
    for rule in RULES:
        if found := rule(event):
            problems += found
    return problems
