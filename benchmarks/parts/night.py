"""One more day, as a person runs it: `clearhouse run bnpl` in a process of its own.

The home with the days before is made once, by `clearhouse demo`, and each round adds a day to it.
Afterwards, and unmeasured, the derived tables are compared, row by row, with a build from nothing.
"""

import datetime as dt
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.jobs import (
    FIRST_DAY,
    SEED,
    BenchmarkError,
    Done,
    Job,
    Stopwatch,
    Task,
    nothing_to_compare,
)
from benchmarks.parts.pipeline import steps_over
from benchmarks.parts.warehouse import audited, opened, settings_in
from clearhouse.bnpl.domain import BNPL
from clearhouse.bnpl.source import SIMTOM
from clearhouse.books.model import Side
from clearhouse.core.window import Window
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Domain
from clearhouse.pipeline.pull import close_landing
from clearhouse.pipeline.serve import Pending, derived_tables, prepare

CORRECTED_DAYS = 3
_CORRECTIONS_A_DAY = 100
_AMOUNT = re.compile(rb'("amount": ?)(\d+)')


def one_more(job: Job, _: ExitStack) -> Task:
    """The day after the last one."""
    home = history(job)
    return _task(home, next_day(home))


def phases(job: Job, stack: ExitStack) -> Task:
    """The same in this process, so that what the books cost can be told apart. Imports are made."""
    home = history(job, "night")
    day = next_day(home)
    task = steps_over(settings_in(home), Window(day, day), stack)

    def content() -> dict[str, str]:
        task.content()  # audits; what is there is of a day more than other parts make
        return nothing_to_compare()

    return Task(task.run, content)


def corrected(job: Job, _: ExitStack) -> Task:
    """The same, with corrections of records of three earlier days. They have landed beforehand."""
    home = history(job)
    day = next_day(home)
    clearhouse(home, "step", "bnpl", "extract_daily_batch", "--date", str(day))
    run = opened(settings_in(home))
    dataset = run.dataset()
    asked = run.landing.objects(SIMTOM, day)[-1]
    late = b"".join(
        _corrections(run, day - dt.timedelta(days=n + 1)) for n in range(CORRECTED_DAYS)
    )
    run.landing.put(SIMTOM, day, run.landing.read(asked) + late, dict(asked.request))
    close_landing(run, dataset, SIMTOM, [day])
    run.engine.close()
    return _task(home, day)


def _task(home: Path, day: dt.date) -> Task:
    def measured() -> Done:
        watch = Stopwatch()
        with watch.timed("all"):
            clearhouse(home, "run", "bnpl", "--from", str(day), "--to", str(day))
        run = opened(settings_in(home))
        (entry,) = run.books.current(run.name, run.dataset().names.bronze, [day])
        payload_bytes = sum(o.payload_bytes for o in run.landing.objects(SIMTOM, day))
        run.engine.close()
        return Done(entry.totals[Side.IN].records, payload_bytes, watch.seconds)

    def content() -> dict[str, str]:
        run = opened(settings_in(home))
        audited(run)
        as_from_nothing(run)
        run.engine.close()
        return {}

    return Task(measured, content)


def as_from_nothing(run: Run) -> None:
    """See that the derived tables are those that a build over all published rows makes.

    Raises:
        BenchmarkError: they aren't.
    """
    engine = run.engine
    pointers: Pending = {d.id: run.publications.pointers(d.id) for d in run.datasets}
    prepare(run, pointers, anew=False)
    run.dbt.build("tag:published")
    for derived in (each for d in run.datasets for each in derived_tables(d.declared, d.id)):
        anew, mended = f"FROM next.{derived.name}", f"FROM {derived.served}"
        answer = engine.query(
            f"""SELECT (SELECT count(*) FROM ({anew} EXCEPT ALL {mended})) AS missing,
                (SELECT count(*) FROM ({mended} EXCEPT ALL {anew})) AS invented,
                (SELECT count(*) {mended}) AS rows"""
        )
        (found,) = answer.to_pylist()
        if found["missing"] or found["invented"]:
            raise BenchmarkError(
                f"{derived.served} is not what a build from nothing makes: {found}"
            )
    engine.execute("DELETE FROM ops.pending")


def history(job: Job, part: str = "") -> Path:
    """The home with the days before, of another part too; made where it is not there yet."""
    home = job.inputs.with_name(f"{part or job.part}-{job.days}")
    if not home.exists():
        clearhouse(home, "demo", "bnpl", "--days", str(job.days))
    return home


def next_day(home: Path, domain: Domain = BNPL) -> dt.date:
    """The day after the last one that a domain has in a home."""
    run = opened(settings_in(home), domain=domain)
    days = run.books.days(run.name)
    run.engine.close()
    return max(days, default=FIRST_DAY) + dt.timedelta(days=1)


def _corrections(run: Run, day: dt.date) -> bytes:
    """Records from all hours of a day with another amount."""
    payload = run.landing.read(run.landing.objects(SIMTOM, day)[0])
    lines = payload.splitlines(keepends=True)
    some = lines[:: max(1, len(lines) // _CORRECTIONS_A_DAY)]
    return b"".join(_AMOUNT.sub(_one_more, line, count=1) for line in some)


def _one_more(found: re.Match[bytes]) -> bytes:
    return found[1] + str(int(found[2]) + 1).encode()


def clearhouse(home: Path, *arguments: str) -> None:
    """Run a command over a home.

    Raises:
        BenchmarkError: it did not go through.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("clearhouse")), *arguments],
        cwd=home.parent,
        env={**kept, "CLEARHOUSE_HOME": str(home), "BNPL_SEED": str(SEED)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if answer.returncode:
        said = answer.stdout.decode(errors="replace")[-2_000:]
        raise BenchmarkError(f"clearhouse {' '.join(arguments)} failed:\n{said}")
