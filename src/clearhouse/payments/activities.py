"""The activities of an event's way into the store, with their policies.

An error that can't be mended is no error of an activity: an event that breaks a rule is dead-
lettered whole, and what inference can't say is a recorded fallback. What is retried are outages.
"""

import json
from collections.abc import Callable, Sequence

import structlog

from clearhouse.core.errors import ClearhouseError
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.inference.client import Inference
from clearhouse.payments.inference.model import ChurnPrediction, FraudScore, History, RetryPlan
from clearhouse.payments.problem import Problem
from clearhouse.payments.rules import validate
from clearhouse.payments.store.sql import Row
from clearhouse.workflows.activity import Activity, Retry, Workflows

_TWICE = Retry(attempts=2, first_seconds=0.05, most_seconds=0.2)

VALIDATE_BUSINESS_RULES = Activity("validate_business_rules", 5.0)
READ_HISTORY = Activity("read_history", 10.0, Retry(attempts=5))
SCORE_FRAUD = Activity("score_fraud", 5.0, _TWICE, can_be_left=True)
PREDICT_CHURN = Activity("predict_churn", 5.0, _TWICE, can_be_left=True)
PLAN_RETRY = Activity("plan_retry", 5.0, _TWICE, can_be_left=True)
_DEFECTS = frozenset(
    {
        "stale_progress",
        *("IntegrityError", "DataError", "ProgrammingError", "StatementError"),
        *("TypeError", "ValueError", "KeyError", "OverflowError", "UnicodeEncodeError"),
    }
)
"""What no second try mends: another worker, an event that can't be stored, a defect of ours."""

READ_PLAN = Activity("read_plan", 10.0, Retry(attempts=5))
DECIDE_RETRY = Activity("decide_retry", 60.0, Retry(attempts=5))
RECORD_EVENT = Activity("record_event", 60.0, Retry(attempts=5, non_retryable=_DEFECTS))
PUBLISH = Activity(
    "publish",
    60.0,
    Retry(attempts=5, non_retryable=frozenset({"stale_progress", "message_too_large"})),
)
ACTIVITIES = (
    VALIDATE_BUSINESS_RULES, READ_HISTORY, SCORE_FRAUD, PREDICT_CHURN, PLAN_RETRY, RECORD_EVENT,
    READ_PLAN, DECIDE_RETRY, PUBLISH,
)  # fmt: skip

_ATTEMPTS_TO_PAY = frozenset(
    {EventType.PENDING, EventType.AUTHORIZED, EventType.CAPTURED, EventType.FAILED}
)
_SIGNS_OF_CHURN = frozenset(
    {EventType.FAILED, EventType.CANCELED, EventType.REFUNDED, EventType.DISPUTE_OPENED}
)
ADVICE = (
    (SCORE_FRAUD, _ATTEMPTS_TO_PAY),
    (PREDICT_CHURN, _SIGNS_OF_CHURN),
    (PLAN_RETRY, frozenset({EventType.FAILED})),
)
"""What inference is asked, and about which types of events."""
ADVISED = _ATTEMPTS_TO_PAY | _SIGNS_OF_CHURN

NO_MODEL = "none"
_log = structlog.get_logger()

Judgements = Sequence[FraudScore] | Sequence[ChurnPrediction] | Sequence[RetryPlan]
Ask = Callable[[Sequence[PaymentEvent], Sequence[History]], Judgements]


def validate_business_rules(
    workflows: Workflows, events: Sequence[PaymentEvent]
) -> list[list[Problem]]:
    """What is wrong with each event; a rule that fails itself is a problem of that event."""
    return workflows.run(VALIDATE_BUSINESS_RULES, lambda: [problems_of(event) for event in events])


def problems_of(event: PaymentEvent) -> list[Problem]:
    """What is wrong with one event."""
    try:
        return validate(event)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is about this one event
        _log.error("rule_failed", event_id=event.event_id, error=type(error).__name__)
        return [Problem("rule_failed", "", f"A rule failed on it: {type(error).__name__}.")]


def advise(
    workflows: Workflows,
    inference: Inference,
    events: Sequence[PaymentEvent],
    histories: Sequence[History],
) -> dict[str, list[Row]]:
    """What inference says of events, as rows of `decision` by event id.

    It never fails and never takes longer than the policies say.
    """
    decisions: dict[str, list[Row]] = {}
    asks = models_of(inference)
    for activity, kinds in ADVICE:
        pairs = [
            pair for pair in zip(events, histories, strict=True) if pair[0].event_type in kinds
        ]
        if pairs:
            for row in _asked(workflows, activity, asks[activity.name], pairs):
                decisions.setdefault(row["event_id"], []).append(row)
    return decisions


def models_of(inference: Inference) -> dict[str, Ask]:
    """What answers each activity that asks a model, by its name."""
    return {
        SCORE_FRAUD.name: inference.score_fraud,
        PREDICT_CHURN.name: inference.predict_churn,
        PLAN_RETRY.name: inference.plan_retry,
    }


def _asked(
    workflows: Workflows,
    activity: Activity,
    ask: Ask,
    pairs: Sequence[tuple[PaymentEvent, History]],
) -> list[Row]:
    events = [event for event, _ in pairs]
    histories = [history for _, history in pairs]
    try:
        found = workflows.run(activity, lambda: ask(events, histories))
    except Exception as error:  # noqa: BLE001  # no payment waits for advice, whatever went wrong
        reason = error.code if isinstance(error, ClearhouseError) else "inference_failed"
        _log.warning("advice_failed", activity=activity.name, error=type(error).__name__)
        return [no_advice(activity, event.event_id, reason) for event in events]
    return [decision_row(activity, each) for each in found]


def decision_row(activity: Activity, found: FraudScore | ChurnPrediction | RetryPlan) -> Row:
    """What a model said, as a row of `decision`."""
    plan = score = None
    if isinstance(found, RetryPlan):
        plan = json.dumps([at.isoformat() for at in found.attempts])
    else:
        score = found.score
    return {
        "event_id": found.event_id,
        "activity": activity.name,
        "model": found.model,
        "outcome": found.outcome,
        "score": score,
        "reasons": ",".join(found.reasons),
        "is_fallback": found.is_fallback,
        "plan": plan,
    }


def no_advice(activity: Activity, event_id: str, reason: str) -> Row:
    """That a model could not be asked, as a row of `decision`; the reason is a code."""
    return {
        "event_id": event_id,
        "activity": activity.name,
        "model": NO_MODEL,
        "outcome": "unknown",
        "score": None,
        "reasons": reason,
        "is_fallback": True,
        "plan": None,
    }
