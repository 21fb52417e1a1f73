"""Runs of payments that are killed come out like undisturbed ones, with the books as the judge.

A publication of payments mends what it touches: the second day tells of payments of the first one.
Part of `make crash` alone: `make test` kills the same steps of the toy.
"""

import pytest

from crash.conftest import STEPS_OF_PAYMENTS, Trial


@pytest.mark.parametrize("scenario", ["healthy", "restated"])
@pytest.mark.parametrize("step", STEPS_OF_PAYMENTS)
def test_a_run_of_payments_killed_at_a_durable_write_is_made_good_by_the_next(
    payments_trial: Trial, step: str, scenario: str, every_write: bool
) -> None:
    if not every_write:
        pytest.skip("part of make crash")
    undisturbed = payments_trial.undisturbed(scenario)

    for place in payments_trial.killed_at(step, scenario, every_write=every_write):
        assert payments_trial.run(scenario, judge=True) == undisturbed, place
