"""Steps that run one by one, in any order, never show readers a day that nobody let pass."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_home import DAYS, Toy
from toy_runner import Commands

from clearhouse.books.model import Status
from clearhouse.core.errors import ExitCode
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.steps import STEPS

NAMES = [step.name for step in STEPS]
PULL = NAMES[0]
FAULTS = (
    "",
    "",
    "few",
    "negative",
    "restated",
    "unreadable",
    "south_closed",
    "few+negative",
    "north_closed+south_closed",
)
MOVES = 18
SEED = 20240102


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


def moves(chance: random.Random, answers: list[int]) -> Iterator[tuple[object, ...]]:
    """Commands over two days: mostly a day's next step, else any step, or a release.

    Args:
        chance: decides.
        answers: exit codes of the commands so far.
    """
    day = DAYS[0]
    following = dict.fromkeys(DAYS[:2], 0)
    for _ in range(MOVES):
        is_held = bool(answers) and answers[-1] == ExitCode.HELD
        day = day if is_held else chance.choice(DAYS[:2])
        if chance.random() < (0.6 if is_held else 0.05):
            yield ("release", "toy", "--date", day, "--reason", "as it is")
            continue
        at = following[day] if chance.random() < 0.7 else chance.randrange(len(NAMES))
        following[day] = (at + 1) % len(NAMES)
        step = ("step", "toy", NAMES[at], "--date", day)
        yield (*step, *pull_options(chance, day)) if NAMES[at] == PULL else step


def pull_options(chance: random.Random, day: dt.date) -> list[object]:
    kinds = chance.choice(FAULTS).split("+")
    return [part for kind in kinds if kind for part in ("--fault", f"{day}={kind}")]


def test_readers_see_only_days_that_balance_and_passed_or_were_released(
    tmp_path: Path, commands: Commands
) -> None:
    toy = Toy(tmp_path / "home")
    happened: Counter[object] = Counter()
    answers: list[int] = []
    for move in moves(random.Random(SEED), answers):
        answer = commands.give(toy.home, *move)
        answers.append(answer["exit_code"])
        assert answer["exit_code"] in (0, 1, 3), (SEED, move, answer["output"])
        assert "Traceback" not in answer["output"] or "is not held" in answer["output"]
        run = toy.open()
        seen = published(toy)
        for day, entry_id in seen.items():
            assert may_be_seen(run, entry_id, happened), (SEED, move, day)
        run.engine.close()
        happened.update([("exit", answer["exit_code"]), ("visible", len(seen))])
    # The sequence came through all that it is about.
    assert {("exit", 0), ("exit", 1), ("exit", 3), "passed", "released"} <= set(happened), happened


def published(toy: Toy) -> dict[dt.date, str]:
    """Days that readers see and the entries that their rows are of."""
    file = toy.home / "published.duckdb"
    if not file.exists() or not toy.read("SELECT 1 FROM ops.publication"):
        return {}
    sql = "SELECT DISTINCT _book_date, _entry_id FROM gold.fct_toy_tickets"
    rows = toy.read(sql)
    found = dict(rows)
    assert len(found) == len(rows)
    return found


def may_be_seen(run: Run, gold_id: str, happened: Counter[object]) -> bool:
    """Whether the entry and those that it was made from balance, and both gates let them pass."""
    gold = run.books.find(gold_id)
    silver = run.books.find(gold.key.input_hash) if gold else None
    bronze = run.books.find(silver.key.input_hash) if silver else None
    if not (gold and silver and bronze):
        return False
    for entry, gate in ((bronze, "toy_raw_gate"), (gold, "toy_business_gate")):
        (decision,) = [d for d in run.decisions.of(entry.entry_id) if d.gate == gate]
        if decision.holds:
            return False
        happened["passed" if decision.passed else "released"] += 1
    return all(e.status is Status.BALANCED for e in (gold, silver, bronze))
