"""Runs payments in children of a warm process, which can die at any durable write."""

from pathlib import Path
from typing import Any

from children import answer_orders, warm_up
from payments_home import Home

from clearhouse.core.window import Window
from clearhouse.payments.domain import PAYMENTS
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import connected, open_run
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import steps_of
from crash.conftest import DAYS_OF_PAYMENTS
from crash.runner import watch_everything, writes_of

DAYS = {"healthy": DAYS_OF_PAYMENTS[:1], "restated": DAYS_OF_PAYMENTS}
"""The days that are run; the last of them is the one at whose writes a run dies."""


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Run the steps of an order, and tell what came of it."""
    home = Home(Path(order["home"]))
    days = DAYS[order["scenario"]]
    watch_everything(writes_of(order))
    steps = [s for s in steps_of(PAYMENTS) if s.name in order.get("steps", [s.name])]
    with connected(PAYMENTS, home.settings) as connections:
        run = open_run(PAYMENTS, home.settings, connections)
        report = run_steps(steps, run, Window.day(days[-1]), run_id=run.run_id)
    answer: dict[str, Any] = {"exit_code": int(report.exit_code)}
    if order.get("judge"):
        with home.opened() as run:
            answer |= judged(run, order["scenario"])
    return answer


def judged(run: Run, scenario: str) -> dict[str, Any]:
    """What the books and the readers say."""
    audited = audit_days(run)
    decisions = run.decisions.of_many([e.entry_id for e in run.books.current(run.name)])
    return {
        "findings": [str(f) for f in audited.findings],
        "statuses": sorted({str(e.status) for e in audited.entries}),
        "certificates": [close_day(run, day).certificate.body for day in DAYS[scenario]],
        "readers": {name: rows_of(run, name) for name in sorted(shown(run))},
        "verdicts": sorted((d.gate, d.passed) for ds in decisions.values() for d in ds),
    }


def shown(run: Run) -> set[str]:
    """All that readers can ask for."""
    declared = [each.declared for each in run.datasets]
    names = {name for each in declared for name in (each.readers, *each.views)}
    return names | {
        derived.served for each in declared for derived in each.derived if not derived.is_internal
    }


def rows_of(run: Run, relation: str) -> str:
    rows = run.engine.query_readers(relation, f"SELECT * FROM {relation} AS r ORDER BY r")
    return str(rows.to_pylist() if rows is not None else None)


if __name__ == "__main__":
    warm_up(PAYMENTS)
    answer_orders(obey)
