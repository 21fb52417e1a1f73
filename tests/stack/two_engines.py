"""One domain in two homes: on the embedded engine and on PostgreSQL, led the same way."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from cli_session import command
from click.testing import Result

from clearhouse.core.columnar import query
from clearhouse.domains import domain_of
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.serve import derived_tables
from clearhouse.settings import load_settings


@dataclass
class Home:
    """A home of a domain, and the settings that differ from the defaults."""

    path: Path
    domain: str
    settings: dict[str, str] = field(default_factory=dict)

    def command(self, name: str, *args: object) -> Result:
        """A command about the domain."""
        return command(self.path, name, *args, **self.settings)

    def run(self, first: dt.date, last: dt.date, *faults: str) -> Result:
        """`clearhouse run` over days with faults."""
        asked = [part for fault in faults for part in ("--fault", fault)]
        return self.command("run", self.domain, "--from", first, "--to", last, *asked)

    def opened(self) -> Run:
        """The stores."""
        given: dict[str, Any] = {name.lower(): value for name, value in self.settings.items()}
        settings = load_settings(_env_file=None, clearhouse_home=self.path, **given)
        return open_run(domain_of(self.domain), settings)


@dataclass
class TwoHomes:
    """The same domain on two engines; what is done to one is done to the other."""

    embedded: Home
    server: Home

    def both(self, act: Callable[[Home], Result]) -> list[Result]:
        """What a command came to in both."""
        return [act(home) for home in (self.embedded, self.server)]

    def differences(self) -> Iterator[str]:
        """Relations that don't hold the same rows of the same types, with how many differ."""
        runs = [home.opened() for home in (self.embedded, self.server)]
        try:
            for who, relation in _relations(runs[0]):
                tables = [_all_of(run, who, relation) for run in runs]
                yield from _differing(f"{relation} as {who} see it", *tables)
        finally:
            for run in runs:
                run.engine.close()

    def books(self) -> list[dict[tuple[str, dt.date], tuple[object, ...]]]:
        """What both books say: entry, status, totals and digests by hop and day."""
        return [
            {
                (e.key.hop, e.key.book_date): (
                    e.entry_id,
                    str(e.status),
                    {str(side): dict(totals.measures) for side, totals in e.totals.items()},
                    e.digests,
                )
                for e in home.opened().books.current(home.domain)
            }
            for home in (self.embedded, self.server)
        ]


def _relations(run: Run) -> Iterator[tuple[str, str]]:
    for dataset in run.datasets:
        declared, derived = dataset.declared, derived_tables(dataset.declared, dataset.id)
        for relation in (declared.silver, declared.gold, *(each.served for each in derived)):
            yield "runs", relation
        for relation in (declared.gold, declared.readers, *declared.views, "ops.publication"):
            yield "readers", relation
        for each in derived:
            if not each.is_internal:
                yield "readers", each.served
    yield "readers", "marts.quality_metrics"


def _all_of(run: Run, who: str, relation: str) -> pa.Table:
    ask = run.engine.query_of if who == "runs" else run.engine.query_readers
    rows = ask(relation, f"SELECT * FROM {relation}")
    assert rows is not None, f"{relation} is not there for {who}"
    return rows


def _differing(name: str, embedded: pa.Table, server: pa.Table) -> Iterator[str]:
    if embedded.schema != server.schema:
        only = [{*a.schema} - {*b.schema} for a, b in ((embedded, server), (server, embedded))]
        yield f"{name}: {only[0]} and {only[1]}"
    elif len(embedded) != len(server):
        yield f"{name}: {len(embedded)} rows and {len(server)}"
    else:
        sql = "SELECT * FROM a EXCEPT ALL SELECT * FROM b"
        if lacking := len(query(sql, a=embedded, b=server)):
            yield f"{name}: {lacking} rows differ"
