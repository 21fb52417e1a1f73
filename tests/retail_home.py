"""One retail home in a folder of its own, and the three retailers that it pulls from."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
from cli_session import command
from click.testing import Result

from clearhouse.books.audit import Audit
from clearhouse.core.http import HttpPolicy
from clearhouse.core.window import Window
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.runner import RunReport, run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.retail.domain import RETAIL
from clearhouse.retail.retailers import RETAILERS
from clearhouse.retail.source import RetailerConnection
from clearhouse.sandbox.retail.options import KEYS, RetailOptions
from clearhouse.sandbox.server import running_sources
from clearhouse.settings import load_settings

QUICK = HttpPolicy(
    attempts=3, wait_initial_seconds=0.01, wait_max_seconds=0.02, wait_jitter_seconds=0.01
)
FACT = "marts.fact_sales"
SMALL = RetailOptions(scale=0.03, retry_after_seconds=0, slow_seconds=0.01)
"""Some seventeen lines a retailer and day."""
Urls = Mapping[str, str]
Rows = list[tuple[Any, ...]]


@contextmanager
def retailers(options: RetailOptions = SMALL, **of_some: RetailOptions) -> Iterator[Urls]:
    """Three servers, by name; some have options of their own."""
    with running_sources({**dict.fromkeys(KEYS, options), **of_some}) as urls:
        yield urls


def settings_of(urls: Urls) -> dict[str, str]:
    """The settings by which the command line asks these servers."""
    places = {f"{name.upper()}_URL": url for name, url in urls.items()}
    return places | {f"{name.upper()}_KEY": KEYS[name] for name in urls}


def with_faults(faults: Mapping[dt.date, tuple[str, ...]]) -> RetailOptions:
    """The small options, with faults."""
    return replace(SMALL, faults=faults)


@dataclass
class Shops:
    """A home. Whatever server answers for a retailer, it is the same source to it.

    Attributes:
        settings: those that are not the defaults.
    """

    home: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    def open(self, urls: Urls = MappingProxyType({}), *, refresh: bool = False) -> Run:
        """The stores, and the retailers where they are given."""
        settings = load_settings(_env_file=None, clearhouse_home=self.home, **self.settings)
        connections = {
            each.name: RetailerConnection(
                each, "test", "", partial(urls.__getitem__, each.name), KEYS[each.name], QUICK
            )
            for each in (RETAILERS if urls else ())
        }
        return open_run(RETAIL, settings, connections, refresh=refresh)

    def run(
        self, urls: Urls, first: dt.date, last: dt.date | None = None, *, refresh: bool = False
    ) -> RunReport:
        """All steps over days."""
        run = self.open(urls, refresh=refresh)
        try:
            return run_steps(STEPS, run, Window(first, last or first), run_id=run.run_id)
        finally:
            run.engine.close()

    def audit(self) -> Audit:
        """Every entry measured again."""
        run = self.open()
        try:
            return audit_days(run)
        finally:
            run.engine.close()

    def command(self, *args: object) -> Result:
        """A command of the command line, in this process."""
        return command(self.home, *args)

    def read(self, sql: str) -> Rows:
        """What a reader is answered, who opens what is published."""
        with duckdb.connect(str(self.home / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> dict[str, Rows]:
        """All that readers find in marts, without the ids of entries, which name what was asked."""
        names = self.read(
            """SELECT table_name, list(column_name ORDER BY ordinal_position)
            FROM information_schema.columns WHERE table_schema = 'marts' GROUP BY 1 ORDER BY 1"""
        )
        found = {}
        for name, columns in names:
            listed = ", ".join(column for column in columns if column != "_entry_id")
            found[name] = self.read(f"SELECT {listed} FROM marts.{name} ORDER BY ALL")
        return found
