"""The activities of payments as runs of a workflow server call them: one event each.

What many runs ask for at the same time is asked of the store and the models in batches.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity

from clearhouse.core import tracing
from clearhouse.core.batching import Batcher
from clearhouse.payments import activities as declared
from clearhouse.payments.activities import Ask, decision_row, models_of, problems_of
from clearhouse.payments.event import PaymentEvent, decode_event
from clearhouse.payments.inference.client import Inference
from clearhouse.payments.inference.model import History
from clearhouse.payments.problem import Problem
from clearhouse.payments.retry_due import Attempt
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.recorder import Handled
from clearhouse.payments.store.retries import decide, planned
from clearhouse.payments.worker.history import new_with_history
from clearhouse.payments.workflows.messages import Asked, Before, Delivery, Judged, Plan
from clearhouse.payments.workflows.recording import Recording
from clearhouse.workflows.activity import Activity
from clearhouse.workflows.temporal_errors import coded

Row = dict[str, Any]
_GATHER_SECONDS = 0.02


class PaymentActivities:
    """What the runs of events do outside of their definitions.

    Args:
        store: holds what is recorded.
        inference: gives advice.
        recording: records.
        on_retry: told what came of a planned attempt.
    """

    def __init__(
        self,
        store: PaymentStore,
        inference: Inference,
        recording: Recording,
        on_retry: Callable[[str], None],
    ) -> None:
        self._store = store
        self._on_retry = on_retry
        self._histories = Batcher(self._read_histories, gather_seconds=_GATHER_SECONDS)
        self._recording = recording
        models = models_of(inference)
        self._advice = {
            each.name: Batcher(_advisor(each, models[each.name])) for each, _ in declared.ADVICE
        }

    @property
    def all(self) -> list[Callable[..., Any]]:
        """What a worker is given."""
        return [
            self.validate_business_rules,
            self.read_history,
            self.score_fraud,
            self.predict_churn,
            self.plan_retry,
            self.record_event,
            self.read_plan,
            self.decide_retry,
        ]

    @activity.defn(name=declared.VALIDATE_BUSINESS_RULES.name)
    @coded
    async def validate_business_rules(self, delivery: Delivery) -> list[Problem]:
        """What is wrong with an event."""
        return problems_of(decode_event(delivery.event))

    @activity.defn(name=declared.READ_HISTORY.name)
    @coded
    async def read_history(self, delivery: Delivery) -> Before:
        """What is known of an event's payment."""
        return Before(history=await self._histories.ask(decode_event(delivery.event)))

    @activity.defn(name=declared.SCORE_FRAUD.name)
    @coded
    async def score_fraud(self, asked: Asked) -> Row:
        """How likely an event is fraud, as a row of `decision`."""
        return await self._ask(declared.SCORE_FRAUD, asked)

    @activity.defn(name=declared.PREDICT_CHURN.name)
    @coded
    async def predict_churn(self, asked: Asked) -> Row:
        """How likely its customer is lost, as a row of `decision`."""
        return await self._ask(declared.PREDICT_CHURN, asked)

    @activity.defn(name=declared.PLAN_RETRY.name)
    @coded
    async def plan_retry(self, asked: Asked) -> Row:
        """When to try a failed payment again, as a row of `decision`."""
        return await self._ask(declared.PLAN_RETRY, asked)

    @activity.defn(name=declared.RECORD_EVENT.name)
    @coded
    async def record_event(self, judged: Judged) -> str:
        """Record a delivery; what became of it: recorded, duplicate or dead_letter."""
        event = decode_event(judged.delivery.event)
        record = judged.delivery.record.with_headers(tracing.current())
        return await self._recording.record(
            Handled(event, record, judged.problems, judged.decisions)
        )

    @activity.defn(name=declared.READ_PLAN.name)
    @coded
    async def read_plan(self, event_id: str) -> Plan:
        """When a failed payment is to be tried again."""
        attempts = await asyncio.to_thread(planned, self._store, event_id, declared.PLAN_RETRY.name)
        return Plan(event_id=event_id, attempts=attempts)

    @activity.defn(name=declared.DECIDE_RETRY.name)
    @coded
    async def decide_retry(self, attempt: Attempt) -> str:
        """What comes of a time at which it was to be (see `retry_due`)."""
        outcome = await asyncio.to_thread(decide, self._store, attempt, _now())
        self._on_retry(outcome)
        return outcome

    def _read_histories(self, events: Sequence[PaymentEvent]) -> list[History | None]:
        found = new_with_history(self._store, events)
        by_id = {event.event_id: history for event, history in found}
        return [by_id.get(event.event_id) for event in events]

    async def _ask(self, which: Activity, asked: Asked) -> Row:
        return await self._advice[which.name].ask((decode_event(asked.event), asked.history))


def _advisor(
    which: Activity, ask: Ask
) -> Callable[[Sequence[tuple[PaymentEvent, History]]], Sequence[Row]]:
    def advise(cases: Sequence[tuple[PaymentEvent, History]]) -> Sequence[Row]:
        found = ask([event for event, _ in cases], [history for _, history in cases])
        return [decision_row(which, each) for each in found]

    return advise


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
