"""The business rules of a payment event: pure functions, each from an event to what is wrong.

An event that breaks one is never recorded, and no second try mends it: the worker dead-letters it
with the problems found here. A rule says what must hold whatever the provider; what a provider
writes, and in which units, is the normalizer's business.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.exponents import rule_of
from clearhouse.payments.problem import Problem

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
_LAST4 = re.compile(r"[0-9]{4}", re.ASCII)

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
    "method": 60,
    "card_brand": 60,
    "failure_code": 60,
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


def validate_currency(event: PaymentEvent) -> Iterator[Problem]:
    """An amount has a currency, one that ISO 4217 knows and the provider takes."""
    if event.currency is None:
        if event.amount_minor is not None or event.fee_minor is not None:
            yield Problem("currency_missing", "currency", "An amount is given without a currency.")
    elif rule_of(event.provider, event.currency) is None:
        yield Problem(
            "currency_unknown", "currency", "The provider has no amounts in this currency."
        )


def validate_amount(event: PaymentEvent) -> Iterator[Problem]:
    """The amount is there where the event is about it, of the right sign and within bounds."""
    amount = event.amount_minor
    if amount is None:
        if event.event_type in _WITH_AMOUNT:
            yield Problem(
                "amount_missing", "amount_minor", f"A {event.event_type} event needs an amount."
            )
        return
    if amount < 0 and event.event_type not in _OF_A_PAYOUT:
        yield Problem(
            "amount_negative", "amount_minor", "Only a payout can have a negative amount."
        )
    yield from _too_large(event, amount, "amount_minor")


def validate_fee(event: PaymentEvent) -> Iterator[Problem]:
    """The fee is within bounds. One that is given back is negative; one may exceed the amount."""
    if event.fee_minor is not None:
        yield from _too_large(event, event.fee_minor, "fee_minor")


def _too_large(event: PaymentEvent, minor: int, field: str) -> Iterator[Problem]:
    rule = rule_of(event.provider, event.currency or "")
    if rule is None:
        return
    of_payout = event.event_type in _OF_A_PAYOUT
    if abs(minor) > (rule.max_payout_minor if of_payout else rule.max_minor):
        yield Problem(
            "amount_out_of_bounds", field, f"It is more {event.currency} than any payment moves."
        )


def validate_ids(event: PaymentEvent) -> Iterator[Problem]:
    """An event names the object that it is about, and the payment that the object belongs to."""
    kind = event.event_type
    if kind in _OF_A_PAYOUT:
        if not event.payout_id:
            yield _missing(kind, "payout_id")
        return
    if kind in _OF_A_CAPTURE and not event.capture_id:
        yield _missing(kind, "capture_id")
    if kind in _OF_A_REFUND and not event.refund_id:
        yield _missing(kind, "refund_id")
    if kind in _OF_A_DISPUTE and not event.dispute_id:
        yield _missing(kind, "dispute_id")
    if not (event.payment_id or event.merchant_reference):
        yield Problem(
            "payment_unnamed",
            "payment_id",
            f"A {kind} event needs a payment id or a merchant reference.",
        )


def _missing(kind: EventType, field: str) -> Problem:
    return Problem("id_missing", field, f"A {kind} event needs a {field}.")


def validate_event_id(event: PaymentEvent) -> Iterator[Problem]:
    """The event's id begins with its provider, so that two providers' ids can't be the same.

    Landing reads it from the event's line as it is written there: nothing in it may be escaped.
    """
    if not event.event_id.startswith(f"{event.provider}:"):
        yield Problem("event_id_malformed", "event_id", f"It must begin with {event.provider}:.")
    elif not _EVENT_ID.fullmatch(event.event_id):
        yield Problem(
            "event_id_malformed", "event_id", "It has a blank, a quote or a control character."
        )


def validate_texts(event: PaymentEvent) -> Iterator[Problem]:
    """Every text fits where it is stored, on each of the stores."""
    longest = 0
    for text, (field, limit, is_in_key) in zip(_TEXTS(event), _LIMITS, strict=True):
        if text is None:
            continue
        length = len(text)
        if length > limit:
            yield Problem("text_too_long", field, f"It has more than {limit} characters.")
        elif "\0" in text:
            yield Problem("text_not_storable", field, "It has a character of code 0.")
        elif is_in_key and length > longest:
            longest = length
    if len(event.account) + longest > _MOST_OF_ACCOUNT_AND_ID:
        yield Problem(
            "text_too_long",
            "account",
            f"The account and an id have more than {_MOST_OF_ACCOUNT_AND_ID} characters together.",
        )


def validate_card(event: PaymentEvent) -> Iterator[Problem]:
    """No more of a card's number is kept than its last four digits."""
    if event.card_last4 is not None and not _LAST4.fullmatch(event.card_last4):
        yield Problem("card_last4_malformed", "card_last4", "It is not four digits.")


def validate_dates(event: PaymentEvent) -> Iterator[Problem]:
    """It happened in this century, and not in the future."""
    happened, received = event.occurred_at, event.received_at
    if happened.tzinfo is None or received.tzinfo is None:
        field = "occurred_at" if happened.tzinfo is None else "received_at"
        yield Problem("date_without_offset", field, "It says no offset from UTC.")
    elif happened < _FIRST_DAY:
        yield Problem("date_too_early", "occurred_at", "It is before the year 2000.")
    elif happened > received + _AHEAD:
        yield Problem(
            "date_in_future", "occurred_at", "It is more than a day after the webhook came."
        )


def validate_dispute(event: PaymentEvent) -> Iterator[Problem]:
    """A dispute that is closed says how it ended."""
    if event.event_type is EventType.DISPUTE_CLOSED and event.status not in _OUTCOMES:
        yield Problem(
            "dispute_outcome_unknown", "status", "A closed dispute is won, lost or closed."
        )


def validate_payout(event: PaymentEvent) -> Iterator[Problem]:
    """A payout does not take back itself, and only a payout takes one back."""
    if event.is_reversal_of is None:
        return
    if event.event_type not in _OF_A_PAYOUT:
        yield Problem(
            "reversal_misplaced", "is_reversal_of", "Only a payout can take back a payout."
        )
    elif event.is_reversal_of == event.payout_id:
        yield Problem("reversal_of_itself", "is_reversal_of", "A payout can't take back itself.")


RULES: tuple[Callable[[PaymentEvent], Iterable[Problem]], ...] = (
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
    return [problem for rule in RULES for problem in rule(event)]
