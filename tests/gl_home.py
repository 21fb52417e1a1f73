"""One home of the general ledger in a folder of its own, and the small ledger that it asks."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from cli_session import command
from click.testing import Result

from clearhouse.gl.domain import GL
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.sandbox.gl.options import KEY, GlOptions
from clearhouse.sandbox.server import running_sources
from clearhouse.settings import load_settings

SMALL = GlOptions(scale=0.03, retry_after_seconds=0, slow_seconds=0.01)
"""Some thirty lines a day, and a few hundred at the ends of months."""
Rows = list[tuple[Any, ...]]


@contextmanager
def service(faults: Mapping[dt.date, tuple[str, ...]] | None = None) -> Iterator[dict[str, str]]:
    """A server of the small ledger: the settings by which it is asked."""
    with running_sources({"gl_service": replace(SMALL, faults=faults or {})}) as urls:
        yield {"GL_API_URL": urls["gl_service"], "GL_API_KEY": KEY}


@dataclass
class Ledger:
    """A home, and the settings of the service that it asks."""

    home: Path
    settings: Mapping[str, str]

    def command(self, *args: object) -> Result:
        """A command of the command line, in this process."""
        return command(self.home, *args, **self.settings)

    def run(self, first: dt.date, last: dt.date) -> Result:
        """`clearhouse run gl` over days."""
        return self.command("run", "gl", "--from", first, "--to", last)

    @contextmanager
    def opened(self) -> Iterator[Run]:
        """The stores, for as long as the block lasts."""
        run = open_run(GL, load_settings(_env_file=None, clearhouse_home=self.home))
        try:
            yield run
        finally:
            run.engine.close()

    def read(self, sql: str) -> Rows:
        """What a reader is answered, who opens what is published."""
        with duckdb.connect(str(self.home / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()
