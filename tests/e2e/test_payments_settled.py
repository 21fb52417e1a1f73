"""A month of four providers in the marts: as the store has it, with every payout explained."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from payments_home import Home

from clearhouse.landing import Landing
from clearhouse.log.log import Message
from clearhouse.payments.event import Provider
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.normalizer.fetching import StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import open_store
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, encode_webhook
from clearhouse.payments.worker.loop import Worker
from clearhouse.sandbox.payments import accounts
from clearhouse.sandbox.payments.delivery import Delivery
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences
from clearhouse.sandbox.payments.output import Fate
from clearhouse.sandbox.payments.world import World
from clearhouse.sandbox.server import running_sources

TODAY = dt.date(2026, 3, 9)
OPTIONS = PaymentOptions(seed=7, webhooks=700, today=TODAY)
ROWS = {
    "payments": tables.payment,
    "refunds": tables.refund,
    "disputes": tables.dispute,
    "payouts": tables.payout,
}


def _items(delivery: Delivery) -> list[str]:
    """The notifications of a request, as the gateway stores them."""
    if delivery.provider is not Provider.ADYEN:
        return [delivery.body.decode()]
    body = msgspec.json.decode(delivery.body)
    if "notificationItems" not in body:
        return [delivery.body.decode()]
    return [
        msgspec.json.encode({**body, "notificationItems": [item]}).decode()
        for item in body["notificationItems"]
    ]


def _received(world: World, now: dt.datetime) -> Iterator[Message]:
    for delivery in world.deliveries:
        fates = {world.notices[number].fate for number in delivery.notices}
        if delivery.is_forged or Fate.DEAD_GATEWAY in fates:
            continue
        items = _items(delivery)
        for n, item in enumerate(items):
            webhook = StoredWebhook(
                provider=delivery.provider, account=delivery.endpoint, key_id="1", received_at=now,
                verified_at=now, item=n, items=len(items), body=item,
                body_sha256=f"{delivery.number:064x}",
            )  # fmt: skip
            yield Message(WEBHOOKS.name, "key", encode_webhook(webhook))


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, World]]:
    """The world through normalizer and worker, then through the pipeline with its settlements."""
    home = Home(tmp_path_factory.mktemp("settled") / "home")
    home.now = dt.datetime.combine(TODAY, dt.time(12), dt.UTC)
    world = World(OPTIONS.seed, OPTIONS.webhooks, today=TODAY)
    store = open_store(home.settings.payments_database_url)
    landing = Landing.from_url(home.settings.landing_url)
    with running_sources({"payment_providers": OPTIONS}) as urls, home.log() as log:
        url = urls["payment_providers"]
        log.append(list(_received(world, home.now)))
        fetcher = StripeObjects(url, accounts.STRIPE_KEY)
        normalizer = Normalizer(log, landing, fetcher, breaker=None, now=lambda: home.now)
        while normalizer.step():
            pass
        fetcher.close()
        Archive(log, landing, lambda: home.now).flush()
        worker = Worker(log, store, InProcess(), clock=lambda: home.now)
        while worker.step():
            pass
        assert differences(world, store.engine) == []
        asked = {
            "STRIPE_API_URL": url,
            "STRIPE_API_KEY": accounts.STRIPE_KEY,
            "SQUARE_API_URL": url,
            "SQUARE_ACCESS_TOKEN": accounts.SQUARE_KEY,
            "ADYEN_REPORT_URL": url,
            "ADYEN_REPORT_KEY": accounts.ADYEN_REPORT_KEY,
        }
        ran = home.command("run", "payments", "--from", TODAY, "--to", TODAY, **asked)
        assert ran.exit_code == 0, (ran.exception, ran.stderr, ran.output)
    yield home, world
    store.close()


def _rows(home: Home, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    return sorted(home.read(f"SELECT {', '.join(columns)} FROM marts.{table}"), key=str)


def test_the_books_balance_over_all_that_came(settled: tuple[Home, World]) -> None:
    home, _ = settled

    books = home.command("books", "--domain", "payments")

    assert books.exit_code == 0, books.output


@pytest.mark.parametrize("mart", ROWS)
def test_the_marts_hold_what_the_operational_store_holds(
    settled: tuple[Home, World], mart: str
) -> None:
    home, _ = settled
    names = [column.name for column in ROWS[mart].columns]
    engine = sa.create_engine(home.settings.payments_database_url)
    with engine.connect() as connection:
        stored = [tuple(row) for row in connection.execute(sa.select(ROWS[mart]))]

    assert _rows(home, mart, names) == sorted(stored, key=str)


def test_each_payout_is_explained_but_for_what_nothing_explains(
    settled: tuple[Home, World],
) -> None:
    home, world = settled
    apart = home.read(
        "SELECT payout_key FROM marts.payout_tie_out GROUP BY payout_key "
        "HAVING sum(amount_minor) <> any_value(payout_minor)"
    )
    unexplained = home.read(
        "SELECT payout_key, sum(amount_minor) FROM marts.payout_tie_out "
        "WHERE NOT is_explained AND provider <> 'paypal' GROUP BY ALL"
    )

    assert apart == []
    assert {key: int(amount) for key, amount in unexplained} == world.unexplained


def test_settlements_say_the_fees_that_no_event_said(settled: tuple[Home, World]) -> None:
    home, _ = settled
    ((known, by_events),) = home.read(
        "SELECT (SELECT count(*) FROM marts.payment_journal WHERE posting LIKE 'settled_fee:%'), "
        "(SELECT count(fee_minor) FROM marts.payment_captures WHERE provider = 'adyen')"
    )
    ((unbalanced,),) = home.read(
        "SELECT count(*) FROM (SELECT subject_key, posting FROM marts.payment_journal "
        "GROUP BY ALL HAVING sum(debit_minor) <> sum(credit_minor))"
    )
    due = home.read("SELECT status, count(*) FROM marts.receivables GROUP BY ALL ORDER BY ALL")

    assert known
    assert by_events == 0
    assert unbalanced == 0
    assert dict(due).keys() >= {"settled", "in_balance"}
