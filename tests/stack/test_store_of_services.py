"""A service's store on a server: limits of its sessions, and a server that is killed."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from payment_lives import NOON, an_event

from clearhouse.core.database_access import DatabaseAccess
from clearhouse.core.errors import ServerError
from clearhouse.core.urls import SecretUrl
from clearhouse.log.log import Log, Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.event import EventType, encode_event
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.topics import EVENTS
from clearhouse.payments.worker.loop import Worker
from clearhouse.settings import load_settings
from stack.server import Server, running

SOON = 30


@pytest.fixture
def url(server: Server) -> SecretUrl:
    return SecretUrl.parse(server.databases.bare(), ("postgresql",))


def test_sessions_of_a_service_are_named_and_limited_as_the_settings_say(url: SecretUrl) -> None:
    settings = load_settings(
        _env_file=None, database_statement_seconds=7, database_lock_seconds=2.5,
        database_idle_seconds=90,
    )  # fmt: skip
    names = "application_name", "statement_timeout", "lock_timeout"
    names = *names, "idle_in_transaction_session_timeout"
    with closing(open_store(url, settings.database_access("worker"))) as store:
        assert [shown(store, name) for name in names] == [
            "clearhouse worker",
            "7s",
            "2500ms",
            "90s",
        ]
    with closing(open_store(url)) as store:
        assert [shown(store, name) for name in names] == ["clearhouse", "1h", "10s", "0"]


def shown(store: PaymentStore, name: str) -> str:
    with store.reading() as connection:
        return str(connection.scalar(sa.text(f"SHOW {name}")))


@pytest.mark.parametrize(
    ("statement", "limits", "said"),
    [
        ("SELECT pg_sleep(30)", {"statement_seconds": 0.2}, "took longer than it may"),
        ("LOCK TABLE payment", {"lock_seconds": 0.2}, "is locked by another program"),
    ],
)
def test_what_takes_too_long_is_ended_and_said_in_a_sentence(
    url: SecretUrl, statement: str, limits: dict[str, float], said: str
) -> None:
    access = dataclasses.replace(DatabaseAccess("clearhouse test"), **limits)
    with (
        closing(open_store(url, access)) as store,
        store.writing() as holder,
        store.engine.connect() as other,
    ):
        holder.execute(sa.text("LOCK TABLE payment"))
        with pytest.raises(ServerError, match=said):
            other.execute(sa.text(statement))


def test_a_transaction_that_stands_still_is_ended_and_the_next_one_works(url: SecretUrl) -> None:
    with closing(open_store(url, DatabaseAccess(idle_seconds=0.2))) as store:
        with store.reading() as connection:
            connection.execute(sa.text("SELECT 1"))
            time.sleep(1)
            with pytest.raises(ServerError, match="stood still"):
                connection.execute(sa.text("SELECT 1"))
        assert shown(store, "idle_in_transaction_session_timeout") == "200ms"


@pytest.fixture
def own_server() -> Iterator[Server]:
    with running() as started:
        yield started


def test_a_worker_goes_on_by_itself_when_its_server_was_killed(
    tmp_path: Path, own_server: Server
) -> None:
    place = sa.make_url(own_server.database("payments")).update_query_dict({"connect_timeout": "2"})
    url = SecretUrl.parse(place.render_as_string(hide_password=False), ("postgresql",))
    log = open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))
    settings = load_settings(_env_file=None)
    in_the_way: list[Exception | None] = []
    stop = threading.Event()
    access = settings.database_access("worker")
    with closing(log), closing(open_store(url, access)) as store, closing(open_store(url)) as idle:
        worker = Worker(log, store, InProcess(), clock=lambda: NOON)
        running_worker = threading.Thread(target=worker.run_until, args=(stop, in_the_way.append))
        running_worker.start()
        try:
            send(log, 1)
            wait_until(lambda: recorded(store) == 1)
            assert shown(idle, "server_version")
            own_server.kill()
            send(log, 2)
            wait_until(lambda: isinstance(in_the_way[-1], ServerError))
            own_server.start()
            wait_until(lambda: recorded(store) == 2)
            wait_until(lambda: in_the_way[-1] is None)
            assert shown(idle, "server_version")  # its connection is of before
        finally:
            stop.set()
            running_worker.join(SOON)


def send(log: Log, number: int) -> None:
    event = an_event(
        EventType.CAPTURED,
        event_id=f"stripe:evt_{number}",
        payment_id=f"pi_{number}",
        webhook_position=number,
    )
    log.append([Message(EVENTS.name, "stripe:k", encode_event(event))])


def recorded(store: PaymentStore) -> int:
    try:
        with store.reading() as connection:
            return len(connection.execute(sa.select(tables.payment_event.c.event_id)).all())
    except ServerError:
        return -1


def wait_until(is_so) -> None:
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
