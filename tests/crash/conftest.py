"""A home whose runs can be killed at any durable write, and put back to an earlier state."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import payments_home
import pytest
from payment_lives import an_event

from clearhouse.payments.domain import PAYMENTS
from clearhouse.payments.event import EventType
from clearhouse.pipeline import steps

KILLED = {"signal": 9}
STEPS = [step.name for step in steps.STEPS]
_MOST_MISSING = 2
"""Places of an undisturbed run that another one may not come to: two threads that measure the same
day write it once or twice."""
DAYS_OF_PAYMENTS = [dt.date(2026, 3, 9), dt.date(2026, 3, 10)]
STEPS_OF_PAYMENTS = [step.name for step in steps.steps_of(PAYMENTS)]


class Trial:
    """One home, its saved states, and the process that runs steps in it.

    A home is always at the same place: Iceberg's metadata and the views hold absolute paths.

    Args:
        folder: where all of it is.
        orders, answers: of the process.
        steps: which it runs, in their order.
        begin: fills a new home, before anything has run.
    """

    def __init__(
        self,
        folder: Path,
        orders: Any,
        answers: Any,
        steps: Sequence[str],
        begin: Callable[[Path], None],
    ) -> None:
        self._folder, self._orders, self._answers = folder, orders, answers
        self._steps, self._begin = steps, begin
        self._undisturbed: dict[str, dict[str, Any]] = {}
        self._places: dict[str, list[str]] = {}
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
            self._begin(self.home)
            if scenario != "healthy":
                assert self.run()["exit_code"] == 0
            for step in self._steps:
                self._save(f"{scenario} {step}")
                assert self.run(scenario, steps=[step], looks=True) == {"exit_code": 0}
                self._places[f"{scenario} {step}"] = _that_differ(self.journal)
            self._undisturbed[scenario] = self.run(scenario, steps=[], judge=True)
        return self._undisturbed[scenario]

    def killed_at(self, step: str, scenario: str, *, every_write: bool) -> Iterator[str]:
        """Kill a step before and after each of its durable writes, or at one in its midst.

        Where a kill leaves the same files as the one before it, it is left out: nothing was written
        between the two.

        Yields each of these places, with the home as the kill has left it.
        """
        places = self._places[f"{scenario} {step}"]
        assert places
        left = _MOST_MISSING
        for place in places if every_write else places[len(places) // 2 :][:1]:
            number, when = place.split()[:2]
            self.restore(f"{scenario} {step}")
            killed = self.run(scenario, steps=[step], die_at=int(number), after=when == "after")
            if killed == {"exit_code": 0} and every_write and left:
                left -= 1
                continue
            assert killed == KILLED
            assert self.journal[-1].split()[:2] == [number, when]
            yield f"{step} at {self.journal[-1]}"

    def _save(self, name: str) -> None:
        """Keep the home's state under a name."""
        shutil.copytree(self.home, self._folder / name, symlinks=True)

    def restore(self, name: str) -> None:
        """Put the home back to a saved state."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self._folder / name, self.home, symlinks=True)


def _that_differ(journal: Sequence[str]) -> list[str]:
    """The places of a journal with digests at which the files are others than one place before."""
    places, last = [], None
    for line in journal:
        place, _, digest = line.rpartition(" ")
        if digest != last:
            places.append(place)
        last = digest
    return places


@contextmanager
def _trial(
    folder: Path, runner: str, steps: Sequence[str], begin: Callable[[Path], None]
) -> Iterator[Trial]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(runner))],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    yield Trial(folder, process.stdin, process.stdout, steps, begin)
    process.stdin.close()
    process.wait()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("crash")
    with _trial(folder, "runner.py", STEPS, lambda home: None) as made:
        yield made


@pytest.fixture(scope="session")
def payments_trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("crash_of_payments")
    with _trial(folder, "payments_runner.py", STEPS_OF_PAYMENTS, _two_days) as made:
        yield made


def _two_days(home: Path) -> None:
    """Payments of a day, and of the next day what befalls them, and a payout."""
    first, second = DAYS_OF_PAYMENTS
    received = payments_home.Home(home)
    received.receive(
        first,
        [
            an_event(EventType.CAPTURED, payment_id="p1", capture_id="c1", fee_minor=59),
            an_event(EventType.CAPTURED, payment_id="p2", capture_id="c2", amount_minor=250),
            an_event(EventType.AUTHORIZED, payment_id="p3"),
            payments_home.NOT_MAPPED,
        ],
    )
    received.receive(
        second,
        [
            an_event(EventType.REFUNDED, payment_id="p1", amount_minor=400),
            an_event(EventType.FUNDS_WITHDRAWN, payment_id="p2", amount_minor=250),
            an_event(EventType.CAPTURED, payment_id="p3", capture_id="c3"),
            an_event(EventType.PAYOUT_PAID, amount_minor=891),
            payments_home.DEAD,
        ],
    )
