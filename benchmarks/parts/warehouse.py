"""A Clearhouse home for one measurement, and what can be said of the marts in it."""

from importlib import import_module
from pathlib import Path

import duckdb
from clearhouse.bnpl.closing import audit_days
from clearhouse.bnpl.context import Bnpl
from clearhouse.world import Source, open_bnpl

from benchmarks.jobs import SEED, BenchmarkError, Job
from clearhouse.core.errors import ExitCode
from clearhouse.engines import dbt
from clearhouse.pipeline.runner import Progress, RunReport
from clearhouse.quality import project
from clearhouse.settings import Settings, load_settings

MARTS = ("mart_bnpl_transactions", "mart_bnpl_customers")


def import_all() -> None:
    """Import what the steps import when they need it: it is not what is measured."""
    for module in ("pandas", "pyiceberg.catalog.sql", "pyiceberg.io.pyarrow"):
        import_module(module)
    dbt.preload()
    project.preload()


def settings_of(job: Job) -> Settings:
    """The settings in force, whatever the environment and .env say."""
    return load_settings(
        _env_file=None,
        clearhouse_home=job.home,
        bnpl_api_url=None,
        bnpl_pattern="day_type",
        bnpl_seed=SEED,
    )


def opened(job: Job, source: Source, progress: Progress) -> Bnpl:
    """The domain's parts in the job's home."""
    return open_bnpl(settings_of(job), source, progress=progress)


def done(report: RunReport) -> None:
    """See that a run went through.

    Raises:
        BenchmarkError: it was held, failed or unbalanced: its time says nothing.
    """
    if report.exit_code is not ExitCode.DONE:
        day, step, what, why = report.stopped()[0]
        raise BenchmarkError(f"{step} {what} {day}: {why}")


def audited(bnpl: Bnpl) -> None:
    """See that the books hold.

    Raises:
        BenchmarkError: they don't.
    """
    found = audit_days(bnpl).findings
    if found:
        key = found[0].entry.key
        raise BenchmarkError(f"The books don't hold at {key.hop}, {key.book_date}.")


def contents(warehouse: Path) -> dict[str, str]:
    """Rows and a digest of each mart: equal where all values of all business columns are.

    Columns that begin with `_` say how a row came to us, and not what was bought.
    """
    with duckdb.connect(str(warehouse)) as connection:
        found = {}
        for mart in MARTS:
            described = connection.execute(f"DESCRIBE marts.{mart}").fetchall()
            columns = sorted(row[0] for row in described if not row[0].startswith("_"))
            listed = ", ".join(f'"{column}"' for column in columns)
            answer = connection.execute(
                f"SELECT count(*), sum(hash({listed})::HUGEINT)::VARCHAR FROM marts.{mart}"
            ).fetchone()
            found[mart] = f"{len(columns)} columns, {answer[0]} rows, digest {answer[1]}"
    return found
