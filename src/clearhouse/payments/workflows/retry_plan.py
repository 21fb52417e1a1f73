"""The run of a failed payment's retry plan: it sleeps until each time, and has it decided then.

The timers are the server's: no process has to be up while it waits.
"""

import datetime as dt

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from clearhouse.payments.activities import DECIDE_RETRY
    from clearhouse.payments.retry_due import ENDS, Attempt
    from clearhouse.payments.workflows.messages import RETRY_PLAN, STATE, Plan, RunState
    from clearhouse.workflows.temporal_policies import run_local

from clearhouse.payments.workflows.waiting import WaitingRun


@workflow.defn(name=RETRY_PLAN)
class RetryPlanWorkflow(WaitingRun):
    """Has a failed payment tried again at its times, unless it has been paid meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._outcomes: list[str] = []

    @workflow.run
    async def run(self, plan: Plan) -> list[str]:
        """What came of each time, up to the last that mattered (`retry_due`)."""
        later: list[dt.datetime | None] = [*plan.attempts[1:], None]
        for number, (at, next_at) in enumerate(zip(plan.attempts, later, strict=True), 1):
            attempt = Attempt(event_id=plan.event_id, number=number, due_at=at, next_at=next_at)
            pause = at - workflow.now()
            if pause > dt.timedelta():
                await workflow.sleep(pause)
            outcome = await self._decided(attempt)
            self._outcomes.append(outcome)
            if outcome in ENDS:
                break
        return self._outcomes

    @workflow.query(name=STATE)
    def state(self) -> RunState:
        """How the run is."""
        return RunState(
            phase="waiting" if self.reason else "working",
            reason=self.reason,
            outcome=self._outcomes[-1] if self._outcomes else "",
            deliveries=len(self._outcomes),
        )

    async def _decided(self, attempt: Attempt) -> str:
        return await self.through_outages(lambda: run_local(DECIDE_RETRY, attempt, str))
