"""What a step may build on, decided from the books alone.

Entries, verdicts and releases are stored; what an earlier step returned is not asked. So steps that
run one by one, in other processes and in any order, come to the same as a whole run.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from clearhouse.books.model import Entry, Status
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Gate
from clearhouse.pipeline.gates import verdicts_in_force
from clearhouse.pipeline.runner import StepReport

STEP_OF_STAGE = {
    "bronze": "validate_raw_schema",
    "silver": "normalize_entities",
    "gold": "run_dbt_pipeline",
    "judged": "validate_business_rules",
}
"""The step to run where a stage has not been reached."""


@dataclass
class Cleared:
    """Entries that may be built on, and why the other days may not.

    Attributes:
        entries: by day.
        held: days that a gate holds, with its reasons.
        failed: days that have not come so far, with the step to run.
        unbalanced: days whose books don't balance.
    """

    entries: dict[dt.date, Entry] = field(default_factory=dict)
    held: dict[dt.date, str] = field(default_factory=dict)
    failed: dict[dt.date, str] = field(default_factory=dict)
    unbalanced: dict[dt.date, str] = field(default_factory=dict)

    def stop(self, report: StepReport) -> None:
        """Report the days that may not be built on."""
        report.held.update(self.held)
        report.failed.update(self.failed)
        report.unbalanced.update(self.unbalanced)


def bronze_cleared(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Cleared:
    """Days in bronze that balance and that the raw gate lets pass."""
    found = _balanced(run, dataset.names.bronze, "bronze", days)
    return _judged(run, dataset, dataset.declared.raw_gate, "bronze", found)


def silver_cleared(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Cleared:
    """Days in silver that balance, made from what is cleared in bronze."""
    before = bronze_cleared(run, dataset, days)
    return _balanced(run, dataset.names.silver, "silver", days, before)


def gold_built(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Cleared:
    """Days whose candidates in gold balance, made from what is cleared in silver."""
    before = silver_cleared(run, dataset, days)
    return _balanced(run, dataset.names.gold, "gold", days, before)


def gold_cleared(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Cleared:
    """The same, and the business gate lets them pass: readers may see them."""
    found = gold_built(run, dataset, days)
    return _judged(run, dataset, dataset.declared.business_gate, "judged", found)


def _balanced(
    run: Run, hop: str, stage: str, days: Sequence[dt.date], before: Cleared | None = None
) -> Cleared:
    """The current entries of a hop that balance and were made from cleared entries before them."""
    found = Cleared({}, before.held, before.failed, before.unbalanced) if before else Cleared()
    current = {e.key.book_date: e for e in run.books.current(run.name, hop, days)}
    for day in before.entries if before else days:
        entry = current.get(day)
        if entry is None or entry.status in (Status.OPEN, Status.FAILED):
            found.failed[day] = _not_yet(stage, day)
        elif entry.status is Status.UNBALANCED:
            found.unbalanced[day] = f"The books don't balance from {hop}: run `clearhouse books`."
        elif before and entry.key.input_hash != before.entries[day].entry_id:
            found.failed[day] = _not_yet(stage, day)
        else:
            found.entries[day] = entry
    return found


def _judged(run: Run, dataset: OpenDataset, gate: Gate, stage: str, found: Cleared) -> Cleared:
    """Entries that a gate has passed, or that a person has released."""
    verdicts = verdicts_in_force(run, gate, found.entries)
    closed = run.certificates.closed_days(run.name)
    for day in list(found.entries):
        verdict = verdicts.get(day)
        is_current = verdict is not None and (
            day in closed or verdict.gate_hash == dataset.versions.gates[gate.name]
        )
        if verdict is not None and verdict.holds:
            found.held[day] = "; ".join(verdict.failures)
        elif not is_current:
            found.failed[day] = _not_yet(stage, day)
        else:
            continue
        del found.entries[day]
    return found


def _not_yet(stage: str, day: dt.date) -> str:
    step = STEP_OF_STAGE[stage]
    return f"The step {step} has not been done for {day} as it is now: run it first."
