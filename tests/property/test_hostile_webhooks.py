"""Whatever is sent, signed or not: no crash, one out for one in, no card number, every id."""

from hostile_webhooks import attack


def test_mutations_of_real_bodies():
    outcomes = attack(seed=12, count=2_000)
    accepted = sum(times for outcome, times in outcomes.items() if outcome.startswith("accepted"))
    letters = sum(times for outcome, times in outcomes.items() if outcome.startswith("dead"))
    assert accepted > 500
    assert letters > 100
    assert outcomes["401"] > 50
