"""A run that waits for an outage to end, however long it takes."""

import datetime as dt
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from clearhouse.payments.problem import RECORD_FAILED
    from clearhouse.payments.workflows.messages import REDRIVE
    from clearhouse.workflows.temporal_errors import code_of

T = TypeVar("T")

_WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 15, 60, 300))
"""Between the first tries while a store does not answer; the last one again for a day."""
_TRIES_OF_A_DAY = 288
_AFTER_A_DAY = dt.timedelta(hours=1)
"""From then on. A try is about 11 events of the run's history, of which a server takes 51,200."""


def pause_after(tries: int) -> dt.timedelta:
    """How long a run waits after so many tries before the one that failed."""
    if tries >= _TRIES_OF_A_DAY:
        return _AFTER_A_DAY
    return _WAITS[min(tries, len(_WAITS) - 1)]


class WaitingRun:
    """What runs of payments have in common: they do not fail for an outage.

    Attributes:
        reason: the code of what is waited for; "" while nothing is in the way.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._is_redriven = False

    @workflow.signal(name=REDRIVE)
    def redrive(self) -> None:
        """Try again now what waits for an outage to end."""
        self._is_redriven = True

    async def through_outages(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do work that activities do, again until it is done.

        Raises:
            FailureError: no second try mends it (record_failed), or the run was canceled.
        """
        tries = 0
        while True:
            try:
                return await work()
            except FailureError as error:
                if is_cancelled_exception(error) or code_of(error) == RECORD_FAILED:
                    raise
                self.reason = code_of(error)
            self._is_redriven = False
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._is_redriven, timeout=pause_after(tries))
            self.reason = ""
            tries += 1
