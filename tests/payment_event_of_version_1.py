"""The run of an event as its first version was, for tests that begin runs on it.

It is what histories named `1-…` were recorded with. It stays as it is.
"""

import asyncio
import datetime as dt
from contextlib import suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

# Names, and no modules from their package: the sandbox would load those anew for each run.
with workflow.unsafe.imports_passed_through():
    from clearhouse.payments.activities import (
        ADVICE,
        READ_HISTORY,
        RECORD_EVENT,
        VALIDATE_BUSINESS_RULES,
        no_advice,
    )
    from clearhouse.payments.problem import RECORD_FAILED, Problem
    from clearhouse.payments.workflows.messages import (
        DELIVERED,
        PAYMENT_EVENT,
        REDRIVE,
        STATE,
        Asked,
        Before,
        Delivery,
        Judged,
        RunState,
    )
    from clearhouse.workflows.activity import Activity
    from clearhouse.workflows.temporal_errors import code_of
    from clearhouse.workflows.temporal_policies import run_local

DEAD_LETTERED = "dead_lettered"
_WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 15, 60, 300))
"""Between tries while the store does not answer; the last one again and again."""


@workflow.defn(name=PAYMENT_EVENT)
class PaymentEventWorkflow:
    """Records one event, whatever the number of times it is delivered meanwhile."""

    @workflow.init
    def __init__(self, delivery: Delivery) -> None:
        self._deliveries = [delivery]
        self._handled = 0
        self._outcome = ""
        self._reason = ""
        self._is_redriven = False

    @workflow.run
    async def run(self, _delivery: Delivery) -> str:
        """What became of the event: recorded, or duplicate where it was before.

        Raises:
            ApplicationError: it was dead-lettered (dead_lettered).
        """
        while self._handled < len(self._deliveries):
            outcome = await self._record(self._deliveries[self._handled])
            if self._outcome in ("", "dead_letter"):
                self._outcome = outcome
            self._handled += 1
        if self._outcome == "dead_letter":
            raise ApplicationError(
                "The event is a dead letter: `clearhouse dlq` shows why.",
                type=DEAD_LETTERED,
                non_retryable=True,
            )
        return self._outcome

    @workflow.signal(name=DELIVERED)
    def delivered(self, delivery: Delivery) -> None:
        """Take note of another delivery of the event; the same one again is none."""
        place = (delivery.topic, delivery.position)
        if place not in [(each.topic, each.position) for each in self._deliveries]:
            self._deliveries.append(delivery)

    @workflow.signal(name=REDRIVE)
    def redrive(self) -> None:
        """Try again now what waits for an outage to end."""
        self._is_redriven = True

    @workflow.query(name=STATE)
    def state(self) -> RunState:
        """How the run is."""
        is_done = self._handled == len(self._deliveries)
        return RunState(
            phase="waiting" if self._reason else "done" if is_done else "working",
            reason=self._reason,
            outcome=self._outcome,
            deliveries=len(self._deliveries),
        )

    async def _record(self, delivery: Delivery) -> str:
        """Record a delivery, however long the store does not answer."""
        tries = 0
        problems: list[Problem] = []
        while True:
            try:
                return await self._try(delivery, problems)
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise
                code = code_of(error)
            if code == RECORD_FAILED:
                problems = [Problem(RECORD_FAILED, "", "It can't be recorded.")]
                continue
            await self._wait(code, _WAITS[min(tries, len(_WAITS) - 1)])
            tries += 1

    async def _try(self, delivery: Delivery, problems: list[Problem]) -> str:
        if problems:
            judged = Judged(delivery=delivery, problems=problems)
            return await run_local(RECORD_EVENT, judged, str)
        found, before = await asyncio.gather(
            run_local(VALIDATE_BUSINESS_RULES, delivery, list[Problem]),
            run_local(READ_HISTORY, delivery, Before),
        )
        decisions = [] if found else await self._advice(delivery, before)
        judged = Judged(delivery=delivery, problems=found, decisions=decisions)
        return await run_local(RECORD_EVENT, judged, str)

    async def _advice(self, delivery: Delivery, before: Before) -> list[dict[str, Any]]:
        """What inference says of an event that is not recorded yet."""
        if before.history is None:
            return []
        asked = Asked(event=delivery.event, history=before.history)
        wanted = [activity for activity, kinds in ADVICE if delivery.event_type in kinds]
        return await asyncio.gather(*(_ask(each, delivery, asked) for each in wanted))

    async def _wait(self, reason: str, pause: dt.timedelta) -> None:
        self._reason, self._is_redriven = reason, False
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_redriven, timeout=pause)
        self._reason = ""


async def _ask(activity: Activity, delivery: Delivery, asked: Asked) -> dict[str, Any]:
    """One model's answer; that there is none is recorded in its place: no payment waits for it."""
    try:
        return await run_local(activity, asked, dict[str, Any])
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return no_advice(activity, delivery.event_id, code_of(error))
