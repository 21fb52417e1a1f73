"""Payments on PostgreSQL, as operational store and as engine, are what they are in files: a month,
and a night that touches some of it.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import payments_home
import pytest
from payment_lives import an_event
from payments_month import noon, normalize, provider_apis, record_all

from clearhouse.core.urls import SecretUrl
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.store.database import open_store
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences
from clearhouse.sandbox.payments.world import World
from stack.server import Server
from stack.two_engines import Home, TwoHomes

TODAY, TOMORROW = dt.date(2026, 3, 9), dt.date(2026, 3, 10)
OPTIONS = PaymentOptions(seed=11, webhooks=500, today=TODAY)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[TwoHomes]:
    """One log, recorded and built in files, and once more on the server."""
    folder: Path = tmp_path_factory.mktemp("payments")
    embedded = payments_home.Home(folder / "embedded", noon(TODAY))
    url = server.database("payments")
    on_server = {"ENGINE_URL_PAYMENTS": url, "PAYMENTS_DATABASE_URL": url}
    world = World(OPTIONS.seed, OPTIONS.webhooks, today=TODAY)
    with provider_apis(OPTIONS) as apis:
        normalize(embedded, world, apis["STRIPE_API_URL"])
        copy = payments_home.Home(shutil.copytree(embedded.home, folder / "server"), noon(TODAY))
        postgres = SecretUrl.parse(url, ("postgresql",))
        for home, store_url in (
            (embedded, embedded.settings.payments_database_url),
            (copy, postgres),
        ):
            with closing(open_store(store_url)) as store:
                record_all(home, store)
                assert differences(world, store.engine) == []
        homes = TwoHomes(
            Home(embedded.home, "payments", apis),
            Home(copy.home, "payments", {**apis, **on_server}),
        )
        ran = homes.both(lambda home: home.run(TODAY, TODAY))
        assert [each.exit_code for each in ran] == [0, 0], [each.output for each in ran]
        late = _late_events(embedded)
        for home in (embedded, copy):
            home.receive(TOMORROW, late)
        copy.record(postgres)
        ran = homes.both(lambda home: home.run(TOMORROW, TOMORROW))
        assert [each.exit_code for each in ran] == [0, 0], [each.output for each in ran]
        yield homes


def _late_events(home: payments_home.Home) -> list[PaymentEvent]:
    """Of what is published: a refund, a link that joins two payments, a payout taken back."""
    (first,), (second,) = home.read(
        """SELECT payments.payment_id
        FROM marts.payments JOIN marts.payment_captures AS captures USING (payment_key)
        WHERE payments.provider = 'stripe' AND payments.account = 'default'
            AND payments.livemode AND captures.stands
        ORDER BY payment_id LIMIT 2"""
    )
    ((payout_id,),) = home.read(
        """SELECT payout_id FROM marts.payouts WHERE provider = 'stripe' AND account = 'default'
            AND livemode AND status = 'paid' ORDER BY payout_id LIMIT 1"""
    )
    of = {"account": "default", "occurred_at": noon(TOMORROW)}
    return [
        an_event(EventType.REFUNDED, payment_id=first, amount_minor=1, **of),
        an_event(EventType.CAPTURED, payment_id=second, linked_id=first, **of),
        an_event(EventType.PAYOUT_SENT, payout_id="back", is_reversal_of=payout_id, **of),
        an_event(EventType.DISPUTE_OPENED, payment_id=None, dispute_id="alone", **of),
        an_event(EventType.CAPTURED, payment_id="new", **of),
    ]


def test_both_hold_the_same_after_a_night_that_touches_some(homes: TwoHomes) -> None:
    assert list(homes.differences()) == []
    embedded, on_server = homes.books()
    assert embedded == on_server


def test_the_books_are_measured_again_on_the_server(homes: TwoHomes) -> None:
    audited = homes.server.command("books", "--domain", "payments")
    assert audited.exit_code == 0, audited.output
