"""Gaps: events that Stripe has made and that never came, found by its list of events, and filled.

A listed event enters as a webhook of its own, masked as any other, whose `key_id` says how it came;
from there on it is handled as if it had been sent. Should Stripe send it after all, it is known.
Stripe lists the events of the last 30 days.
"""

import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

import httpx
import msgspec
import sqlalchemy as sa

from clearhouse.core.answer import read_bounded
from clearhouse.core.errors import UsageError
from clearhouse.core.http import ResilientClient
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Message
from clearhouse.payments.accounts import DEFAULT, Account
from clearhouse.payments.cards import mask_json
from clearhouse.payments.event import Provider
from clearhouse.payments.id_fields import ID_FIELDS
from clearhouse.payments.listed import Key, Listed, came_on, filed_on
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.settlements.client import Second, decoded, turn_page
from clearhouse.payments.signatures.structure import key_of
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.tables import IS_OF_CONNECTED, payment_event
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, encode_webhook

KEY_ID = "list-events"
"""How a webhook was verified that was listed: by the connection to Stripe's API."""

_ABOUT = "events"
_A_PAGE = 100
_AT_ONCE = 500
_MOST_BYTES = 64 << 20  # a page of a hundred events, each with a whole object
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Head(msgspec.Struct):
    id: _Text
    type: _Text
    created: Second
    account: str | None = None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """An event that never came.

    Attributes:
        event: as the list names it.
        body: as Stripe lists it, with its account.
    """

    event: Listed
    body: bytes = field(repr=False)


class Compared(NamedTuple):
    """What Stripe lists, and what of it never came, oldest first."""

    listed: list[Listed]
    gaps: list[Gap]


async def find_gaps(
    client: ResilientClient,
    accounts: Iterable[str],
    since: dt.datetime,
    known: set[Key],
) -> Compared:
    """Hold what Stripe lists against what is known. Bodies are kept of the gaps alone.

    Args:
        client: of Stripe's API, with a key for live events.
        accounts: connected ones, and "" for one's own.
        since: the earliest that an event was made, in UTC.
        known: account and id of each event that came.

    Raises:
        SourceError: Stripe's API can't be asked, or answers what is no list of events.
    """
    found = Compared([], [])
    for account in accounts:
        async for each in _listed(client, account, since):
            found.listed.append(each.event)
            if each.event.key not in known:
                found.gaps.append(each)
    found.gaps.sort(key=lambda gap: (gap.event.created, gap.event.id))
    return found


async def _listed(client: ResilientClient, account: str, since: dt.datetime) -> AsyncIterator[Gap]:
    params: dict[str, str | int] = {"limit": _A_PAGE, "created[gte]": int(since.timestamp())}
    headers = {"Stripe-Account": account} if account else None
    while True:
        page = decoded(
            await client.exchange(
                "GET", "v1/events", params=params, headers=headers, consume=_whole
            ),
            _Page,
            _ABOUT,
        )
        for raw in page.data:
            head = decoded(bytes(raw), _Head, _ABOUT)
            event = Listed(account, head.id, head.type, head.created)
            yield Gap(event, _with_account(bytes(raw), head, account))
        if not page.has_more or not page.data:
            return
        turn_page(params, "starting_after", head.id)


async def _whole(response: httpx.Response) -> bytes:
    return await read_bounded(response, _MOST_BYTES)


def _with_account(body: bytes, head: _Head, account: str) -> bytes:
    """The event with its account, which a list may leave out: it was asked for that account."""
    if not account or head.account == account:
        return body
    named: bytes = msgspec.json.encode({**msgspec.json.decode(body), "account": account})
    return named


def known_events(log: Log, landing: Landing, since: dt.date, today: dt.date) -> set[Key]:
    """Account and id of each event of Stripe that came from a day on.

    Args:
        log: what is still to be archived of it is archived first.
        landing: holds the archive.
        since: the first UTC day.
        today: the last one.
    """
    Archive(log, landing).flush()
    return {key for day in _days(since, today) for key in came_on(landing, day)}


def _days(since: dt.date, today: dt.date) -> Iterator[dt.date]:
    return (since + dt.timedelta(n) for n in range((today - since).days + 1))


def own_account(landing: Landing, since: dt.date, today: dt.date) -> str:
    """The account that the gateway files events under which are of no connected account.

    Args:
        landing: holds the archive.
        since: the first UTC day.
        today: the last one.

    Raises:
        UsageError: it does so under several, and none is the default (account_unclear).
    """
    names = {
        filed_under
        for day in _days(since, today)
        for (connected, _), filed_under in filed_on(landing, day)
        if not connected
    }
    if not names or DEFAULT in names:
        return DEFAULT
    if len(names) > 1:
        raise UsageError(
            f"Events of Stripe came for the accounts {', '.join(sorted(names))}: say with "
            "--account which of them STRIPE_API_KEY is of.",
            "account_unclear",
        )
    return names.pop()


def accounts_of(store: PaymentStore) -> list[str]:
    """The accounts whose events came: one's own as "", and connected ones in the store's order.

    Each is looked up behind the one before it: what this costs are accounts, and not events.
    """
    least = sa.select(sa.func.min(payment_event.c.account)).where(IS_OF_CONNECTED)
    found = [""]
    with store.reading() as connection:
        while account := connection.scalar(least.where(payment_event.c.account > found[-1])):
            found.append(account)
    return found


def fill(log: Log, gaps: Sequence[Gap], now: dt.datetime, account: str = DEFAULT) -> int:
    """Append events that never came to the webhooks, durably; how many there are.

    Args:
        log: takes them.
        gaps: the events.
        now: in UTC.
        account: that the gateway would have filed them under, where they name none of their own.

    Raises:
        LogError: the log can't take them all; those of earlier batches stay.
    """
    for first in range(0, len(gaps), _AT_ONCE):
        log.append([_message(gap, now, account) for gap in gaps[first : first + _AT_ONCE]])
    return len(gaps)


def _message(gap: Gap, now: dt.datetime, account: str) -> Message:
    masked = mask_json(gap.body, ID_FIELDS[Provider.STRIPE])
    stored = StoredWebhook(
        provider=Provider.STRIPE,
        account=account,
        key_id=KEY_ID,
        received_at=now,
        verified_at=now,
        item=0,
        items=1,
        body=masked.body.decode(),
        body_sha256=hashlib.sha256(gap.body).hexdigest(),
        masked=masked.pointers,
    )
    key = key_of(Provider.STRIPE, Account(Provider.STRIPE, account), gap.body)
    return Message(WEBHOOKS.name, key, encode_webhook(stored))
