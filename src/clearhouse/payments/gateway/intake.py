"""From a request's bytes to the log: verified, masked, durable, and only then answered."""

import asyncio
import base64
import datetime as dt
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
from msgspec.structs import replace

from clearhouse.core import tracing
from clearhouse.log.log import Log, LogError, Message, Progress
from clearhouse.log.opening import LogPlace
from clearhouse.payments.accounts import Account
from clearhouse.payments.cards import Masked, mask_json, mask_text
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import Provider
from clearhouse.payments.gateway import metrics
from clearhouse.payments.id_fields import ID_FIELDS
from clearhouse.payments.signatures import Certificates, MalformedWebhook, verify
from clearhouse.payments.topics import GATEWAY_CHECK, GATEWAY_DEAD, WEBHOOKS
from clearhouse.payments.webhook import (
    Malformed,
    RawWebhook,
    StoredWebhook,
    VerifiedWebhook,
    encode_webhook,
)

_SECONDS_OF_A_FAILURE = 5.0
"""How long the log is taken for down after it failed, if no webhook was taken since."""
_encode_letter = msgspec.json.Encoder().encode
_log = structlog.get_logger()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What a gateway works with.

    Attributes:
        log: where the event log is, which the gateway opens and closes.
        accounts: those whose webhooks it takes.
        certificates: where those of PayPal are found; None: no webhook of PayPal's is genuine.
        most_bytes: of a request's body.
        open_log: another way to have a log.
        clock: the time in UTC.
    """

    log: LogPlace
    accounts: Sequence[Account] = field(repr=False)
    certificates: Certificates | None = None
    most_bytes: int = 512 << 10
    open_log: Callable[[], Log] | None = None
    clock: Callable[[], dt.datetime] = _now


class Intake:
    """Takes webhooks into a log. One belongs to one event loop.

    Args:
        log: open, and closed with this.
        certificates: where those of PayPal are found.
        clock: the time in UTC.
    """

    def __init__(
        self, log: Log, certificates: Certificates | None, clock: Callable[[], dt.datetime]
    ) -> None:
        self._log = log
        self._appender = log.appender()
        self._certificates = certificates
        self._clock = clock
        self._failed_at: float | None = None
        # By no process id: that is the same in many containers, and one would fence the other.
        self._checker = f"gateway-{uuid.uuid4().hex}"

    async def take(self, account: Account, headers: Mapping[str, str], body: bytes) -> str:
        """Take a webhook. The log has it, durably, when this returns.

        Returns:
            What was done, as metrics name it: accepted, or dead_letter.

        Raises:
            SignatureRefused: nothing of it is kept.
            CertificateUnavailable: it is not known whether it is genuine.
            LogError: the log can't take it.
        """
        raw = RawWebhook(account.provider, account.told_of, headers, body, self._clock())
        with tracing.span("take webhook", "server", {"provider": raw.provider}) as carried:
            try:
                verified = await self._verified(raw, account)
            except MalformedWebhook as error:
                malformed = Malformed(error.code, error.reason, error.key_id)
                await self._append([_letter(_Part(raw, account), malformed, carried)])
                return "dead_letter"
            await self._append(_messages(raw, verified, account, carried))
            taken = len(verified.items) - len(verified.malformed)
            metrics.notifications(raw.provider).inc(taken)
            return "accepted" if taken else "dead_letter"

    async def check(self) -> None:
        """See that the log can be read and, where it has failed, written again.

        Raises:
            LogError: it can't, or has failed just now.
        """
        try:
            await asyncio.to_thread(self._check)
        except LogError:
            metrics.READY.set(0)
            raise
        metrics.READY.set(1)

    async def close(self) -> None:
        """Append what is being appended, and close the log."""
        await self._appender.close()
        self._log.close()

    async def _verified(self, raw: RawWebhook, account: Account) -> VerifiedWebhook:
        now = self._clock()
        certificates = self._certificates
        url = raw.headers.get("paypal-cert-url", "") if raw.provider is Provider.PAYPAL else ""
        if url and certificates is not None and not certificates.knows(url, now):
            return await asyncio.to_thread(verify, raw, account, now, certificates)
        return verify(raw, account, now, certificates)

    async def _append(self, messages: Sequence[Message]) -> None:
        try:
            await self._appender.append(messages)
        except LogError:
            self._failed_at = time.monotonic()
            raise
        self._failed_at = None

    def _check(self) -> None:
        self._log.end(WEBHOOKS.name)
        if self._failed_at is None:
            return
        # A small write that means nothing: whether a webhook could be written is not known by it.
        self._log.append((), Progress(self._checker, GATEWAY_CHECK, 0))
        if time.monotonic() < self._failed_at + _SECONDS_OF_A_FAILURE:
            raise LogError("The log has failed just now.")


@dataclass(frozen=True, slots=True)
class _Part:
    """A request that is no notification, or one item of several in it that is none."""

    raw: RawWebhook
    account: Account
    item: int = 0
    items: int = 1
    own_body: bytes | None = None

    @property
    def body(self) -> bytes:
        """As it came."""
        return self.raw.body if self.own_body is None else self.own_body


def _messages(
    raw: RawWebhook, verified: VerifiedWebhook, account: Account, carried: tracing.Headers
) -> list[Message]:
    """A message a notification; a dead letter of an item that is none."""
    sha256 = hashlib.sha256(verified.body).hexdigest()
    messages = []
    items = len(verified.items)
    for number, (item, key) in enumerate(zip(verified.items, verified.keys, strict=True)):
        malformed = verified.malformed.get(number)
        if malformed is not None:
            messages.append(_letter(_Part(raw, account, number, items, item), malformed, carried))
            continue
        masked = mask_json(item, ID_FIELDS[verified.provider])
        stored = StoredWebhook(
            provider=verified.provider,
            account=verified.account,
            key_id=verified.key_id,
            received_at=verified.received_at,
            verified_at=verified.verified_at,
            item=number,
            items=items,
            body=masked.body.decode(),
            body_sha256=sha256,
            masked=masked.pointers,
            automatic_capture=account.automatic_capture,
        )
        if masked.pointers:
            metrics.MASKED.labels(verified.provider).inc(len(masked.pointers))
        messages.append(Message(WEBHOOKS.name, key, encode_webhook(stored), carried))
    return messages


def _letter(part: _Part, malformed: Malformed, carried: tracing.Headers) -> Message:
    """A dead letter of what is signed and no notification, whole but for card numbers."""
    raw = part.raw
    _log.warning(
        "webhook_malformed",
        provider=raw.provider,
        account=part.account.name,
        code=malformed.code,
    )
    sha256 = hashlib.sha256(raw.body).hexdigest()
    own = f":{part.item}" if part.items > 1 else ""
    masked = _without_cards(raw.provider, part.body)
    letter = DeadLetter(
        letter_id=f"gateway::{sha256}:{raw.received_at.isoformat()}{own}",
        stage="gateway",
        code=malformed.code,
        reason=malformed.reason,
        provider=raw.provider,
        account=raw.account,
        book_date=raw.received_at.date(),
        body_sha256=sha256,
        first_at=raw.received_at,
        last_at=raw.received_at,
    )
    try:
        message = _as_message(part, malformed.key_id, masked)
    except UnicodeDecodeError:
        letter = replace(letter, body_base64=base64.b64encode(masked.body).decode())
    else:
        letter = replace(letter, message=message)
    return Message(GATEWAY_DEAD.name, raw.provider, _encode_letter(letter), carried)


def _without_cards(provider: Provider, body: bytes) -> Masked:
    """A body masked: as JSON if it is some, so that ids stay, and else as a text."""
    try:
        json.loads(body.decode(), parse_int=float)  # which takes more for JSON than msgspec
    except (ValueError, RecursionError):
        return Masked(mask_text(body))
    return mask_json(body, ID_FIELDS[provider])


def _as_message(part: _Part, key_id: str, masked: Masked) -> msgspec.Raw:
    """What it is of a request as a notification would be stored, so that it can be redriven."""
    raw = part.raw
    stored = StoredWebhook(
        provider=raw.provider,
        account=raw.account,
        key_id=key_id,
        received_at=raw.received_at,
        verified_at=raw.received_at,
        item=part.item,
        items=part.items,
        body=masked.body.decode(),
        body_sha256=hashlib.sha256(raw.body).hexdigest(),
        masked=masked.pointers,
        automatic_capture=part.account.automatic_capture,
    )
    return msgspec.Raw(encode_webhook(stored))
