"""A home whose runs can be killed at any durable write, and put back to an earlier state."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clearhouse.pipeline import steps

STEPS = [step.name for step in steps.STEPS]


class Trial:
    """One home, its saved states, and the process that runs steps in it.

    A home is always at the same place: Iceberg's metadata and the views hold absolute paths.
    """

    def __init__(self, folder: Path, orders: Any, answers: Any) -> None:
        self._folder, self._orders, self._answers = folder, orders, answers
        self._undisturbed: dict[str, dict[str, Any]] = {}
        self._writes: dict[str, list[str]] = {}
        self.home = folder / "home"
        self._journal = folder / "journal"

    def run(self, scenario: str = "healthy", **order: Any) -> dict[str, Any]:
        """Run steps in a fork, where the booths answer as the scenario has it."""
        self._journal.write_text("")
        full = {
            "home": str(self.home),
            "journal": str(self._journal),
            "scenario": scenario,
            **order,
        }
        self._orders.write(json.dumps(full) + "\n")
        self._orders.flush()
        answer: dict[str, Any] = json.loads(self._answers.readline())
        assert "error" not in answer, answer["error"]
        return answer

    @property
    def journal(self) -> list[str]:
        """The durable writes of the last run: number, before or after, kind."""
        return self._journal.read_text().splitlines()

    def undisturbed(self, scenario: str) -> dict[str, Any]:
        """What an undisturbed run comes to; the state before each of its steps is saved."""
        if scenario not in self._undisturbed:
            shutil.rmtree(self.home, ignore_errors=True)
            self.home.mkdir()
            if scenario != "healthy":
                assert self.run()["exit_code"] == 0
            for step in STEPS:
                self._save(f"{scenario} {step}")
                assert self.run(scenario, steps=[step]) == {"exit_code": 0}
                begun = [line for line in self.journal if " before " in line]
                self._writes[f"{scenario} {step}"] = [line.split(maxsplit=2)[2] for line in begun]
            self._undisturbed[scenario] = self.run(scenario, steps=[], judge=True)
        return self._undisturbed[scenario]

    def writes_of(self, step: str, scenario: str) -> list[str]:
        """The kinds of a step's durable writes, in order, in the undisturbed run."""
        return self._writes[f"{scenario} {step}"]

    def _save(self, name: str) -> None:
        """Keep the home's state under a name."""
        shutil.copytree(self.home, self._folder / name, symlinks=True)

    def restore(self, name: str) -> None:
        """Put the home back to a saved state."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self._folder / name, self.home, symlinks=True)


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("crash")
    runner = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("runner.py"))],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Trial(folder, runner.stdin, runner.stdout)
    runner.stdin.close()
    runner.wait()
    shutil.rmtree(folder)
