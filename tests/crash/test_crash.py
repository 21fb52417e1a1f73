"""Runs that are killed come out like undisturbed ones, with the books as the judge.

`make test` kills at one durable write of each step, `make crash` at every one, before and after.
"""

import random

import pytest

from crash.conftest import STEPS, Trial

KILLED = {"signal": 9}


@pytest.mark.parametrize("scenario", ["healthy", "restated"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_a_durable_write_is_made_good_by_the_next(
    trial: Trial, step: str, scenario: str, every_write: bool
) -> None:
    if scenario == "restated" and not every_write:
        pytest.skip("part of make crash")
    undisturbed = trial.undisturbed(scenario)
    kinds = trial.writes_of(step, scenario)
    assert kinds
    boundaries = [(n, when) for n in range(1, len(kinds) + 1) for when in ("before", "after")]
    chosen = boundaries if every_write else boundaries[len(boundaries) // 2 :][:1]

    for number, when in chosen:
        place = f"{when} write {number} of {step}, {kinds[number - 1]}"
        trial.restore(f"{scenario} {step}")
        killed = trial.run(scenario, steps=[step], die_at=number, after=when == "after")
        assert (killed, trial.journal[-1]) == (KILLED, f"{number} {when} {kinds[number - 1]}")
        assert trial.run(scenario, judge=True) == undisturbed, place


def test_runs_killed_at_random_moments_are_made_good(trial: Trial, every_write: bool) -> None:
    undisturbed = trial.undisturbed("healthy")
    chance = random.Random(20240102)
    for _ in range(10 if every_write else 2):
        trial.restore(f"healthy {STEPS[0]}")
        answer = trial.run(seconds_to_live=chance.uniform(0.05, 3.0))
        assert answer in (KILLED, {"exit_code": 0})
        assert trial.run(judge=True) == undisturbed
