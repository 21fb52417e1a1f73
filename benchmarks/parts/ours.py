"""NDJSON files to the two marts by Clearhouse.

`to_marts` does what Clearhouse can't do without (landing, hashes, contract, quarantine, Iceberg,
silver, gold, publication, an entry of the books for each hop and day) and leaves out what dlt and
dbt run are not asked for either: gates, tests, the features of a model. `whole` leaves nothing out.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.jobs import Done, Job, Stopwatch, Task, volume_of
from benchmarks.parts.models import ModelsOfMarts
from benchmarks.parts.warehouse import (
    audited,
    contents,
    done,
    import_all,
    opened,
    settings_of,
)
from clearhouse.bnpl.domain import BNPL, TRANSACTIONS
from clearhouse.bnpl.source import SIMTOM
from clearhouse.books.clerk import Clerk
from clearhouse.books.model import EntryKey, digest
from clearhouse.core.resources import resource
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_files import assembled
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_engine
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.quality.gates import Gates
from clearhouse.quality.verdicts import Verdict

LOAD, MARTS = "load", "marts"
_EXTRACT, _TYPE = "extract_daily_batch", "validate_raw_schema"
_LANDINGS_AT_ONCE = 2


def _no_frames(_run: object, _dataset: object, _days: Sequence[dt.date]) -> dict[str, object]:
    return {}


_MARTS_ALONE = replace(
    BNPL,
    datasets=(
        replace(
            TRANSACTIONS,
            raw_gate=replace(TRANSACTIONS.raw_gate, frames=_no_frames),
            business_gate=replace(TRANSACTIONS.business_gate, frames=_no_frames),
            derived=tuple(d for d in TRANSACTIONS.derived if d.served_in == "marts"),
            views=(),
        ),
    ),
)
"""BNPL without what gates look at and without features."""


class NoGates(Gates):
    """Gates that let every day pass without looking."""

    def judge(
        self, checkpoint: str, frames: Mapping[str, object], days: Sequence[dt.date]
    ) -> dict[dt.date, Verdict]:
        """A passing verdict for each day."""
        return {day: Verdict(day, True, ()) for day in days}


def to_marts(job: Job, _: ExitStack) -> Task:
    """Files to the two marts, and no more."""
    return _files_to_readers(job, is_whole=False)


def whole(job: Job, _: ExitStack) -> Task:
    """Files to all that readers get, with gates and tests."""
    return _files_to_readers(job, is_whole=True)


def _files_to_readers(job: Job, *, is_whole: bool) -> Task:
    import_all()
    records, payload_bytes = volume_of(job.files)
    watch = Stopwatch()
    project = DbtProject if is_whole else ModelsOfMarts
    folder = assembled(resource("dbt"), BNPL.models, BNPL.model_tests, job.home / "project")
    # Parsing is the same work for a record as for a million: it is done beforehand.
    engine = open_engine(settings_of(job), BNPL.name)
    project(folder, engine, job.home / "dbt").prepare()
    engine.close()
    steps = [step for step in STEPS if step.name != _EXTRACT]

    def measured() -> Done:
        domain = BNPL if is_whole else _MARTS_ALONE
        run = opened(settings_of(job), progress=watch, domain=domain)
        run.dbt = project(folder, run.engine, job.home / "dbt")
        if not is_whole:
            run.gates = NoGates(BNPL.gates, job.home / "gx")
        with watch.timed("landing"):
            _land(run, job)
        done(run_steps(steps, run, job.window, run_id=run.run_id, progress=watch))
        seconds = watch.seconds
        seconds[LOAD] = seconds["landing"] + seconds[_TYPE]
        seconds[MARTS] = sum(seconds[step.name] for step in steps if step.name != _TYPE)
        return Done(records, payload_bytes, seconds)

    def content() -> dict[str, str]:
        run = opened(settings_of(job), domain=BNPL if is_whole else _MARTS_ALONE)
        audited(run)
        return contents(run.settings.readers_path)

    return Task(measured, content)


def _land(run: Run, job: Job) -> None:
    """What `extract_daily_batch` does with an answer, with a file in its place."""

    dataset = run.dataset()
    hop = dataset.names.landed[SIMTOM]

    def land(day: dt.date) -> None:
        file = job.file(day)
        run.landing.put(SIMTOM, day, file.read_bytes(), {"file": file.name})
        dataset.reader.measure([day], SIMTOM)

    keys = {
        day: EntryKey(run.name, hop, day, digest(job.file(day).name), digest("files"))
        for day in job.window
    }
    clerk = Clerk(run.books, dataset.hops[hop], run.run_id)
    clerk.open(keys.values())
    with ThreadPoolExecutor(_LANDINGS_AT_ONCE) as pool:
        list(pool.map(land, keys))
    clerk.close(keys.values())
