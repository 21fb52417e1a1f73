"""What becomes of one record of `payments.webhooks`: exactly one message, whatever it holds."""

import datetime as dt
from typing import NamedTuple

import msgspec

from clearhouse.core.not_json import NOT_JSON
from clearhouse.log.log import Message, Record
from clearhouse.payments.dead_letter import DeadLetter, Unmapped, encode_letter
from clearhouse.payments.event import PaymentEvent, encode_event, payment_key
from clearhouse.payments.normalizer import letters
from clearhouse.payments.normalizing import Fetched, normalize
from clearhouse.payments.problem import Problem
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, UNMAPPED
from clearhouse.payments.webhook import StoredWebhook, decode_webhook

_encode = msgspec.json.Encoder().encode

GONE = Problem(
    "object_gone", "related_object", "Stripe no longer has the object that the event names."
)
REFUSED = Problem(
    "object_refused",
    "related_object",
    "Stripe does not let the key of STRIPE_API_KEY see the object: its account is no longer "
    "connected, or the key is a restricted one. Redrive it when the key may.",
)
NO_API = Problem(
    "no_stripe_api",
    "related_object",
    "Nothing says how to fetch the object that the event names: set STRIPE_API_KEY, then redrive.",
)


class Outcome(NamedTuple):
    """A message to append, and why it is a dead letter; None where it is none."""

    message: Message
    code: str | None


def webhook_of(record: Record) -> StoredWebhook | None:
    """The webhook in a record; None where it holds none."""
    try:
        return decode_webhook(record.value)
    except NOT_JSON:
        return None


def outcome_of(
    record: Record,
    webhook: StoredWebhook | None,
    fetched: Fetched | Problem | None,
    now: dt.datetime,
) -> Outcome:
    """What becomes of a record.

    Args:
        record: of the topic `payments.webhooks`.
        webhook: what `webhook_of` found in it.
        fetched: the object that a thin event names, or why there is none.
        now: for a dead letter.
    """
    if webhook is None:
        return _dead(letters.of_record(record, now))
    said = said_by(webhook, record.position, record.appended_at.date(), fetched)
    if isinstance(said, PaymentEvent):
        key = payment_key(said) or said.event_id
        return Outcome(Message(EVENTS.name, key, encode_event(said)), None)
    if isinstance(said, Unmapped):
        return Outcome(Message(UNMAPPED.name, said.provider.value, _encode(said)), None)
    return _dead(letters.of_webhook(record, webhook, said, now))


def said_by(
    webhook: StoredWebhook, position: int, book_date: dt.date, fetched: Fetched | Problem | None
) -> PaymentEvent | Unmapped | list[Problem]:
    """`normalize`, where a defect of a mapping is a problem of the one webhook that shows it."""
    if isinstance(fetched, Problem):
        return [fetched]
    try:
        return normalize(webhook, position, book_date, fetched)
    except Exception as error:  # noqa: BLE001 (a poison message must not stop the others)
        return [letters.of_defect(error)]


def _dead(letter: DeadLetter) -> Outcome:
    message = Message(NORMALIZER_DEAD.name, letter.provider.value, encode_letter(letter))
    return Outcome(message, letter.code)
