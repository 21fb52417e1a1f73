"""The run of one event: judged, advised on, recorded; or dead-lettered.

All of it is one workflow task with local activities, so that an event costs the server three state
transitions: the start, and the task begun and completed. What a lost task has done is done again,
and the store knows it (`Recorder`).

A run completes when its event is recorded, and fails when the event is dead-lettered, so that the
same id can be started again for a redrive. While the store does not answer, it waits.

A change of what a run does goes behind `workflow.patched`, as runs that have begun go on with it;
tests replay the histories of each version.
"""

import asyncio
import datetime as dt
from contextlib import suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ApplicationError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

# Names, and no modules from their package: the sandbox would load those anew for each run.
with workflow.unsafe.imports_passed_through():
    from clearhouse.payments.activities import (
        ADVICE,
        READ_HISTORY,
        READ_PLAN,
        RECORD_EVENT,
        VALIDATE_BUSINESS_RULES,
        no_advice,
    )
    from clearhouse.payments.event import EventType
    from clearhouse.payments.problem import RECORD_FAILED, Problem
    from clearhouse.payments.workflows.messages import (
        DELIVERED,
        PAYMENT_EVENT,
        RETRY_PLAN,
        STATE,
        Asked,
        Before,
        Delivery,
        Judged,
        Plan,
        RunState,
        plan_id,
    )
    from clearhouse.workflows.activity import Activity
    from clearhouse.workflows.temporal_errors import code_of
    from clearhouse.workflows.temporal_policies import run_local

from clearhouse.payments.workflows.waiting import WaitingRun

DEAD_LETTERED = "dead_lettered"
_PLANS_RETRIES = "plans-retries"
"""The change by which a failed payment's retry plan became a run of its own."""
_STALE_AFTER = dt.timedelta(days=1)
"""A plan whose last time is longer ago is not begun: its payment failed long before it came."""


@workflow.defn(name=PAYMENT_EVENT)
class PaymentEventWorkflow(WaitingRun):
    """Records one event, whatever the number of times it is delivered meanwhile."""

    @workflow.init
    def __init__(self, delivery: Delivery) -> None:
        super().__init__()
        self._deliveries = [delivery]
        self._handled = 0
        self._outcome = ""

    @workflow.run
    async def run(self, delivery: Delivery) -> str:
        """What became of the event: recorded, or duplicate where it was before.

        Raises:
            ApplicationError: it was dead-lettered (dead_lettered).
        """
        await self._record_all()
        if self._outcome == "dead_letter":
            raise ApplicationError(
                "The event is a dead letter: `clearhouse dlq` shows why.",
                type=DEAD_LETTERED,
                non_retryable=True,
            )
        has_failed = delivery.event_type is EventType.FAILED and self._outcome == "recorded"
        if has_failed and workflow.patched(_PLANS_RETRIES):
            await self._plan_retries(delivery.event_id)
            await self._record_all()  # what was delivered meanwhile
        return self._outcome

    @workflow.signal(name=DELIVERED)
    def delivered(self, delivery: Delivery) -> None:
        """Take note of another delivery of the event; the same one again is none."""
        place = (delivery.topic, delivery.position)
        if place not in [(each.topic, each.position) for each in self._deliveries]:
            self._deliveries.append(delivery)

    @workflow.query(name=STATE)
    def state(self) -> RunState:
        """How the run is."""
        is_done = self._handled == len(self._deliveries)
        return RunState(
            phase="waiting" if self.reason else "done" if is_done else "working",
            reason=self.reason,
            outcome=self._outcome,
            deliveries=len(self._deliveries),
        )

    async def _record_all(self) -> None:
        while self._handled < len(self._deliveries):
            outcome = await self._record(self._deliveries[self._handled])
            if self._outcome in ("", "dead_letter"):
                self._outcome = outcome
            self._handled += 1

    async def _record(self, delivery: Delivery) -> str:
        """Record a delivery; what can't be is dead-lettered."""
        try:
            return await self.through_outages(lambda: self._try(delivery))
        except FailureError as error:
            if code_of(error) != RECORD_FAILED:
                raise
        problem = Problem(RECORD_FAILED, "", "It can't be recorded.")
        judged = Judged(delivery=delivery, problems=[problem])
        return await self.through_outages(lambda: run_local(RECORD_EVENT, judged, str))

    async def _try(self, delivery: Delivery) -> str:
        problems, before = await asyncio.gather(
            run_local(VALIDATE_BUSINESS_RULES, delivery, list[Problem]),
            run_local(READ_HISTORY, delivery, Before),
        )
        decisions = [] if problems else await self._advice(delivery, before)
        judged = Judged(delivery=delivery, problems=problems, decisions=decisions)
        return await run_local(RECORD_EVENT, judged, str)

    async def _advice(self, delivery: Delivery, before: Before) -> list[dict[str, Any]]:
        """What inference says of an event that is not recorded yet."""
        if before.history is None:
            return []
        asked = Asked(event=delivery.event, history=before.history)
        wanted = [activity for activity, kinds in ADVICE if delivery.event_type in kinds]
        return await asyncio.gather(*(_ask(each, delivery, asked) for each in wanted))

    async def _plan_retries(self, event_id: str) -> None:
        """Begin the run of the retry plan that was recorded, where there is one."""
        plan = await self.through_outages(lambda: run_local(READ_PLAN, event_id, Plan))
        if not plan.attempts or plan.attempts[-1] < workflow.now() - _STALE_AFTER:
            return
        # It is there where the end of a run of this event was lost.
        with suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                RETRY_PLAN,
                plan,
                id=plan_id(event_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                search_attributes=workflow.info().typed_search_attributes,
            )


async def _ask(activity: Activity, delivery: Delivery, asked: Asked) -> dict[str, Any]:
    """One model's answer; that there is none is recorded in its place: no payment waits for it."""
    try:
        return await run_local(activity, asked, dict[str, Any])
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return no_advice(activity, delivery.event_id, code_of(error))
