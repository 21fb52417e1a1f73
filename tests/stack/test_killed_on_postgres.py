"""Retail on PostgreSQL, with the books there: killed and run again, it comes out as if undisturbed.

One home is run again and again. Each run goes on from what the one before left, and dies at a later
durable write of its own, or its server does. So the deaths are spread over all that a run does, the
publication with its many writes as well.
"""

import datetime as dt
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from retail_home import SMALL, Urls, retailers

from stack.commands import Stack
from stack.server import Server

FIRST = dt.date(2024, 1, 8)
LAST = FIRST + dt.timedelta(days=1)
LATE = replace(SMALL, faults={LAST: ("late", "corrected")})
DATABASE = "killed"
LEAST_DEATHS = 20
KINDS = {"object", "sql", "engine", "dbt"}


class Trial:
    """A home and its database, and the process that runs retail in children."""

    def __init__(self, folder: Path, server: Server, stack: Stack, urls: Urls) -> None:
        self.home, self._journal = folder / "home", folder / "journal"
        self._server, self._stack, self._urls = server, stack, urls
        self._database = server.database(DATABASE)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crash_runner.py")), self._database],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *, kill_server: bool = False, **order: Any) -> dict[str, Any]:
        """Run both days in a child. A server that is killed at a write is started again."""
        assert self._process.stdin
        assert self._process.stdout
        self._journal.write_text("")
        full = {
            "home": str(self.home),
            "journal": str(self._journal),
            "database": self._database,
            "urls": dict(self._urls),
            "first": str(FIRST),
            "last": str(LAST),
            "server": self._stack.status()["postgres"][2] if kill_server else None,
            **order,
        }
        self._process.stdin.write(json.dumps(full) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        if kill_server and self._stack.states()["postgres"] == "dead":
            self._server.start()
            return {"server": "killed"}
        return answer

    @property
    def writes(self) -> list[str]:
        """The durable writes of the last run: number, before or after, kind."""
        return self._journal.read_text().splitlines()

    def forget(self) -> None:
        """Delete what was made."""
        shutil.rmtree(self.home, ignore_errors=True)
        with self._server.connected("postgres") as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        self._server.database(DATABASE)

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture
def trial(tmp_path: Path, server: Server, stack: Stack) -> Iterator[Trial]:
    with retailers(LATE) as urls:
        trial = Trial(tmp_path, server, stack, urls)
        yield trial
        trial.end()


def test_runs_and_servers_that_are_killed_are_made_good_by_the_next(
    trial: Trial, every_write: bool
) -> None:
    undisturbed = trial.run(judge=True)
    assert (undisturbed["exit_code"], undisturbed["findings"]) == (0, [])
    trial.forget()

    deaths: list[str] = []
    chance = random.Random(20240108)
    for number in itertools.count(1):
        at = number if every_write else 2 * number - 1
        after, kill_server = chance.random() < 0.5, number % 6 == 0
        came_to = trial.run(kill_server=kill_server, die_at=at, after=after)
        if came_to == {"exit_code": 0}:
            break
        assert came_to in ({"signal": 9}, {"server": "killed"}), came_to
        deaths.append(trial.writes[-1])

    assert len(deaths) >= LEAST_DEATHS, deaths
    assert {death.split(maxsplit=2)[2].split()[0] for death in deaths} == KINDS, deaths
    assert trial.run(judge=True) == undisturbed
