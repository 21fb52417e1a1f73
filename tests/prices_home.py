"""A home with nothing but energy prices in it, of the sandbox's EIA."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from cli_session import command
from click.testing import Result

from clearhouse.gl.domain import GL
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import load_settings


@dataclass
class PricesHome:
    """The home, and the commands that people give over it."""

    path: Path

    def command(self, *args: object) -> Result:
        return command(self.path, *args)

    def run(self, first: dt.date, last: dt.date, *faults: str) -> Result:
        options = [part for fault in faults for part in ("--fault", fault)]
        return self.command("run", "gl", "--from", first, "--to", last, *options)

    def open(self) -> Run:
        return open_run(GL, load_settings(_env_file=None, clearhouse_home=self.path))

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def landed(self, day: dt.date) -> dict[str, str]:
        """What EIA gave for a day, as the names of its objects: they hold the digest."""
        folder = f"landing/raw/eia_*/year={day:%Y}/month={day:%m}/day={day:%d}/*.manifest.json"
        return {path.parts[-5]: path.name for path in self.path.glob(folder)}
