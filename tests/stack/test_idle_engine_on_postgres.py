"""A server that ends idle sessions: a run that works elsewhere for a while keeps its own."""

import time

import psycopg
import pytest

from clearhouse.core.errors import ServerError, StoreError
from clearhouse.core.urls import SecretUrl
from clearhouse.engines.postgres.connection import only_run
from clearhouse.engines.postgres.engine import PostgresEngine
from clearhouse.pipeline import metrics, ops
from stack.server import Server

_PATIENCE_SECONDS = 0.5
_RUNS = "CREATE TABLE ops.runs (n int)"


@pytest.fixture(scope="module")
def url(server: Server) -> SecretUrl:
    """A database whose sessions may be idle for half a second."""
    whole = server.database("engine_idle")
    with psycopg.connect(whole, autocommit=True) as connection:
        connection.execute(
            f"ALTER DATABASE engine_idle SET idle_session_timeout = '{_PATIENCE_SECONDS}s'"
        )
    return SecretUrl.parse(whole, ("postgresql",))


def test_a_pull_that_takes_long_loses_no_session_of_the_engine(url: SecretUrl) -> None:
    engine = PostgresEngine(url, "ENGINE_URL", reads_only=True)
    assert engine.query("SELECT 1 AS one")["one"].to_pylist() == [1]
    time.sleep(3 * _PATIENCE_SECONDS)
    assert engine.query("SELECT 2 AS two")["two"].to_pylist() == [2]
    engine.close()


def test_a_session_is_also_set_to_what_the_url_says(url: SecretUrl) -> None:
    asked = SecretUrl.parse(f"{url.for_client()}?options=-c%20lock_timeout%3D7s", ("postgresql",))
    engine = PostgresEngine(asked, "ENGINE_URL", reads_only=True)
    sql = "SELECT current_setting('lock_timeout') AS lock, current_setting('timezone') AS zone"
    assert engine.query(sql).to_pylist() == [{"lock": "7s", "zone": "UTC"}]
    assert engine.dbt_target().variables["PGOPTIONS"].startswith("-c lock_timeout=7s -c TimeZone=")
    engine.close()


def test_the_right_to_run_is_kept_while_a_run_works_elsewhere(url: SecretUrl) -> None:
    with only_run(url, "bnpl"):
        time.sleep(3 * _PATIENCE_SECONDS)
        with pytest.raises(StoreError) as refused, only_run(url, "bnpl", wait_seconds=0):
            pass
    assert refused.value.code == "run_under_way"


def test_who_has_lost_the_right_changes_nothing_more(url: SecretUrl) -> None:
    engine = PostgresEngine(url, "ENGINE_URL", (*ops.TABLES, metrics.CREATE, _RUNS))
    added = "INSERT INTO ops.runs VALUES (1)"
    ends = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    with only_run(url, "bnpl"):
        engine.execute(added)
        with psycopg.connect(url.for_client(), autocommit=True) as another:
            another.execute(ends)
        for asks in (lambda: engine.execute(added), engine.dbt_target):
            with pytest.raises(ServerError) as refused:
                asks()
            assert refused.value.code == "lock_lost"
    assert engine.query("SELECT count(*) AS n FROM ops.runs")["n"].to_pylist() == [1]
    engine.close()
