"""The pipeline as `clearhouse run bnpl` does it, from a sandbox's HTTP to published marts.

All steps run in one process, since each uses what the one before kept in memory: the seconds of a
step by itself would be others.
"""

from contextlib import ExitStack

from clearhouse.bnpl.context import DOMAIN, LANDING_TO_BRONZE, SOURCE
from clearhouse.bnpl.pipeline import PIPELINE
from clearhouse.world import bnpl_source

from benchmarks.jobs import Done, Job, Stopwatch, Task
from benchmarks.parts.warehouse import (
    audited,
    contents,
    done,
    import_all,
    opened,
    settings_of,
)
from clearhouse.books.model import Side
from clearhouse.pipeline.runner import run_steps

DBT = "dbt"
RAW_GATE = "raw gate"


def pipeline(job: Job, stack: ExitStack) -> Task:
    """All steps over the days, with a sandbox in a process beside."""
    import_all()
    source = stack.enter_context(bnpl_source(settings_of(job)))
    source.connect()
    watch = Stopwatch()
    bnpl = opened(job, source, watch)
    watch.watch(bnpl.dbt, "build", DBT)
    watch.watch(bnpl.gates, "judge", RAW_GATE, during="validate_raw_schema")

    def run() -> Done:
        with watch.timed("all"):
            report = run_steps(PIPELINE, bnpl, job.window, run_id=bnpl.run_id, progress=watch)
        done(report)
        entries = bnpl.books.current(DOMAIN, LANDING_TO_BRONZE)
        landed = bnpl.landing.days(SOURCE, job.window)
        return Done(
            sum(entry.totals[Side.IN].records for entry in entries),
            sum(each.payload_bytes for objects in landed.values() for each in objects),
            watch.seconds,
        )

    def content() -> dict[str, str]:
        audited(bnpl)
        return contents(bnpl.engine.path)

    return Task(run, content)
