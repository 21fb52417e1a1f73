"""What all providers share in reading a notification: decoding, cleaning, amounts, the event."""

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import EventType, PaymentEvent, Provider
from clearhouse.payments.exponents import minor_of_text, minor_units
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers.refusal import RefusedError
from clearhouse.payments.webhook import StoredWebhook

T = TypeVar("T")

NOTHING = msgspec.Raw(b"null")
"""What a part is that is missing, and is read only for some types."""

_NULL_LIKE = frozenset({"", "null", "none", "nil", "undefined", "n/a", "nan", "(null)"})
_MAX_NULL_LIKE = 16
"""With blanks around it. Longer texts need not be looked at for it."""
_MAX_ID = 255
_LONG_ID = re.compile("[!-~]{17,255}")
"""An id that is too long to be a word for nothing."""
_MAX_KEY = 300
_MAX_SCOPE = len("stripe::live::reference:")
"""What a key adds to an account and an id."""
_MAX_ANY = _MAX_KEY - _MAX_SCOPE - _MAX_ID
"""An account that is no longer goes with any id."""
_MAX_WORD = 60
_BAD_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LAST4 = re.compile(r"[0-9]{4}")
_FIRST_AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LAST_AT = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_LAST_SECOND = int(_LAST_AT.timestamp())
_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")


class Notice(msgspec.Struct, frozen=True, gc=False):
    """A verified notification, with where it stands in the log.

    Attributes:
        position: of the webhook in its topic.
        book_date: the UTC day on which the log took it.
        body: the notification's bytes.
    """

    webhook: StoredWebhook
    position: int
    book_date: dt.date
    body: bytes

    @property
    def provider(self) -> Provider:
        """Who sent it."""
        return self.webhook.provider

    def event(self, event_id: str, account: str, **values: Any) -> PaymentEvent:
        """The event that this notification says, with what is known of its delivery.

        Raises:
            RefusedError: a key of it would be too long to be stored.
        """
        webhook = self.webhook
        event = PaymentEvent(
            event_id=event_id,
            provider=webhook.provider,
            account=account,
            received_at=webhook.received_at,
            book_date=self.book_date,
            webhook_position=self.position,
            body_sha256=webhook.body_sha256,
            **values,
        )
        if len(event_id) > _MAX_KEY or (len(account) > _MAX_ANY and _is_too_long(event)):
            raise RefusedError.of("id_malformed", "", "Its ids are too long to be kept.")
        return event

    def unmapped(
        self, provider_type: str, why: str, event_id: str | None, account: str
    ) -> Unmapped:
        """The notification as one that no ledger fact follows from."""
        webhook = self.webhook
        return Unmapped(
            provider=webhook.provider,
            account=account,
            provider_type=clip(provider_type, _MAX_ID),
            why=why,
            event_id=event_id if event_id and len(event_id) <= _MAX_KEY else None,
            webhook_position=self.position,
            book_date=self.book_date,
            body_sha256=webhook.body_sha256,
        )

    def amount(
        self, amount: int, currency: str, at: str, *, is_payout: bool = False
    ) -> dict[str, Any]:
        """`amount_minor` and `currency` of an event, from the provider's integer.

        Raises:
            RefusedError: it is not exactly an amount of that currency.
        """
        minor = minor_units(self.provider, currency, amount, field=at, is_payout=is_payout)
        return {"amount_minor": _sure(minor), "currency": currency}

    def fee(self, amount: int, currency: str, at: str) -> int:
        """A fee in an event's minor units; negative where it is given back.

        Raises:
            RefusedError: it is not exactly an amount of that currency.
        """
        minor = _sure(minor_units(self.provider, currency, abs(amount), field=at))
        return -minor if amount < 0 else minor

    def fee_of_text(self, text: str, currency: str, at: str) -> int:
        """The same from a decimal text."""
        minor = _sure(minor_of_text(self.provider, currency, text.removeprefix("-"), field=at))
        return -minor if text.startswith("-") else minor

    def amount_of_text(
        self, text: str, currency: str, at: str, *, is_payout: bool = False
    ) -> dict[str, Any]:
        """The same from a decimal text."""
        minor = minor_of_text(self.provider, currency, text, field=at, is_payout=is_payout)
        return {"amount_minor": _sure(minor), "currency": currency}


def _is_too_long(event: PaymentEvent) -> bool:
    """Whether the account and an id don't fit in one key."""
    ids = (event.payment_id, event.linked_id, event.refund_id, event.dispute_id, event.payout_id)
    longest = max(map(len, filter(None, ids)), default=0)
    return len(event.account) + longest > _MAX_KEY - _MAX_SCOPE


