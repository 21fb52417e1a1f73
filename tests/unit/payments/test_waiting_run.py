"""How a run of a payment waits for an outage to end."""

import datetime as dt
from itertools import accumulate, count, takewhile

from clearhouse.payments.workflows.waiting import pause_after

EVENTS_OF_A_TRY = 11
MOST_EVENTS = 51_200
"""Of a run, after which Temporal ends it."""


def test_a_run_waits_longer_and_longer_and_outlasts_an_outage_of_months() -> None:
    assert pause_after(0) == dt.timedelta(seconds=5)
    assert pause_after(10) == dt.timedelta(minutes=5)
    waited = accumulate(map(pause_after, count()))
    tries = sum(1 for _ in takewhile(lambda each: each < dt.timedelta(days=150), waited))
    assert tries * EVENTS_OF_A_TRY < MOST_EVENTS
