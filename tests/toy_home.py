"""One home of the toy, and the commands that people give over it."""

import datetime as dt
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
from cli_session import command
from click.testing import Result

from clearhouse.domains import DOMAINS
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import load_settings

DAY = dt.date(2024, 1, 2)
DAYS = [DAY + dt.timedelta(days=n) for n in range(3)]
REGISTERED = patch.dict(DOMAINS, {"toy": "toy.domain:TOY"})
TICKETS = "marts.mart_toy_tickets"
TAKINGS = "marts.mart_toy_takings"
HIDDEN = "gold.int_toy_hidden_tickets"


@dataclass
class Toy:
    """A home with nothing but the toy in it; its books are there too, or at a URL."""

    home: Path
    database_url: str = ""

    def command(self, *args: object) -> Result:
        """A command of the command line, in this process."""
        with REGISTERED:
            return command(self.home, *args, DATABASE_URL=self.database_url)

    def run(self, *days: dt.date, fault: str = "") -> Result:
        """`clearhouse run` over days, on the last of which the booths have a fault."""
        options = [*(["--fault", f"{days[-1]}={fault}"] if fault else [])]
        return self.command("run", "toy", "--from", days[0], "--to", days[-1], *options)

    def open(self) -> Run:
        """The stores."""
        from toy.domain import TOY

        places = {"clearhouse_home": self.home, "database_url": self.database_url}
        return open_run(TOY, load_settings(_env_file=None, **places))

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader is answered, who opens what is published."""
        with duckdb.connect(str(self.home / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def visible(self) -> dict[dt.date, int]:
        """Visible tickets by day of arrival."""
        sql = f"SELECT _book_date, count(*) FROM {TICKETS} GROUP BY ALL ORDER BY ALL"
        return dict(self.read(sql))

    def figures(self, command: str) -> dict[str, int]:
        """What a command that goes with a certificate prints: values by measure."""
        answer = subprocess.run(
            command, shell=True, cwd=self.home, capture_output=True, text=True, check=True
        )
        assert not answer.stderr
        head, *lines = answer.stdout.split()
        assert head == "measure|value"
        return {name: int(value) for name, value in (line.split("|") for line in lines)}
