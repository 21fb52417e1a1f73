"""A Clearhouse home for one measurement, and what can be said of the marts in it."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import duckdb

from benchmarks.jobs import SEED, BenchmarkError, Job
from clearhouse.bnpl.domain import BNPL
from clearhouse.core.errors import ExitCode
from clearhouse.engines import dbt_runner
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Connection, Domain
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.runner import Progress, RunReport
from clearhouse.quality import project
from clearhouse.settings import Settings, load_settings

MARTS = ("mart_bnpl_transactions", "mart_bnpl_customers")


def import_all() -> None:
    """Import what the steps import when they need it: it is not what is measured."""
    for module in ("pandas", "pyiceberg.catalog.sql", "pyiceberg.io.pyarrow"):
        import_module(module)
    dbt_runner.preload()
    project.preload()


def settings_of(job: Job) -> Settings:
    """The settings of a job."""
    return settings_in(job.home)


def settings_in(home: Path, **values: str) -> Settings:
    """The settings in force over a home, whatever the environment and .env say."""
    return load_settings(
        **values,
        _env_file=None,
        clearhouse_home=home,
        bnpl_api_url=None,
        bnpl_pattern="day_type",
        bnpl_seed=SEED,
    )


def opened(
    settings: Settings,
    connections: Mapping[str, Connection] | None = None,
    progress: Progress | None = None,
    domain: Domain = BNPL,
) -> Run:
    """The domain's parts in a home."""
    return open_run(domain, settings, connections, progress=progress)


def done(report: RunReport) -> None:
    """See that a run went through.

    Raises:
        BenchmarkError: it was held, failed or unbalanced: its time says nothing.
    """
    if report.exit_code is not ExitCode.DONE:
        day, step, what, why = report.stopped()[0]
        raise BenchmarkError(f"{step} {what} {day}: {why}")


def audited(run: Run) -> None:
    """See that the books hold.

    Raises:
        BenchmarkError: they don't.
    """
    found = audit_days(run).findings
    if found:
        key = found[0].entry.key
        raise BenchmarkError(f"The books don't hold at {key.hop}, {key.book_date}.")


def contents(readers: Path) -> dict[str, str]:
    """Rows and a digest of each mart: equal where all values of all business columns are.

    Columns that begin with `_` say how a row came to us, and not what was bought.
    """
    with duckdb.connect(str(readers), read_only=True) as connection:
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
