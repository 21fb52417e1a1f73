"""Runs retail on PostgreSQL in children of a warm process; they, or the server, die at a write."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from children import answer_orders, warm_up
from crash.runner import SqlChanges
from dbt.adapters.sql.connections import SQLConnectionManager
from durable_writes import Writes, die
from retail_home import Shops
from sqlalchemy.engine.default import DefaultDialect

from clearhouse.core.errors import ClearhouseError
from clearhouse.core.urls import SecretUrl
from clearhouse.core.window import Window
from clearhouse.engines.postgres.engine import PostgresEngine
from clearhouse.landing.folder import ObjectFolder
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.retail.domain import RETAIL


class Changes(SqlChanges):
    """Tells the SQL commits that change rows from those that don't, of files and of the server."""

    def __call__(self, dialect: Any, connection: Any) -> bool:
        if dialect.name == "sqlite":
            return super().__call__(dialect, connection)
        cursor = connection.cursor()
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return bool(cursor.fetchone()[0])


def watch_everything(writes: Writes) -> None:
    """All that makes something durable: objects, the books, Iceberg, the engine and dbt."""
    writes.watch(ObjectFolder, "create", "object")
    writes.watch(DefaultDialect, "do_commit", "sql", Changes())
    for method in ("execute", "expose_bronze", "keep_built"):
        writes.watch(PostgresEngine, method, f"engine {method}")
    writes.watch(SQLConnectionManager, "add_commit_query", "dbt")


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Run the window of an order, and tell what came of it."""
    url = order["database"]
    shops = Shops(Path(order["home"]), {"engine_url": url, "database_url": url})
    window = Window.parse(order["first"], order["last"])
    server = order.get("server")
    kill = die if server is None else lambda: os.kill(server, signal.SIGKILL)
    writes = Writes(Path(order["journal"]), order.get("die_at", 0), order.get("after", False), kill)
    watch_everything(writes)
    try:
        run = shops.open(order["urls"])
        report = run_steps(STEPS, run, window, run_id=run.run_id)
    except ClearhouseError as error:
        return {"refused": error.code}
    answer: dict[str, Any] = {"exit_code": int(report.exit_code)}
    return answer | (judged(run, window) if order.get("judge") else {})


def judged(run: Run, window: Window) -> dict[str, Any]:
    """What the books and the readers say."""
    audited = audit_days(run)
    declared = run.dataset().declared
    shown = [declared.readers, *declared.views]
    shown += [each.served for each in declared.derived if not each.is_internal]
    return {
        "findings": [str(f) for f in audited.findings],
        "statuses": sorted({str(e.status) for e in audited.entries}),
        "certificates": [close_day(run, day).certificate.body for day in window],
        "readers": {name: rows_of(run, name) for name in shown},
    }


def rows_of(run: Run, relation: str) -> str:
    rows = run.engine.query_readers(relation, f"SELECT * FROM {relation} AS r ORDER BY r")
    return str(rows.to_pylist() if rows is not None else None)


if __name__ == "__main__":
    warm_up(RETAIL, PostgresEngine(SecretUrl.parse(sys.argv[1], ("postgresql",)), "ENGINE_URL"))
    answer_orders(obey)
