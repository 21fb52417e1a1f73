"""Whatever is sent, signed or not: no crash, one out for one in, no card number, every id.

`make test` sends 2,000, `make hostile` 100,000.
"""

import pytest
from hostile_webhooks import attack

SEED = 12
PARTS = 10  # several processes share them


@pytest.mark.parametrize("part", range(PARTS))
def test_mutations_of_real_bodies(part, request):
    count = request.config.getoption("--mutations") // PARTS

    outcomes = attack(SEED, count, first=part * count)

    assert outcomes.total() >= count
    accepted = sum(times for outcome, times in outcomes.items() if outcome.startswith("accepted"))
    letters = sum(times for outcome, times in outcomes.items() if outcome.startswith("dead"))
    assert accepted > count // 4
    assert letters > count // 20
    assert outcomes["401"] > count // 40
