"""Runs that are killed come out like undisturbed ones, with the books as the judge.

`make test` kills at one durable write of each step, `make crash` at every one, before and after.
"""

import random

import pytest

from crash.conftest import KILLED, STEPS, Trial


@pytest.mark.parametrize("scenario", ["healthy", "restated"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_a_durable_write_is_made_good_by_the_next(
    trial: Trial, step: str, scenario: str, every_write: bool
) -> None:
    if scenario == "restated" and not every_write:
        pytest.skip("part of make crash")
    undisturbed = trial.undisturbed(scenario)

    for place in trial.killed_at(step, scenario, every_write=every_write):
        assert trial.run(scenario, judge=True) == undisturbed, place


def test_runs_killed_at_random_moments_are_made_good(trial: Trial, every_write: bool) -> None:
    undisturbed = trial.undisturbed("healthy")
    chance = random.Random(20240102)
    for _ in range(10 if every_write else 2):
        trial.restore(f"healthy {STEPS[0]}")
        answer = trial.run(seconds_to_live=chance.uniform(0.05, 3.0))
        assert answer in (KILLED, {"exit_code": 0})
        assert trial.run(judge=True) == undisturbed
