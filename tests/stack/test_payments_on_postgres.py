"""A month of payments on PostgreSQL, as operational store and as engine, is what it is in files."""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import payments_home
import pytest
from payments_month import noon, normalize, provider_apis, record_all

from clearhouse.core.urls import SecretUrl
from clearhouse.payments.store.database import open_store
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences
from clearhouse.sandbox.payments.world import World
from stack.server import Server
from stack.two_engines import Home, TwoHomes

TODAY = dt.date(2026, 3, 9)
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
        yield homes


def test_both_hold_the_same(homes: TwoHomes) -> None:
    assert list(homes.differences()) == []
    embedded, on_server = homes.books()
    assert embedded == on_server


def test_the_books_are_measured_again_on_the_server(homes: TwoHomes) -> None:
    audited = homes.server.command("books", "--domain", "payments")
    assert audited.exit_code == 0, audited.output
