"""Dead letters of the normalizer: what could not be read, whole, with the reason."""

import base64
import datetime as dt
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from clearhouse.core.not_json import NOT_JSON
from clearhouse.log.log import Record
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import Provider
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers.notice import prefixed
from clearhouse.payments.webhook import StoredWebhook

STAGE = "normalizer"
_MOST_SHOWN = 5


class _Head(msgspec.Struct):
    """Ids as Stripe, PayPal and Square write them."""

    id: str = ""
    event_id: str = ""
    account: str | None = None
    livemode: bool = True


class _Source(msgspec.Struct):
    provider: Provider
    account: str = ""


_HEAD = msgspec.json.Decoder(_Head)
_SOURCE = msgspec.json.Decoder(_Source)


def of_webhook(
    record: Record, webhook: StoredWebhook, problems: Sequence[Problem], now: dt.datetime
) -> DeadLetter:
    """The letter of a webhook that has problems, at least one."""
    told = "; ".join(f"{p.field}: {p.reason}" if p.field else p.reason for p in problems)
    return DeadLetter(
        letter_id=f"{STAGE}:{record.topic}:{record.position}",
        stage=STAGE,
        code=problems[0].code,
        reason=told if len(problems) <= _MOST_SHOWN else f"{told[:500]}…",
        provider=webhook.provider,
        account=webhook.account,
        source_topic=record.topic,
        source_position=record.position,
        webhook_position=record.position,
        book_date=record.appended_at.date(),
        event_id=_event_id(webhook),
        body_sha256=webhook.body_sha256,
        first_at=webhook.received_at,
        last_at=now,
        attempt=webhook.attempt,
        message=msgspec.Raw(record.value),
    )


def of_record(record: Record, now: dt.datetime) -> DeadLetter:
    """The letter of a record that is no stored webhook at all."""
    try:
        source = _SOURCE.decode(record.value)
    except NOT_JSON:
        source = _Source(_provider_of_key(record.key))
    is_json = _is_json(record.value)
    return DeadLetter(
        letter_id=f"{STAGE}:{record.topic}:{record.position}",
        stage=STAGE,
        code="webhook_malformed",
        reason="It is not a webhook as the gateway stores it.",
        provider=source.provider,
        account=source.account,
        source_topic=record.topic,
        source_position=record.position,
        webhook_position=record.position,
        book_date=record.appended_at.date(),
        first_at=record.appended_at,
        last_at=now,
        message=msgspec.Raw(record.value if is_json else b"null"),
        body_base64="" if is_json else base64.b64encode(record.value).decode(),
    )


def of_defect(error: Exception) -> Problem:
    """What a defect of a mapping is told as: where it happened, and nothing of the data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return Problem("mapping_failed", "", f"The mapping failed: {type(error).__name__} at {where}.")


def _event_id(webhook: StoredWebhook) -> str | None:
    """The id of the event as far as the notification says one that can be read."""
    try:
        head = _HEAD.decode(webhook.body.encode())
    except NOT_JSON:
        return None
    own = head.event_id or head.id
    account = (head.account or "") if webhook.provider is Provider.STRIPE else ""
    return prefixed(webhook.provider, account, head.livemode, own)[:300] if own else None


def _provider_of_key(key: str) -> Provider:
    """Of the key that the gateway gave. What names none is filed under the first provider."""
    known = {provider.value: provider for provider in Provider}
    return known.get(key.partition(":")[0], next(iter(Provider)))


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value)
    except NOT_JSON:
        return False
    return True
