"""A month of payments through all services on servers, and beside it on files: one truth."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from payment_services import Services, running_services
from payment_trial import Trial

from clearhouse.payments.store import tables
from clearhouse.sandbox.payments.world import World
from stack.commands import Stack
from stack.payment_month import COMPARED, Month
from stack.payments_on_stack import apis_of, on_stack, prepared
from stack.server import Server
from stack.two_engines import Home

WEBHOOKS = 2_000
SEED = 5
_MONTH_TAKES = dt.timedelta(minutes=5)


@pytest.fixture(scope="module")
def day() -> dt.date:
    """On which all of it comes: its books are one day's, so that it must not end meanwhile."""
    now = dt.datetime.now(dt.UTC)
    if (now + _MONTH_TAKES).date() != now.date():
        time.sleep(_MONTH_TAKES.total_seconds())
    return dt.datetime.now(dt.UTC).date()


@pytest.fixture(scope="module")
def world(day: dt.date) -> World:
    return World(SEED, WEBHOOKS, today=day)


@pytest.fixture(scope="module")
def apis(world: World) -> Iterator[dict[str, str]]:
    with apis_of(world) as urls:
        yield urls


def take(world: World, starting: AbstractContextManager[Services]) -> None:
    """Have services take a world; see that they have recorded all of it, undisturbed."""
    with starting as services:
        services.until_ready()
        trial = Trial(world, services, rate=0)
        with trial.sending():
            pass
        trial.judge()
        assert services.restarts == 0, "\n".join(services.said)


@pytest.fixture(scope="module")
def on_servers(
    tmp_path_factory: pytest.TempPathFactory,
    stack: Stack,
    server: Server,
    world: World,
    apis: dict[str, str],
    day: dt.date,
) -> Month:
    path = tmp_path_factory.mktemp("servers")
    settings = {**prepared(stack.settings, server, path), **apis}
    take(world, on_stack(settings))
    month = Month(Home(path, "payments", settings), day)
    month.run()
    return month


@pytest.fixture(scope="module")
def on_files(
    tmp_path_factory: pytest.TempPathFactory, world: World, apis: dict[str, str], day: dt.date
) -> Month:
    path = tmp_path_factory.mktemp("files")
    take(world, running_services({"CLEARHOUSE_HOME": str(path), **apis}))
    month = Month(Home(path, "payments", apis), day)
    month.run()
    return month


def test_a_month_on_servers_is_recorded_and_its_books_balance(
    on_servers: Month, world: World
) -> None:
    published = on_servers.published("SELECT count(*) FROM marts.payments")
    assert published == len(world.truth["payment"])


@pytest.mark.parametrize("table", COMPARED, ids=str)
def test_files_and_servers_hold_the_same(
    on_files: Month, on_servers: Month, table: sa.Table
) -> None:
    assert on_servers.rows(table) == on_files.rows(table)
    assert on_files.rows(tables.payment)


def test_files_and_servers_have_the_same_books_and_certificates(
    on_files: Month, on_servers: Month
) -> None:
    books = on_files.books()
    assert on_servers.books() == books
    assert {status for status, _ in books.values()} == {"balanced"}
    assert on_servers.certificate() == on_files.certificate()
