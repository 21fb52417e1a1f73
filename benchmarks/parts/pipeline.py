"""The pipeline as `clearhouse run bnpl` does it, from a sandbox's HTTP to published marts.

All steps run in one process, since each uses what the one before kept in memory: the seconds of a
step by itself would be others.
"""

from contextlib import ExitStack
from typing import cast

from benchmarks.jobs import Done, Job, Stopwatch, Task
from benchmarks.parts.warehouse import (
    audited,
    contents,
    done,
    import_all,
    opened,
    settings_of,
)
from clearhouse.bnpl.domain import BNPL
from clearhouse.bnpl.source import SIMTOM, SimtomConnection
from clearhouse.books.hop import Hop
from clearhouse.books.in_store import InStore
from clearhouse.books.journal import Recording
from clearhouse.books.ledger import Books
from clearhouse.books.model import Side
from clearhouse.core.window import Window
from clearhouse.pipeline import bronze
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import connected
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.settings import Settings

DBT = "dbt"
RAW_GATE = "raw gate"
MEASURED, RECORDED, JOURNAL = "books measured", "books recorded", "journal"
ASKED, COMPARED = "books asked", "bronze compared"
"""What the books cost: stores measured, entries and decisions written and of that the journal,
what was written asked for, bronze derived once more."""


def pipeline(job: Job, stack: ExitStack) -> Task:
    """All steps over the days, with a sandbox in a process beside."""
    return steps_over(settings_of(job), job.window, stack)


def steps_over(settings: Settings, window: Window, stack: ExitStack) -> Task:
    """All steps over a window, in a home with or without days before."""
    import_all()
    connections = stack.enter_context(connected(BNPL, settings))
    cast(SimtomConnection, connections[SIMTOM]).url()  # starts the sandbox
    watch = Stopwatch()
    run = opened(settings, connections, watch)
    watch.watch(run.dbt, "build", DBT)
    watch.watch(run.gates, "judge", RAW_GATE, during="validate_raw_schema")
    _watch_books(watch, run)

    def measured() -> Done:
        with watch.timed("all"):
            report = run_steps(STEPS, run, window, run_id=run.run_id, progress=watch)
        done(report)
        entries = run.books.current(BNPL.name, run.dataset().names.bronze, list(window.days()))
        landed = run.landing.days(SIMTOM, window)
        return Done(
            sum(entry.totals[Side.IN].records for entry in entries),
            sum(each.payload_bytes for objects in landed.values() for each in objects),
            watch.seconds,
        )

    def content() -> dict[str, str]:
        audited(run)
        return contents(run.settings.readers_path)

    return Task(measured, content)


def _watch_books(watch: Stopwatch, run: Run) -> None:
    watch.watch(Hop, "measure", MEASURED)
    watch.watch(bronze, "_differing", COMPARED)
    watch.watch(Recording, "end", JOURNAL)
    watch.watch(InStore, "rows", ASKED)
    watch.watch(Books, "_load", ASKED)
    watch.watch(run.decisions, "of_many", ASKED)
    watch.watch(run.decisions, "record", RECORDED)
    watch.watch(run.publications, "add", RECORDED)
    for method in ("open", "close", "fail"):
        watch.watch(run.books, method, RECORDED)
