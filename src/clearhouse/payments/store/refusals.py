"""The worker's dead letters: events that break a rule, or that contradict what is recorded."""

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from clearhouse.core.money import NO_CURRENCY
from clearhouse.log.log import Message, Record
from clearhouse.payments.dead_letter import DeadLetter, encode_letter
from clearhouse.payments.event import PaymentEvent, Provider, encode_event
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers.stripe import is_thin
from clearhouse.payments.topics import WORKER_DEAD

STAGE = "worker"
_MOST_MINOR = 2**63 - 1

CONTENT = (
    "provider", "account", "livemode", "event_type", "payment_id", "linked_id", "capture_id",
    "refund_id", "dispute_id", "payout_id", "amount_minor", "currency", "is_reversal_of",
    "occurred_at",
)  # fmt: skip
"""What two deliveries of one event must agree on. The rest may differ: an event that two endpoints
of different versions get names a card or a fee only in one of them."""

CONTENT_OF_THIN = (
    "provider", "account", "livemode", "provider_type", "payment_id", "refund_id", "dispute_id",
    "payout_id", "occurred_at",
)  # fmt: skip
"""The same of a thin event of Stripe: what it says itself, and what its object is. The rest is how
the object was when it was fetched, which is later at a later delivery.
"""


def conflict(event: PaymentEvent, recorded: PaymentEvent) -> Problem | None:
    """What is wrong with an event whose id is recorded already; None for a true duplicate."""
    are_thin = is_thin(event) and is_thin(recorded)
    for name in CONTENT_OF_THIN if are_thin else CONTENT:
        if getattr(event, name) != getattr(recorded, name):
            return Problem(
                "event_conflict",
                name,
                f"An event of this id is recorded with another {name}: the first one holds.",
            )
    return None


@dataclass(frozen=True, slots=True)
class Try:
    """A try to record the event of a webhook.

    Attributes:
        number: from 1; one more with each redrive.
        first_at: when the first one was, in UTC.
        at: when this one is.
    """

    number: int
    first_at: dt.datetime
    at: dt.datetime


def letter_of(
    event: PaymentEvent, record: Record, problems: Sequence[Problem], attempt: Try
) -> DeadLetter:
    """The dead letter of an event that can't be recorded."""
    minor, currency = money_of(event)
    return DeadLetter(
        letter_id=letter_id(record),
        stage=STAGE,
        code=problems[0].code,
        reason=" ".join(f"{p.field}: {p.reason}" if p.field else p.reason for p in problems),
        provider=event.provider,
        account=event.account,
        source_topic=record.topic,
        source_position=record.position,
        webhook_position=event.webhook_position,
        book_date=event.book_date,
        event_id=event.event_id,
        amount_minor=minor,
        currency=currency,
        body_sha256=event.body_sha256,
        first_at=attempt.first_at,
        last_at=attempt.at,
        attempt=attempt.number,
        message=msgspec.Raw(encode_event(event)),
    )


def money_of(event: PaymentEvent) -> tuple[int, str]:
    """What an event is counted as: its amount in minor units and currency, or 0 of XXX."""
    minor, currency = event.amount_minor, event.currency
    if minor is None or currency is None or abs(minor) > _MOST_MINOR:
        return 0, NO_CURRENCY
    if len(currency) != 3 or "\0" in currency:
        return 0, NO_CURRENCY
    return minor, currency


def letter_id(record: Record) -> str:
    """By which the dead letter of a record is known."""
    return f"{STAGE}:{record.topic}:{record.position}"


def as_message(letter: DeadLetter, headers: Sequence[tuple[str, str]]) -> Message:
    """The dead letter as the log gets it."""
    return Message(WORKER_DEAD.name, letter.provider.value, encode_letter(letter), headers)


def letter_of_unreadable(record: Record, now: dt.datetime) -> DeadLetter:
    """The letter of a message that is no payment event. No webhook is known that it stems from."""
    return DeadLetter(
        letter_id=letter_id(record),
        stage=STAGE,
        code="event_malformed",
        reason="The message is no payment event.",
        provider=_provider(record),
        account="",
        source_topic=record.topic,
        source_position=record.position,
        book_date=record.appended_at.date(),
        first_at=record.appended_at,
        last_at=now,
        body_base64=base64.b64encode(record.value).decode(),
    )


def _provider(record: Record) -> Provider:
    """By the message's key; what names none is filed under the first provider."""
    known = {provider.value: provider for provider in Provider}
    return known.get(record.key.partition(":")[0], next(iter(Provider)))
