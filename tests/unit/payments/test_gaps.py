"""Of which accounts Stripe's events are listed, and for which those that never came are taken."""

import asyncio
import datetime as dt
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import payment_notifications as n
import pytest
from databases import Databases
from msgspec.structs import replace
from payment_desk import Desk
from payment_lives import an_event

from clearhouse.core.errors import SourceError, UsageError
from clearhouse.core.http import ResilientClient
from clearhouse.landing.store import Landing
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.event import EventType, Provider
from clearhouse.payments.gaps import (
    Compared,
    Gap,
    accounts_of,
    fill,
    find_gaps,
    known_events,
    own_account,
)
from clearhouse.payments.listed import Listed
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizing import normalize
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, decode_webhook, encode_webhook


@pytest.mark.parametrize("names", [["acct_2", "acct_1", "acct_2"], []])
def test_connected_accounts_of_stripe_are_named_once(
    databases: Databases, names: list[str]
) -> None:
    desk = Desk(databases.bare())
    with closing(desk.store):
        desk.record(
            *(an_event(EventType.CAPTURED, account=name) for name in [*names, "default"]),
            an_event(EventType.CAPTURED, account="acct_9", provider=Provider.SQUARE),
        )
        assert accounts_of(desk.store) == ["", *sorted({*names})]


def test_what_never_came_is_taken_for_the_account_of_what_came(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    since, today = now.date() - dt.timedelta(days=1), now.date() + dt.timedelta(days=1)
    landing = Landing.from_url((tmp_path / "landing").as_uri())
    came = replace(n.stripe("charge.captured", n.charge()), account="main")
    of_connected = n.stripe("charge.captured", n.charge(), id="evt_2", account="acct_1")
    with closing(open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))) as log:

        def take(webhook: StoredWebhook) -> None:
            log.append([Message(WEBHOOKS.name, "k", encode_webhook(webhook))])
            known_events(log, landing, since, today)  # which archives

        take(came)
        take(replace(of_connected, account="connect"))
        own = own_account(landing, since, today)
        fill(log, [Gap(Listed("", "evt_1", "charge.captured", 0), came.body.encode())], now, own)
        filled = decode_webhook(log.read(WEBHOOKS.name, 2)[0].value)
        ids = [event.event_id for each in (came, filled) if (event := normalize(each, 0, today))]
        assert ids == ["stripe:main:evt_1"] * 2  # should Stripe send it after all, it is known
        take(replace(came, account="eu"))
        with pytest.raises(UsageError, match="--account"):
            own_account(landing, since, today)


EVENT = {"id": "evt_1", "type": "charge.captured", "created": 1_795_824_000}


@pytest.mark.parametrize(
    ("change", "has_more"),
    [
        ({"created": "2026-11-01T00:00:00Z"}, False),
        ({"created": 10**17}, False),
        ({"id": ""}, False),
        ({}, True),  # the same page again and again
    ],
)
def test_a_list_that_is_none_is_said_to_be_none(change: dict[str, Any], has_more: bool) -> None:
    page = {"data": [EVENT | change], "has_more": has_more}

    async def found() -> Compared:
        async with ResilientClient(
            "http://stripe",
            name="Stripe's API",
            transport=httpx.MockTransport(lambda _: httpx.Response(200, json=page)),
        ) as client:
            return await find_gaps(client, [""], dt.datetime.now(dt.UTC), set())

    with pytest.raises(SourceError) as raised:
        asyncio.run(found())
    assert raised.value.code == "bad_answer"
