"""Stripe: snapshot events of any api_version, and thin events with the object they name.

Posted from one object of a fact: charge, refund, dispute, payout. A PaymentIntent is read for what
no charge says (authorized, pending, failed, canceled); sessions and invoices are not posted.

An api_version from 2022-11-15 to acacia tells of a charge's refund by `charge.refunded` alone,
which does not name it: the event is not mapped, and an endpoint has to be of acacia or later.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Annotated, NamedTuple

import msgspec

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent, Provider
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers import stripe_objects as objects
from clearhouse.payments.providers.notice import (
    Notice,
    at_second,
    decode,
    first_with,
    in_utc,
    needed_id,
    optional_id,
    prefixed,
)
from clearhouse.payments.providers.refusal import RefusedError
from clearhouse.payments.providers.stripe_objects import OBJECT_AT, Said

LATEST_VERSION = "2026-06-24"
"""The newest api_version whose changes are known."""
_VERSION = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(\.[a-z]+)?")
_EXPANDED_REFUNDS_BEFORE = "2024-10-28"
"""Acacia: from then on every refund has events of its own."""
_THIN = "v2.core.event"
_OF_THIN = "v1."
"""Types of thin events whose objects are those of snapshot events begin with it; no others do."""
_PATH = re.compile(r"/v[12]/[A-Za-z0-9_/.-]{1,200}")

Reader = Callable[[Notice, bytes | msgspec.Raw, str], Said | str]

_READERS: Mapping[str, Reader] = {
    "charge.succeeded": objects.charge,
    "charge.captured": objects.charge,
    "charge.updated": objects.charge,
    "charge.pending": objects.charge,
    "charge.failed": objects.charge,
    "charge.expired": objects.charge,
    "payment_intent.amount_capturable_updated": objects.payment_intent,
    "payment_intent.processing": objects.payment_intent,
    "payment_intent.payment_failed": objects.payment_intent,
    "payment_intent.canceled": objects.payment_intent,
    "refund.created": objects.refund,
    "refund.updated": objects.refund,
    "refund.failed": objects.refund,
    "charge.refund.updated": objects.refund,
    "charge.dispute.created": objects.dispute,
    "charge.dispute.updated": objects.dispute,
    "charge.dispute.funds_withdrawn": objects.dispute,
    "charge.dispute.funds_reinstated": objects.dispute,
    "charge.dispute.closed": objects.dispute,
    "payout.created": objects.payout,
    "payout.updated": objects.payout,
    "payout.paid": objects.payout,
    "payout.failed": objects.payout,
    "payout.canceled": objects.payout,
}

_NOT_MAPPED = {
    "not_posted": (
        "payment_intent.", "checkout.", "invoice.", "invoice_payment.", "charge.refunded",
        "payout.reconciliation_completed",
    ),
    "no_money": (
        "account.", "billing_portal.", "capability.", "coupon.", "customer.", "file.", "mandate.",
        "payment_link.", "payment_method.", "person.", "plan.", "price.", "product.",
        "promotion_code.", "quote.", "radar.", "reporting.", "review.", "setup_intent.", "sigma.",
        "subscription_schedule.", "tax_rate.", "test_helpers.", "v2.core.",
    ),
}  # fmt: skip


class _Data(msgspec.Struct):
    object: msgspec.Raw


class _Related(msgspec.Struct):
    url: str | None = None


class _Event(msgspec.Struct):
    id: str
    object: str
    type: str
    created: int | str
    livemode: bool
    api_version: str | None = None
    account: str | None = None
    context: str | None = None
    data: _Data | None = None
    related_object: _Related | None = None


_EVENT = msgspec.json.Decoder(_Event)
_MOMENT = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class Thin(NamedTuple):
    """The object that a thin event names: its path, and the account it is in ("" for one's own)."""

    path: str
    account: str


def normalize(notice: Notice, fetched: bytes | None) -> PaymentEvent | Unmapped:
    """The event that a notification says.

    Args:
        notice: the notification.
        fetched: JSON of the object that a thin event names, as `thin_object` tells.

    Raises:
        RefusedError: it can't be read.
    """
    head = decode(_EVENT, notice.body)
    try:
        return _normalized(notice, head, fetched)
    except RefusedError as error:
        if _is_known(head.api_version):
            raise
        unknown = Problem(
            "unknown_version",
            "api_version",
            "Nothing is known of this api_version, and it does not keep what is read of earlier "
            "ones.",
        )
        raise RefusedError(unknown, *error.problems) from None


def is_thin(event: PaymentEvent) -> bool:
    """Whether an event was thin, and so says what its object was when that was fetched."""
    return event.provider is Provider.STRIPE and event.provider_type.startswith(_OF_THIN)


def thin_object(body: bytes) -> Thin | None:
    """What has to be fetched to read a notification; None where all is in it.

    Raises:
        RefusedError: it can't be read.
    """
    head = decode(_EVENT, body)
    if head.object != _THIN or _type_of(head) not in _READERS:
        return None
    url = head.related_object.url if head.related_object else None
    if url is None or not _PATH.fullmatch(url) or ".." in url:
        raise RefusedError.of("field_type", "related_object.url", "It is no path of the API.")
    return Thin(url, _account_of(head))


def _normalized(notice: Notice, head: _Event, fetched: bytes | None) -> PaymentEvent | Unmapped:
    named = _account_of(head)
    account = named or notice.webhook.account
    at_own = "" if account == DEFAULT else account
    event_id = prefixed(notice.provider, at_own, head.livemode, needed_id(head.id, "id"))
    said = _said(notice, head, fetched)
    if isinstance(said, str):
        return notice.unmapped(head.type, said, event_id, account)
    return notice.event(
        event_id,
        account,
        livemode=head.livemode,
        provider_type=head.type,
        api_version=head.api_version,
        occurred_at=_moment(head),
        **said,
    )


def _said(notice: Notice, head: _Event, fetched: bytes | None) -> Said | str:
    """What the object of an event says, or why the event is not mapped."""
    kind = _type_of(head)
    reader = _READERS.get(kind)
    if kind == "charge.refunded" and (head.api_version or "9") < _EXPANDED_REFUNDS_BEFORE:
        return objects.newest_refund(notice, _snapshot(head)) or "not_posted"
    if reader is None:
        return first_with(_NOT_MAPPED, kind)
    if head.object != _THIN:
        return reader(notice, _snapshot(head), kind)
    if fetched is None:
        raise RefusedError.of("not_fetched", "related_object", "The object it names is not here.")
    return reader(notice, fetched, kind)


def _snapshot(head: _Event) -> msgspec.Raw:
    if head.data is None:
        raise RefusedError.of("field_missing", OBJECT_AT, "A part that must be there is missing.")
    return head.data.object


def _type_of(head: _Event) -> str:
    """The type by its name in snapshot events."""
    return head.type.removeprefix(_OF_THIN) if head.object == _THIN else head.type


def _account_of(head: _Event) -> str:
    """The connected account that an event names; "" where it is one's own."""
    last = (head.context or "").rpartition("/")[2] if head.object == _THIN else head.account
    return optional_id(last, "context" if head.object == _THIN else "account") or ""


def _moment(head: _Event) -> dt.datetime:
    """When it happened: a Unix time in a snapshot event, RFC 3339 text in a thin one."""
    if isinstance(head.created, int):
        return at_second(head.created, "created")
    try:
        return in_utc(msgspec.convert(head.created, _MOMENT), "created")
    except msgspec.ValidationError:
        raise RefusedError.of("field_type", "created", "It is no time with a zone.") from None


def _is_known(version: str | None) -> bool:
    if version is None:
        return True
    return bool(_VERSION.fullmatch(version)) and version[:10] <= LATEST_VERSION
