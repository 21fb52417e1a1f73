"""The star schema in PostgreSQL: sales loaded whole and by one more day, beside a loader of rows.

What is loaded is bronze, which the pipeline made of the sandbox's answers. A load is what a run
does of it in the database: rows copied to staging, silver, the fact with its dimensions, all tests
of the models, and the publication with its summaries. The books are not in it: `pipeline` has them.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from benchmarks.jobs import Done, Job, Stopwatch, Task
from benchmarks.own_stack import own_stack
from benchmarks.parts.warehouse import done, import_all, opened, settings_in
from clearhouse.lake.iceberg import Lake
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import connected
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.serve import Flip, apply, prepare
from clearhouse.pipeline.steps import STEPS
from clearhouse.pipeline.transform import build_gold, build_silver
from clearhouse.retail.domain import RETAIL

SILVER, FACT, PUBLICATION = "staging and silver", "fact and members", "dimensions and summaries"
_TO_BRONZE = STEPS[:2]
_COPIES = 8
_ROWS_ONE_BY_ONE = 2_000
_DIMENSIONS = ("product_code", "customer_id", "store_id", "retailer")


def load(job: Job, stack: ExitStack) -> Task:
    """All days into an empty database."""
    return _loading(job, stack, copies=1)


def load_many(job: Job, stack: ExitStack) -> Task:
    """The same with each sale several times, under ids of its own."""
    return _loading(job, stack, copies=_COPIES)


def one_more(job: Job, stack: ExitStack) -> Task:
    """The last day, into a database that holds those before."""
    star = _star(job, stack)
    *before, last = job.window
    star.load(before, 1)
    return Task(lambda: star.measured([last], 2))


def refresh(job: Job, stack: ExitStack) -> Task:
    """Each of the six summaries refreshed once more, while readers could read it."""
    star = _star(job, stack)
    star.load(list(job.window), 1)

    def measured() -> Done:
        watch = Stopwatch()
        with psycopg.connect(star.url, autocommit=True) as connection:
            sql = "SELECT matviewname FROM pg_matviews WHERE schemaname = 'marts' ORDER BY 1"
            for (name,) in connection.execute(sql).fetchall():
                with watch.timed(name):
                    connection.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY marts.{name}")
        return Done(star.lines(), 0, watch.seconds)

    return Task(measured)


def row_by_row(job: Job, stack: ExitStack) -> Task:
    """The first lines as a loader without sets does: a transaction a line, five look-ups."""
    home = _bronze(job)
    with duckdb.connect() as connection:
        listed = ", ".join(f"'{file}'" for file in _files(home))
        rows = connection.execute(
            f"""SELECT _record_id, split_part(_record_key, '|', 1), product_code, customer_id,
                store_id, _source, CAST(sold_at AS DATE), quantity, unit_price, total_amount
            FROM read_parquet([{listed}]) ORDER BY _book_date, _record_id
            LIMIT {_ROWS_ONE_BY_ONE}"""
        ).fetchall()
    url = stack.enter_context(own_stack("postgres"))["ENGINE_URL"]
    connection = stack.enter_context(psycopg.connect(url))
    _plain_star(connection)

    def measured() -> Done:
        for row in rows:
            _load_row(connection, row)
        return Done(len(rows), 0)

    return Task(measured)


@dataclass
class _Star:
    """Bronze of some days, and a database for its star schema."""

    run: Run
    url: str
    watch: Stopwatch

    def measured(self, days: Sequence[Any], number: int) -> Done:
        """Load days; how many lines they have."""
        before = self.lines()
        self.watch.seconds.clear()
        self.load(days, number)
        return Done(self.lines() - before, 0, self.watch.seconds)

    def load(self, days: Sequence[Any], number: int) -> None:
        """Build silver and gold of days, and publish them."""
        run, dataset = self.run, self.run.dataset()
        with self.watch.timed(SILVER):
            build_silver(run, dataset, {day: f"silver {day}" for day in days})
        with self.watch.timed(FACT):
            build_gold(run, dataset, {day: (f"silver {day}", f"gold {day}") for day in days})
        pending = {dataset.id: {day: f"gold {day}" for day in days}}
        is_first = number == 1
        with self.watch.timed(PUBLICATION):
            prepare(run, pending, anew=is_first)
            run.dbt.build("tag:published")
            apply(run, pending, Flip(number, "benchmark", anew=is_first))

    def lines(self) -> int:
        """How many lines readers see."""
        counted = "SELECT count(*) AS lines FROM marts.fact_sales"
        answer = self.run.engine.query_readers("marts.fact_sales", counted)
        return int(answer["lines"][0].as_py()) if answer else 0


class _Copied(Lake):
    """A lake with files in place of those that its catalog names."""

    def __init__(self, paths: list[str]) -> None:
        self._paths = paths

    def files(self, name: str, days: object = None) -> list[str]:
        """The files."""
        return self._paths


def _loading(job: Job, stack: ExitStack, copies: int) -> Task:
    star = _star(job, stack)
    if copies > 1:
        star.run.lake = _Copied(_multiplied(job, _files(_bronze(job)), copies))
    return Task(lambda: star.measured(list(job.window), 1))


def _star(job: Job, stack: ExitStack) -> _Star:
    import_all()
    url = stack.enter_context(own_stack("postgres"))["ENGINE_URL"]
    watch = Stopwatch()
    run = opened(settings_in(_bronze(job), engine_url_retail=url), domain=RETAIL)
    run.dbt.prepare()
    watch.watch(run.engine, "expose_bronze", "  copied to staging")
    watch.watch(run.engine, "keep_built", "  rows of the fact put in place")
    return _Star(run, url, watch)


def _bronze(job: Job) -> Path:
    """A home whose days have come as far as bronze; made where it is not there yet."""
    home = job.inputs.with_name(f"bronze-{job.days}")
    if not home.exists():
        settings = settings_in(home)
        with connected(RETAIL, settings) as connections:
            run = opened(settings, connections, domain=RETAIL)
            done(run_steps(_TO_BRONZE, run, job.window, run_id=run.run_id))
            run.engine.close()
    return home


def _files(home: Path) -> list[str]:
    run = opened(settings_in(home), domain=RETAIL)
    return run.lake.files(run.dataset().id)


def _multiplied(job: Job, files: Sequence[str], copies: int) -> list[str]:
    """Files with each record so many times, under other sale ids."""
    found = []
    listed = ", ".join(f"'{file}'" for file in files)
    with duckdb.connect() as connection:
        for nth in range(copies):
            path = job.home / f"copy-{nth}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"""COPY (SELECT * REPLACE (sale_id || '-{nth}' AS sale_id,
                        md5(_record_id || '{nth}') AS _record_id,
                        _record_key || '-{nth}' AS _record_key)
                    FROM read_parquet([{listed}], union_by_name = true)) TO '{path}'"""
            )
            found.append(str(path))
    return found


def _plain_star(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE SCHEMA plain")
    for dimension in (*_DIMENSIONS, "sale_date"):
        connection.execute(
            f"""CREATE TABLE plain.dim_{dimension} (
                key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                retailer text, code text, UNIQUE (retailer, code))"""
        )
    keys = ", ".join(
        f"{d}_key bigint REFERENCES plain.dim_{d}" for d in (*_DIMENSIONS, "sale_date")
    )
    connection.execute(
        f"""CREATE TABLE plain.fact_sales (record_id text PRIMARY KEY, sale_id text, {keys},
            quantity bigint, unit_price numeric(18, 2), total_amount numeric(18, 2))"""
    )
    connection.commit()


def _load_row(connection: psycopg.Connection[Any], row: tuple[Any, ...]) -> None:
    record_id, sale_id, product, customer, store, retailer, sale_date, *measures = row
    codes = dict(zip(_DIMENSIONS, (product, customer, store, retailer), strict=True))
    codes["sale_date"] = str(sale_date)
    keys = [_key(connection, dimension, retailer, code) for dimension, code in codes.items()]
    connection.execute(
        "INSERT INTO plain.fact_sales VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (record_id, sale_id, *keys, *measures),
    )
    connection.commit()


def _key(connection: psycopg.Connection[Any], dimension: str, retailer: str, code: str) -> int:
    table = f"plain.dim_{dimension}"
    sql = f"SELECT key FROM {table} WHERE retailer = %s AND code = %s"
    found = connection.execute(sql, (retailer, code)).fetchone()
    if found is None:
        sql = f"INSERT INTO {table} (retailer, code) VALUES (%s, %s) RETURNING key"
        found = connection.execute(sql, (retailer, code)).fetchone()
    return int(found[0])
