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
from clearhouse.books.model import Side
from clearhouse.pipeline.opening import connected
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS

DBT = "dbt"
RAW_GATE = "raw gate"


def pipeline(job: Job, stack: ExitStack) -> Task:
    """All steps over the days, with a sandbox in a process beside."""
    import_all()
    connections = stack.enter_context(connected(BNPL, settings_of(job)))
    cast(SimtomConnection, connections[SIMTOM]).url()  # starts the sandbox
    watch = Stopwatch()
    run = opened(settings_of(job), connections, watch)
    watch.watch(run.dbt, "build", DBT)
    watch.watch(run.gates, "judge", RAW_GATE, during="validate_raw_schema")

    def measured() -> Done:
        with watch.timed("all"):
            report = run_steps(STEPS, run, job.window, run_id=run.run_id, progress=watch)
        done(report)
        entries = run.books.current(BNPL.name, run.dataset().names.bronze)
        landed = run.landing.days(SIMTOM, job.window)
        return Done(
            sum(entry.totals[Side.IN].records for entry in entries),
            sum(each.payload_bytes for objects in landed.values() for each in objects),
            watch.seconds,
        )

    def content() -> dict[str, str]:
        audited(run)
        return contents(run.settings.readers_path)

    return Task(measured, content)
