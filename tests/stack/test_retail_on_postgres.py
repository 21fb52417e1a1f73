"""Retail on PostgreSQL as its users expect it: views, keys, indexes, and readers without a wait."""

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from retail_home import SMALL, retailers, settings_of

from clearhouse.core.errors import ServerError
from clearhouse.engines.postgres import readers
from clearhouse.pipeline import ops
from clearhouse.pipeline.close import audit_days
from stack.server import Server
from stack.two_engines import Home

DAYS = [dt.date(2024, 1, 8) + dt.timedelta(days=n) for n in range(5)]
FAULTS = {DAYS[1]: ("corrected", "null_characters"), DAYS[2]: ("restated",), DAYS[3]: ("late",)}
DATABASE = "shop"
FACT = "gold.fct_retail_sales"
SUMMARIES = {
    "mv_daily_sales_by_product",
    "mv_daily_sales_summary",
    "mv_monthly_sales_by_category",
    "mv_quarterly_sales_summary",
    "mv_top_products_by_revenue",
    "mv_weekly_sales_trends",
}
KEYS = ("date_key", "product_key", "customer_key", "store_key", "retailer_key")
SUMS = ", ".join(
    ["(SELECT sum(total_amount) FROM marts.fact_sales)"]
    + [f"(SELECT sum(net_amount) FROM marts.{name})" for name in sorted(SUMMARIES)]
)
IN_NO_TIME = {"options": "-c lock_timeout=100ms"}
Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Three days; readers, runs and books have one database."""
    url = server.database(DATABASE)
    options = replace(SMALL, scale=0.3, faults=FAULTS)
    with retailers(options) as urls:
        settings = {"ENGINE_URL": url, "DATABASE_URL": url, **settings_of(urls)}
        home = Home(tmp_path_factory.mktemp("shop") / "home", "retail", settings)
        assert home.run(DAYS[0], DAYS[2]).exit_code == 0
        yield home


@pytest.fixture
def connection(server: Server, shop: Home) -> Iterator[Connection]:
    with server.connected(DATABASE) as connection:
        yield connection


def asked(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    return connection.execute(sql).fetchall()


def test_the_six_summaries_are_materialized_views(connection: Connection) -> None:
    found = asked(connection, "SELECT matviewname FROM pg_matviews WHERE schemaname = 'marts'")
    assert {name for (name,) in found} == SUMMARIES
    ((total, *others),) = asked(connection, f"SELECT {SUMS}")
    assert set(others) == {total}


def test_a_key_that_is_in_no_dimension_is_refused(connection: Connection) -> None:
    sql = f"""SELECT attname FROM pg_constraint
        JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
        WHERE contype = 'f' AND conrelid = '{FACT}'::regclass"""
    assert {name for (name,) in asked(connection, sql)} == set(KEYS)
    for key in KEYS:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute(f"UPDATE {FACT} SET {key} = -1")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("DELETE FROM gold.retail_product_members")
    with pytest.raises(psycopg.errors.NotNullViolation):
        connection.execute(f"UPDATE {FACT} SET customer_key = NULL")


@pytest.mark.parametrize(
    ("relation", "condition"),
    [
        *(
            (FACT, condition)
            for condition in (
                "sale_date = '2024-01-09'",
                "retailer = 'retailer_1' AND sale_date > '2024-01-09'",
                "product_key = 7",
                "customer_key = 7",
                "store_key = 7",
                "_record_key = 'x'",
                "_entry_id = 'x'",
            )
        ),
        ("gold.int_retail_published", "_book_date = '2024-01-09'"),
        ("gold.int_retail_published", "customer_key = 7"),
        ("marts.mv_daily_sales_by_product", "sale_date = '2024-01-09'"),
        ("marts.mv_daily_sales_by_product", "product_key = 7"),
        ("silver.stg_retail_sales", "_book_date = '2024-01-09'"),
        ("silver.stg_retail_sales", "_record_key = 'x'"),
    ],
)
def test_what_is_often_looked_for_has_an_index(
    connection: Connection, relation: str, condition: str
) -> None:
    connection.execute("SET enable_seqscan = off")  # which a small table is cheaper to read by
    plan = asked(connection, f"EXPLAIN SELECT * FROM {relation} WHERE {condition}")
    text = "\n".join(str(line) for (line,) in plan)
    assert "Index Cond" in text, text
    assert "Seq Scan" not in text, text


def test_the_rows_of_a_day_are_looked_for_in_its_month(connection: Connection) -> None:
    connection.execute("BEGIN")
    connection.execute(
        f"CREATE TABLE gold.february PARTITION OF {FACT} "
        "FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')"
    )
    plan = asked(connection, f"EXPLAIN DELETE FROM {FACT} WHERE _book_date = '2024-01-09'")
    connection.execute("ROLLBACK")
    text = str(plan)
    assert "fct_retail_sales_2024_01" in text
    assert "february" not in text


def test_a_month_that_is_attached_survives_a_crash_of_the_server(connection: Connection) -> None:
    parts = asked(
        connection,
        f"""SELECT relname, relpersistence FROM pg_inherits
        JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = '{FACT}'::regclass""",
    )
    assert parts == [("fct_retail_sales_2024_01", "p")]
    sql = "SELECT relname FROM pg_class WHERE relnamespace = 'next'::regnamespace"
    assert not [name for (name,) in asked(connection, sql) if "fct_retail_sales_" in str(name)]


def test_statistics_say_how_many_lines_a_month_has(connection: Connection) -> None:
    counted = f"SELECT count(*) FROM {FACT}_2024_01"
    sql = f"SELECT reltuples::bigint FROM pg_class WHERE oid = '{FACT}_2024_01'::regclass"
    assert asked(connection, sql) == asked(connection, counted)


def test_of_published_lines_there_are_no_indexes_but_those_for_mending(
    connection: Connection,
) -> None:
    sql = """SELECT array_agg(attname::text ORDER BY place) FROM pg_index
        JOIN LATERAL unnest(indkey) WITH ORDINALITY AS keys (attnum, place) ON true
        JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = keys.attnum
        WHERE indrelid = 'gold.int_retail_published'::regclass GROUP BY indexrelid"""
    assert sorted(columns for (columns,) in asked(connection, sql)) == [
        ["_book_date"],
        ["_record_key"],
        ["customer_key", "sale_date"],
        ["sale_date", "retailer"],
    ]


def test_a_text_with_a_null_character_takes_none_of_its_neighbours(shop: Home) -> None:
    listed = json.loads(shop.command("quarantine", "list", "--domain", "retail", "--json").stdout)
    assert {row["book_date"] for row in listed} == {str(DAYS[1])}
    assert {row["violations"][0]["code"] for row in listed} == {"null_character"}
    run = shop.opened()
    assert set(run.publications.pointers("retail.sales")) == set(DAYS[:3])
    assert audit_days(run).findings == ()
    run.engine.close()


def test_an_analyst_reads_what_is_published_and_nothing_else(
    server: Server, connection: Connection
) -> None:
    server.make_login("ann", "clearhouse_reader", DATABASE)
    with server.connected(DATABASE, user="ann") as ann:
        for name in (*SUMMARIES, "fact_sales", "dim_date", "dim_product", "dim_customer"):
            assert asked(ann, f"SELECT count(*) > 0 FROM marts.{name}") == [(True,)], name
        for refused in (
            "SELECT 1 FROM bronze.retail_sales_loaded",
            "SELECT 1 FROM silver.stg_retail_sales",
            "SELECT 1 FROM gold.int_retail_published",
            "SELECT 1 FROM gold.fct_retail_sales_2024_01",
            "SELECT 1 FROM ops.build_day",
            "SELECT 1 FROM public.books_entry",
            "SELECT 1 FROM public.quarantine",
            f"DELETE FROM {FACT}",
            "REFRESH MATERIALIZED VIEW marts.mv_daily_sales_summary",
            "UPDATE ops.publication SET entry_id = ''",
            "CREATE TABLE marts.mine (n int)",
            "CREATE TABLE public.mine (n int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ann.execute(refused)
    connection.execute("BEGIN")
    connection.execute(f"UPDATE ops.publication SET entry_id = '' WHERE book_date = '{DAYS[1]}'")
    connection.execute("SET LOCAL ROLE ann")
    for relation in (FACT, "marts.fact_sales"):
        days = asked(connection, f"SELECT DISTINCT _book_date FROM {relation} ORDER BY 1")
        assert days == [(DAYS[0],), (DAYS[2],)], relation
    connection.execute("ROLLBACK")


@contextmanager
def polled(server: Server, sql: str) -> Iterator[set[tuple[object, ...]]]:
    """What a reader is answered, over and over, who waits for nothing longer than a moment."""
    seen: set[tuple[object, ...]] = set()
    failed: list[BaseException] = []
    done = threading.Event()

    def poll() -> None:
        try:
            with server.connected(DATABASE, **IN_NO_TIME) as connection:
                while not done.is_set():
                    seen.update(asked(connection, sql))
                    time.sleep(0.02)
        except psycopg.Error as error:
            failed.append(error)

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        yield seen
    finally:
        done.set()
        reader.join()
    assert not failed, failed


def test_views_are_refreshed_while_readers_read_them(shop: Home, server: Server) -> None:
    with server.connected(DATABASE) as patient, polled(server, f"SELECT {SUMS}") as seen:
        patient.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        before = asked(patient, f"SELECT {SUMS}")

        ran = shop.run(DAYS[3], DAYS[3])

        assert ran.exit_code == 0, ran.output
        assert asked(patient, f"SELECT {SUMS}") == before
        patient.execute("COMMIT")
        after = asked(patient, f"SELECT {SUMS}")
    assert seen == {*before, *after}
    assert len(seen) == 2
    assert all(len(set(sums)) == 1 for sums in seen)


def made_anew(shop: Home) -> None:
    """Let what derives from published rows be of other models than those in force."""
    run = shop.opened()
    ops.to_be_made_anew(run.engine, "retail")
    run.engine.close()


def test_what_other_models_make_anew_waits_for_a_reader_who_holds_a_view(
    shop: Home, server: Server, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_anew(shop)
    with server.connected(DATABASE) as patient:
        patient.execute("BEGIN")
        before = asked(patient, f"SELECT {SUMS}")
        with monkeypatch.context() as hasty:
            hasty.setattr(readers, "_LOCK_SECONDS", 1)
            refused = shop.run(DAYS[4], DAYS[4])
        assert isinstance(refused.exception, ServerError)
        assert "Somebody has a transaction open" in str(refused.exception)
        assert asked(patient, f"SELECT {SUMS}") == before

        ending = threading.Thread(target=lambda: ended_when_waited_for(connection, patient))
        ending.start()
        ran = shop.run(DAYS[4], DAYS[4])
        ending.join()
    assert ran.exit_code == 0, ran.output
    ((total, *others),) = asked(connection, f"SELECT {SUMS}")
    assert set(others) == {total} != {before[0][0]}


def ended_when_waited_for(connection: Connection, patient: Connection) -> None:
    deadline = time.monotonic() + 60
    waiting = "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database AND NOT granted"
    while not asked(connection, f"{waiting} WHERE datname = '{DATABASE}'"):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)
    patient.execute("COMMIT")


def test_all_is_rebuilt_from_landing_in_place(shop: Home, connection: Connection) -> None:
    before = asked(connection, "SELECT * FROM marts.mv_daily_sales_by_product ORDER BY 1, 2")
    connection.execute("DELETE FROM gold.mv_daily_sales_by_product WHERE product_key % 2 = 0")
    connection.execute("REFRESH MATERIALIZED VIEW marts.mv_daily_sales_by_product")
    connection.execute("UPDATE gold.int_retail_customers SET first_sale_on = '2020-01-01'")
    connection.execute(f"DELETE FROM {FACT} WHERE _book_date = '{DAYS[0]}'")
    connection.execute("TRUNCATE silver.stg_retail_sales")

    rebuilt = shop.command("rebuild", "retail")

    assert rebuilt.exit_code == 0, rebuilt.output
    after = asked(connection, "SELECT * FROM marts.mv_daily_sales_by_product ORDER BY 1, 2")
    assert after == before
    verified = shop.command("verify", "retail")
    assert (verified.exit_code, "0 differences" in verified.output) == (0, True), verified.output
