"""One home of the toy, and the commands that people give over it."""

import datetime as dt
import gc
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
from click.testing import Result
from typer.testing import CliRunner

from clearhouse.cli.commands import build
from clearhouse.domains import DOMAINS
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import load_settings

DAY = dt.date(2024, 1, 2)
DAYS = [DAY + dt.timedelta(days=n) for n in range(4)]
REGISTERED = patch.dict(DOMAINS, {"toy": "toy.domain:TOY"})
TICKETS = "marts.mart_toy_tickets"
TAKINGS = "marts.mart_toy_takings"
HIDDEN = "gold.int_toy_hidden_tickets"


@dataclass
class Toy:
    """A home with nothing but the toy in it."""

    home: Path

    def command(self, *args: object) -> Result:
        """A command of the command line, in this process."""
        gc.collect()  # what earlier commands opened would be gone with their processes
        variables = {"CLEARHOUSE_HOME": str(self.home), "LOG_LEVEL": "error", "COLUMNS": "200"}
        self.home.mkdir(parents=True, exist_ok=True)
        before = Path.cwd()
        os.chdir(self.home)  # where no .env is
        try:
            with REGISTERED:
                return CliRunner().invoke(build(str(args[0])), list(map(str, args)), env=variables)
        finally:
            os.chdir(before)

    def run(self, *days: dt.date, fault: str = "", refresh: bool = False) -> Result:
        """`clearhouse run` over days, on the last of which the booths have a fault."""
        options = [*(["--fault", f"{days[-1]}={fault}"] if fault else [])]
        options += ["--refresh"] if refresh else []
        return self.command("run", "toy", "--from", days[0], "--to", days[-1], *options)

    def open(self) -> Run:
        """The stores."""
        from toy.domain import TOY

        return open_run(TOY, load_settings(_env_file=None, clearhouse_home=self.home))

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader is answered, who opens what is published."""
        with duckdb.connect(str(self.home / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def visible(self) -> dict[dt.date, int]:
        """Visible tickets by day of arrival."""
        sql = f"SELECT _book_date, count(*) FROM {TICKETS} GROUP BY ALL ORDER BY ALL"
        return dict(self.read(sql))
