"""Runs BNPL steps in children of a warm process, which can be made to die at a durable write."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bnpl_home import DAY, Warehouse
from children import answer_orders, warm_up
from dbt.adapters.sql.connections import SQLConnectionManager
from sqlalchemy.engine.default import DefaultDialect

from clearhouse.bnpl.domain import BNPL
from clearhouse.core.window import Window
from clearhouse.engines import entry_files, readers
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.landing.folder import ObjectFolder
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS

_READERS = """
    SELECT count(*) AS n, sum(amount)::VARCHAR AS total, max(_record_id) AS last,
        sum(('0x' || substr(md5(_record_id || status), 1, 15))::BIGINT)::VARCHAR AS content
    FROM {readers}"""


class Writes:
    """Notes the durable writes of this process, and ends it at one of them.

    Args:
        journal: file that each write is noted in, when it begins and when it is done.
        die_at: number of the write, from 1; 0 for never.
        after: die when it is done, and not when it begins.
    """

    def __init__(self, journal: Path, die_at: int, after: bool) -> None:
        self._journal, self._die_at, self._after = journal, die_at, after
        self._count = 0
        self._noting = threading.Lock()
        """dbt writes from two threads: what was noted last is what this process died of."""

    def watch(
        self, owner: Any, method: str, kind: str, when: Callable[..., bool] = lambda *_: True
    ) -> None:
        """Let a method be a durable write, where `when` says so of its arguments."""
        inner = getattr(owner, method)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if not when(*args):
                return inner(*args, **kwargs)
            with self._noting:
                self._count += 1
                number = self._count
                self._note(number, kind, after=False)
            answer = inner(*args, **kwargs)
            with self._noting:
                self._note(number, kind, after=True)
            return answer

        setattr(owner, method, watched)

    def _note(self, number: int, kind: str, *, after: bool) -> None:
        with self._journal.open("a") as journal:
            journal.write(f"{number} {'after' if after else 'before'} {kind}\n")
        if number == self._die_at and after == self._after:
            os.kill(os.getpid(), signal.SIGKILL)


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


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Run the steps of an order, and tell what came of it."""
    warehouse = Warehouse(Path(order["home"]), order["url"], base_daily_volume=order["volume"])
    writes = Writes(Path(order["journal"]), order.get("die_at", 0), order.get("after", False))
    watch_everything(writes)
    steps = [s for s in STEPS if s.name in order.get("steps", [s.name])]
    run = warehouse.open(refresh=order.get("refresh", False))
    report = run_steps(steps, run, Window.day(DAY), run_id=run.run_id)
    answer: dict[str, Any] = {"exit_code": int(report.exit_code)}
    if order.get("judge"):
        audited = audit_days(warehouse.open())
        answer["findings"] = [str(f) for f in audited.findings]
        answer["statuses"] = sorted({str(e.status) for e in audited.entries})
        answer["certificate"] = close_day(warehouse.open(), DAY).certificate.body
        answer["readers"] = warehouse.readers(_READERS)
        decisions = run.decisions.of_many([e.entry_id for e in run.books.current(run.name)])
        answer["verdicts"] = sorted((d.gate, d.passed) for ds in decisions.values() for d in ds)
    return answer


if __name__ == "__main__":
    warm_up(BNPL)
    answer_orders(obey)
