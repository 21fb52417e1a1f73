"""Asking the models, which never raise or take long: what is only advice holds up no payment."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.inference.families import retry_plan
from clearhouse.payments.inference.model import (
    NO_HISTORY,
    ChurnPrediction,
    FraudScore,
    History,
    RetryPlan,
)
from clearhouse.payments.inference.scorecards import churn_prediction, fraud_score

FRAUD_PATH = "/fraud/score"
RETRY_PATH = "/retry/strategy"
CHURN_PATH = "/churn/predict"

_T = TypeVar("_T")


class Inference(Protocol):
    """The models. Each method gives one answer for each event, in their order, and never raises.

    `histories` has one for each event; without them nothing is taken for known before it.
    """

    def score_fraud(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[FraudScore]:
        """How likely each is fraud."""
        ...

    def plan_retry(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[RetryPlan]:
        """Whether and when to try again what each says has failed."""
        ...

    def predict_churn(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[ChurnPrediction]:
        """How likely the customer of each is lost."""
        ...


class InProcess:
    """The scorecards, in this process."""

    def score_fraud(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[FraudScore]:
        """How likely each is fraud."""
        return for_each(fraud_score, events, histories)

    def plan_retry(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[RetryPlan]:
        """Whether and when to try again what each says has failed."""
        return for_each(retry_plan, events, histories)

    def predict_churn(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[ChurnPrediction]:
        """How likely the customer of each is lost."""
        return for_each(churn_prediction, events, histories)


def for_each(
    judge: Callable[[PaymentEvent, History], _T],
    events: Sequence[PaymentEvent],
    histories: Sequence[History] | None,
) -> list[_T]:
    """What a scorecard says of each event."""
    if histories is None:
        return [judge(event, NO_HISTORY) for event in events]
    return [judge(event, history) for event, history in zip(events, histories, strict=True)]
