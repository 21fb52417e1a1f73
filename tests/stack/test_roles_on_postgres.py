"""Logins that do not own the stores: what each role may do, and what the server refuses it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from cli_session import command
from payment_lives import NOON, an_event

from clearhouse.core.errors import ServerError, StoreError
from clearhouse.core.urls import SecretUrl
from clearhouse.exporter.figures import read_figures
from clearhouse.log.log import Message, Progress
from clearhouse.log.opening import LogPlace
from clearhouse.payments.event import EventType, encode_event
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.preparing import prepare_roles
from clearhouse.payments.topics import EVENTS, OUTBOX, RECORDED
from clearhouse.payments.worker.loop import Worker
from clearhouse.settings import Settings, load_settings
from clearhouse.store.database import open_to_watch
from stack.server import Server

BATCH, WORKER, STRANGER = "a_batch", "a_worker", "a_stranger"


@dataclass
class Prepared:
    """A database that holds the payments and the books, by who connects to it."""

    server: Server
    database: str
    settings: Settings
    said: list[str]

    def url(self, user: str) -> SecretUrl:
        place = sa.make_url(self.server.url).set(username=user, database=self.database)
        text = place.render_as_string(hide_password=False)
        return SecretUrl.parse(text, ("postgresql",))

    def may(self, user: str, statement: str) -> bool:
        """Whether the server lets a user run a statement; nothing of it stays."""
        with self.server.connected(self.database, user) as connection:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                return False
        return True


@pytest.fixture(scope="module")
def prepared(server: Server) -> Prepared:
    text = server.database("of_roles")
    url = SecretUrl.parse(text, ("postgresql",))
    settings = load_settings(_env_file=None, payments_database_url=url, database_url=url)
    found = Prepared(server, "of_roles", settings, prepare_roles(settings))
    server.make_login(BATCH, "clearhouse_batch", "of_roles")
    server.make_login(WORKER, "clearhouse_worker", "of_roles")
    server.databases.edit(text, f"CREATE ROLE {STRANGER} LOGIN PASSWORD '{server.password}'")
    return found


ROWS = "payment_event", "delivery", "payment", "consumer_progress", "outbox", "letter_state"
WRITES = "DELETE FROM {0}", "INSERT INTO {0} SELECT * FROM {0}"


def test_the_worker_writes_rows_of_payments_and_nothing_else(prepared: Prepared) -> None:
    for table in ROWS:
        assert prepared.may(WORKER, f"SELECT * FROM {table}")
        assert all(prepared.may(WORKER, write.format(table)) for write in WRITES)
    refused = [
        "DROP TABLE payment", "TRUNCATE payment", "ALTER TABLE payment ADD COLUMN more integer",
        "CREATE TABLE more (id integer)", "CREATE INDEX ON payment (status)",
        "UPDATE payments_version SET version_num = '9999'",
        "SELECT * FROM books_journal", "SELECT * FROM quarantine", "DELETE FROM books_current",
        "CREATE ROLE another", "SET ROLE clearhouse_batch",
    ]  # fmt: skip
    assert [each for each in refused if prepared.may(WORKER, each)] == []


def test_the_batch_reads_and_writes_nothing(prepared: Prepared) -> None:
    for table in (*ROWS, "payments_version", "books_journal", "books_current", "quarantine"):
        assert prepared.may(BATCH, f"SELECT * FROM {table}")
        tried = [*(write.format(table) for write in WRITES), f"DROP TABLE {table}"]
        assert [each for each in tried if prepared.may(BATCH, each)] == []
    assert not prepared.may(BATCH, "SELECT nextval('outbox_number_seq')")


def test_a_login_without_a_role_sees_nothing(prepared: Prepared) -> None:
    for table in (*ROWS, "books_journal"):
        assert not prepared.may(STRANGER, f"SELECT * FROM {table}")


def test_the_worker_and_the_batch_do_their_work_by_their_logins(
    prepared: Prepared, tmp_path: Path
) -> None:
    log = open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))
    event = an_event(EventType.CAPTURED, book_date=NOON.date())
    log.append([Message(EVENTS.name, "stripe:k", encode_event(event))])
    of_a_store_that_was_lost = Progress(outbox.CONSUMER, OUTBOX, 1_000)
    log.append([], of_a_store_that_was_lost)
    with closing(log), closing(open_store(prepared.url(WORKER))) as store:
        assert Worker(log, store, InProcess(), clock=lambda: NOON).step() == 1
        assert log.end(RECORDED.name) == 1
    (held,) = RecordedStore(prepared.url(BATCH)).days([NOON.date()]).values()
    assert held.records == 1
    reads = {"PAYMENTS_DATABASE_URL": prepared.url(BATCH).for_client()}
    for step in ("extract_daily_batch", "validate_raw_schema", "normalize_entities"):
        done = command(tmp_path, "step", "payments", step, "--date", NOON.date(), **reads)
        assert done.exit_code == 0, done.output


def test_the_exporter_reads_the_books_by_the_login_of_the_batch(prepared: Prepared) -> None:
    engine = open_to_watch(prepared.url(BATCH))
    with engine.connect() as connection:
        read_figures(connection)
    engine.dispose()
    engine = open_to_watch(prepared.url(WORKER))
    with engine.connect() as connection, pytest.raises(ServerError, match="does not let the user"):
        read_figures(connection)
    engine.dispose()


def test_to_prepare_again_makes_nothing(prepared: Prepared) -> None:
    again = prepare_roles(prepared.settings)
    assert not [line for line in again if "was made" in line]
    assert all(prepared.server.password not in line for line in (*prepared.said, *again))


def test_tables_of_which_the_owner_migrates_are_granted_with_them(
    prepared: Prepared, server: Server
) -> None:
    text = server.database("migrated_later")
    with closing(open_store(SecretUrl.parse(text, ("postgresql",)))):
        pass
    later = Prepared(server, "migrated_later", prepared.settings, [])
    with closing(open_store(later.url(WORKER))) as store, store.reading() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM payment")) == 0
    assert not later.may(BATCH, "DELETE FROM payment")


@pytest.mark.parametrize("found", ["nothing", "an earlier version"])
def test_who_does_not_own_the_tables_does_not_migrate_them(
    prepared: Prepared, server: Server, found: str
) -> None:
    name = f"not_prepared_{found[:2]}"
    text = server.database(name)
    if found != "nothing":
        open_store(SecretUrl.parse(text, ("postgresql",))).close()
        server.databases.edit(text, "UPDATE payments_version SET version_num = '0000'")
    store = Prepared(server, name, prepared.settings, [])
    with pytest.raises(StoreError) as refused:
        open_store(store.url(WORKER))
    assert refused.value.code == "payments_not_prepared"
    assert refused.value.message == (
        "The tables of the payments are not as this version of Clearhouse needs them, and the user "
        "of PAYMENTS_DATABASE_URL does not own them: let their owner run "
        "`clearhouse payments prepare`."
    )


@pytest.fixture
def owner_without_roles(server: Server) -> Iterator[SecretUrl]:
    """The owner of a database who may make no roles, on a server that has lost one."""
    text = server.database("of_an_owner")
    server.databases.edit(
        text,
        f"CREATE ROLE an_owner LOGIN PASSWORD '{server.password}'",
        "ALTER DATABASE of_an_owner OWNER TO an_owner",
        "ALTER ROLE clearhouse_batch RENAME TO set_aside",
    )
    place = sa.make_url(text).set(username="an_owner")
    yield SecretUrl.parse(place.render_as_string(hide_password=False), ("postgresql",))
    server.databases.edit(text, "ALTER ROLE set_aside RENAME TO clearhouse_batch")


def test_an_owner_who_may_make_no_roles_is_told_what_an_administrator_has_to_run(
    prepared: Prepared, owner_without_roles: SecretUrl
) -> None:
    settings = prepared.settings.model_copy(
        update={"payments_database_url": owner_without_roles, "database_url": ""}
    )
    with pytest.raises(ServerError) as refused:
        prepare_roles(settings)
    assert refused.value.code == "roles_missing"
    assert "CREATE ROLE clearhouse_batch NOLOGIN;" in refused.value.message
