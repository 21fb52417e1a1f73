"""The tables of the payments' store: what migrations make, and the indexes that queries find."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from clearhouse.payments.event import Provider
from clearhouse.payments.gaps import accounts_of
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import SCHEMA, PaymentStore, open_store
from clearhouse.payments.store.progress import read_progress

DAYS = [dt.date(2026, 3, day) for day in (7, 8, 9)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PaymentStore]:
    opened = open_store(f"sqlite:///{tmp_path}/payments.db")
    yield opened
    opened.close()


def test_migrations_make_the_tables_as_this_version_has_them(store: PaymentStore) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "payments_version"})
        assert compare_metadata(context, tables.metadata) == []


def test_days_and_accounts_are_asked_for_without_reading_all_events(
    store: PaymentStore, tmp_path: Path
) -> None:
    recorded = RecordedStore(f"sqlite:///{tmp_path}/payments.db")
    asked = {
        "COVERING INDEX payment_event_by_day": lambda: recorded.days(DAYS),
        "INDEX payment_event_by_day": lambda: recorded.lines(DAYS[0], 1_000),
        "INDEX payment_event_of_payouts": lambda: recorded.payouts(Provider.STRIPE, DAYS),
        "INDEX ix_delivery_book_date": lambda: recorded.deliveries(DAYS),
        "INDEX payment_event_of_connected": lambda: accounts_of(store),
    }
    for index, ask in asked.items():
        assert any(f"USING {index} (" in step for step in plan_of(store, ask)), index


def plan_of(store: PaymentStore, ask: Any) -> list[str]:
    """How the store would find what a call asks it for."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if sql.startswith("SELECT"):
            statements.append((sql, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    with store.reading() as connection:
        return [
            str(row[3])
            for sql, parameters in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        ]


def test_a_store_of_a_log_of_one_partition_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/before.db"
    with sa.create_engine(url).begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCHEMA.migrations))
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO consumer_progress VALUES ('worker', 'events', 9)")
        connection.exec_driver_sql(
            "INSERT INTO payment_event SELECT 'stripe:1', 7, '2026-03-09', 'stripe', '', 1, "
            "'captured', NULL, NULL, 1, 'USD', '2026-03-09', '', '', x'', '2026-03-09'"
        )

    store = open_store(url)

    with store.reading() as connection:
        assert read_progress(connection, "worker", "events").positions == (9,)
    assert RecordedStore(url).days(DAYS)[DAYS[2]].through == 7
    store.close()