def _sure(minor: int | Problem) -> int:
    if isinstance(minor, Problem):
        raise RefusedError(minor)
    return minor


def decode(decoder: "msgspec.json.Decoder[T]", data: bytes | msgspec.Raw, at: str = "") -> T:
    """Read JSON into the parts that are wanted.

    Args:
        decoder: of those parts.
        data: the JSON.
        at: the path of it in the notification, for problems.

    Raises:
        RefusedError: it is no JSON (not_json), or a part is missing (field_missing) or of another
            type (field_type).
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise RefusedError(_problem(str(error), at)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise RefusedError.of("not_json", at, "It is not JSON that can be read.") from None


def _problem(told: str, at: str) -> Problem:
    found = _WHERE.search(told)
    path = [at, found[1] if found else ""]
    missing = _MISSING.match(told)
    if missing:
        where = ".".join(part for part in (*path, missing[1]) if part)
        return Problem("field_missing", where, "A part that must be there is missing.")
    reason = told[: found.start()] if found else told
    where = ".".join(part for part in path if part)
    return Problem("field_type", where, f"{reason.replace('`', '')}.")


def clip(text: str, most: int = _MAX_WORD) -> str:
    """A text of the provider as it may be kept: without control characters, not too long."""
    return _BAD_TEXT.sub(" ", text).strip()[:most]


def word(text: str | None) -> str | None:
    """An optional word of the provider; what only looks like nothing is None."""
    if text is None:
        return None
    return _word(text) if len(text) <= _MAX_WORD else clip(text) or None


@lru_cache(4096)
def _word(text: str) -> str | None:
    """Remembered, as words are few."""
    return None if _is_nothing(text) else clip(text) or None


def _is_nothing(text: str) -> bool:
    return len(text) <= _MAX_NULL_LIKE and text.strip().lower() in _NULL_LIKE


def optional_id(text: str | None, at: str) -> str | None:
    """An id that may be missing.

    Raises:
        RefusedError: it is none that could be looked up again.
    """
    if text is None or _LONG_ID.fullmatch(text):  # nearly all
        return text
    if _is_nothing(text):
        return None
    if len(text) > _MAX_ID or " " in text or not (text.isascii() and text.isprintable()):
        raise RefusedError.of("id_malformed", at, "It is no id: too long, or with odd characters.")
    return text


def needed_id(text: str | None, at: str) -> str:
    """An id that must be there.

    Raises:
        RefusedError: it is missing, or none.
    """
    found = optional_id(text, at)
    if found is None:
        raise RefusedError.of("field_missing", at, "An id that must be there is missing.")
    return found


def reference(text: str | None) -> str | None:
    """A merchant's own reference, which may hold anything."""
    if text is None or _is_nothing(text):
        return None
    return clip(text, _MAX_ID) or None


def last4(text: str | None) -> str | None:
    """The last four digits of a card; None where it is anything else."""
    return text if text and _LAST4.fullmatch(text) else None


def at_second(seconds: int, at: str) -> dt.datetime:
    """The moment of a Unix time.

    Raises:
        RefusedError: it is not of this century.
    """
    if not 0 <= seconds < _LAST_SECOND:
        raise _no_time(at)
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def in_utc(moment: dt.datetime, at: str) -> dt.datetime:
    """An aware moment in UTC.

    Raises:
        RefusedError: it is not of this century.
    """
    if not _FIRST_AT.year - 1 <= moment.year <= _LAST_AT.year:  # others may have no time in UTC
        raise _no_time(at)
    found = moment.astimezone(dt.UTC)  # to compare times of two zones takes longer than this
    if not _FIRST_AT <= found < _LAST_AT:
        raise _no_time(at)
    return found


def _no_time(at: str) -> RefusedError:
    return RefusedError.of("time_out_of_bounds", at, "It is not a time of this century.")


def by_status(statuses: Mapping[str, EventType], status: str | None, at: str) -> EventType:
    """The type that an object's status stands for.

    Raises:
        RefusedError: it is a status that is not known: what it does to money can't be guessed.
    """
    found = statuses.get(status or "")
    if found is None:
        raise RefusedError.of("status_unknown", at, "This status is not known.")
    return found


def first_with(prefixes: Mapping[str, tuple[str, ...]], name: str) -> str:
    """Why a type is not mapped: the first reason with a prefix of it, else unknown_type."""
    return next((why for why, known in prefixes.items() if name.startswith(known)), "unknown_type")


def prefixed(provider: Provider, account: str, is_live: bool, event_id: str) -> str:
    """An event's id over all providers; the account is left out where it is ""."""
    scope = f"{account}:" if account else ""
    mode = "" if is_live else "test:"
    return f"{provider}:{scope}{mode}{event_id}"
