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

from clearhouse.bnpl.context import DOMAIN, SOURCE, SOURCE_TO_LANDING, Bnpl
from clearhouse.bnpl.pipeline import PIPELINE
from clearhouse.world import Source

from benchmarks.jobs import Done, Job, Stopwatch, Task, volume_of
from benchmarks.parts.models import Models, ModelsOfMarts
from benchmarks.parts.warehouse import (
    audited,
    contents,
    done,
    import_all,
    opened,
    settings_of,
)
from clearhouse.books.clerk import Clerk
from clearhouse.books.model import EntryKey, digest
from clearhouse.core.resources import resource
from clearhouse.pipeline.runner import run_steps
from clearhouse.quality.gates import Gates
from clearhouse.quality.verdicts import Verdict

LOAD, MARTS = "load", "marts"
_EXTRACT, _TYPE, _JUDGE = "extract_daily_batch", "validate_raw_schema", "validate_business_rules"
_LANDINGS_AT_ONCE = 2
_FILES = Source(lambda: "", "files", is_sandbox=True)


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
    project = Models if is_whole else ModelsOfMarts
    models = project(resource("dbt"), settings_of(job).engine_path, job.home / "dbt")
    models.parse()
    left_out = (_EXTRACT,) if is_whole else (_EXTRACT, _JUDGE)
    steps = [step for step in PIPELINE if step.name not in left_out]

    def run() -> Done:
        bnpl = replace(opened(job, _FILES, watch), dbt=models)
        if not is_whole:
            bnpl.gates = NoGates(resource("gx"), job.home / "gx")
        with watch.timed("landing"):
            _land(bnpl, job)
        done(run_steps(steps, bnpl, job.window, run_id=bnpl.run_id, progress=watch))
        seconds = watch.seconds
        seconds[LOAD] = seconds["landing"] + seconds[_TYPE]
        seconds[MARTS] = sum(seconds[step.name] for step in steps if step.name != _TYPE)
        return Done(records, payload_bytes, seconds)

    def content() -> dict[str, str]:
        bnpl = opened(job, _FILES, watch)
        audited(bnpl)
        return contents(bnpl.engine.path)

    return Task(run, content)


def _land(bnpl: Bnpl, job: Job) -> None:
    """What `extract_daily_batch` does with an answer, with a file in its place."""

    def land(day: dt.date) -> None:
        file = job.file(day)
        bnpl.landing.put(SOURCE, day, file.read_bytes(), {"file": file.name})
        bnpl.reader.measure(day)

    keys = {
        day: EntryKey(DOMAIN, SOURCE_TO_LANDING, day, digest(job.file(day).name), digest("files"))
        for day in job.window
    }
    clerk = Clerk(bnpl.books, bnpl.hops[SOURCE_TO_LANDING], bnpl.run_id)
    clerk.open(keys.values())
    with ThreadPoolExecutor(_LANDINGS_AT_ONCE) as pool:
        list(pool.map(land, keys))
    clerk.close(keys.values())
