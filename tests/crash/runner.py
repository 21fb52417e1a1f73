"""Runs the toy's steps in children of a warm process, which can die at any durable write."""

from pathlib import Path
from typing import Any

from children import answer_orders, warm_up
from dbt.adapters.sql.connections import SQLConnectionManager
from durable_writes import Writes
from sqlalchemy.engine.default import DefaultDialect
from toy.domain import TOY
from toy_home import DAY, HIDDEN, TAKINGS, TICKETS, Toy

from clearhouse.core.window import Window
from clearhouse.engines import entry_files, readers
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.landing.folder import ObjectFolder
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.opening import connected, open_run
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.settings import load_settings

SERVED = (TICKETS, TAKINGS, HIDDEN)
FAULTS = {"healthy": {}, "restated": {DAY: ("restated",)}}


class SqlChanges:
    """Tells the SQL commits that change rows from those that don't.

    Connections are kept, since another one could get the id of one that is gone.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, int]] = {}

    def __call__(self, _dialect: Any, connection: Any) -> bool:
        _, before = self._seen.get(id(connection), (connection, 0))
        now: int = connection.total_changes
        self._seen[id(connection)] = connection, now
        return now != before


def watch_everything(writes: Writes) -> None:
    """All that makes something durable: objects, SQL commits (Iceberg's too), DuckDB, dbt.

    A gold file, and the file that readers open, are renamed to their places between two syncs.
    """
    writes.watch(ObjectFolder, "create", "object")
    writes.watch(DefaultDialect, "do_commit", "sql", SqlChanges())
    writes.watch(DuckDBEngine, "execute", "duckdb")
    writes.watch(entry_files, "sync", "gold file")
    writes.watch(readers, "sync", "readers' file")
    writes.watch(SQLConnectionManager, "add_commit_query", "dbt")


def writes_of(order: dict[str, Any]) -> Writes:
    """Those of a child, which dies at one or looks at what each has changed, as an order says."""
    return Writes(
        Path(order["journal"]),
        order.get("die_at", 0),
        order.get("after", False),
        looks_at=Path(order["home"]) if order.get("looks") else None,
    )


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Run the steps of an order, and tell what came of it."""
    toy = Toy(Path(order["home"]))
    watch_everything(writes_of(order))
    steps = [s for s in STEPS if s.name in order.get("steps", [s.name])]
    settings = load_settings(_env_file=None, clearhouse_home=toy.home)
    with connected(TOY, settings, FAULTS[order["scenario"]]) as connections:
        run = open_run(TOY, settings, connections)
        report = run_steps(steps, run, Window.day(DAY), run_id=run.run_id)
    answer: dict[str, Any] = {"exit_code": int(report.exit_code)}
    return {**answer, **judged(toy)} if order.get("judge") else answer


def judged(toy: Toy) -> dict[str, Any]:
    """What the books and the readers say."""
    run = toy.open()
    audited = audit_days(run)
    decisions = run.decisions.of_many([e.entry_id for e in run.books.current(run.name)])
    return {
        "findings": [str(f) for f in audited.findings],
        "statuses": sorted({str(e.status) for e in audited.entries}),
        "certificate": close_day(run, DAY).certificate.body,
        "readers": [str(toy.read(f"SELECT * FROM {name} ORDER BY ALL")) for name in SERVED],
        "verdicts": sorted((d.gate, d.passed) for ds in decisions.values() for d in ds),
    }


if __name__ == "__main__":
    warm_up(TOY)
    answer_orders(obey)
