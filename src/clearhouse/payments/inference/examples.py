"""What the service's OpenAPI says of bodies: their schemas, from the types, and examples."""

import datetime as dt
from functools import cache
from typing import Any

import msgspec

from clearhouse.payments.event import EventType, PaymentEvent, Provider
from clearhouse.payments.inference.families import retry_plan
from clearhouse.payments.inference.model import (
    Case,
    ChurnPrediction,
    FraudScore,
    History,
    Judgement,
    RetryPlan,
)
from clearhouse.payments.inference.scorecards import churn_prediction, fraud_score

_REF = "#/components/schemas/{name}"
_TYPES = (Case, FraudScore, RetryPlan, ChurnPrediction)
_JUDGES = {FraudScore: fraud_score, RetryPlan: retry_plan, ChurnPrediction: churn_prediction}

_AT = dt.datetime(2026, 3, 14, 9, 26, 53, tzinfo=dt.UTC)
EXAMPLE = Case(
    event=PaymentEvent(
        event_id="stripe:evt_1",
        provider=Provider.STRIPE,
        account="default",
        livemode=True,
        event_type=EventType.FAILED,
        provider_type="charge.failed",
        payment_id="pi_1",
        amount_minor=1250,
        currency="EUR",
        method="card",
        card_brand="visa",
        card_last4="0341",
        customer_id="cus_1",
        failure_code="insufficient_funds",
        occurred_at=_AT,
        received_at=_AT + dt.timedelta(seconds=2),
        book_date=_AT.date(),
        webhook_position=0,
        body_sha256="0" * 64,
    ),
    history=History(failures=1),
)


@cache
def schemas() -> dict[str, Any]:
    """JSON Schema of each type, by its name."""
    _, components = msgspec.json.schema_components(_TYPES, ref_template=_REF)
    return dict(components)


def operation(answered: type[Judgement]) -> dict[str, Any]:
    """Request and answers of the operation that gives such judgements."""
    judgement = _JUDGES[answered](EXAMPLE.event, EXAMPLE.history)
    refused = {"code": "case_malformed", "detail": "The body is no case: …"}
    return {
        "requestBody": {
            "required": True,
            "content": _content("Case", msgspec.to_builtins(EXAMPLE)),
        },
        "responses": {
            "200": {
                "description": "One judgement for each case, in their order.",
                "content": _content(answered.__name__, msgspec.to_builtins(judgement)),
            },
            "400": {
                "description": "The body is no case and no list of cases.",
                "content": {"application/json": {"example": refused}},
            },
            "413": {"description": "The body, or the batch, is too large."},
        },
    }


def _content(name: str, example: Any) -> dict[str, Any]:
    one = {"$ref": _REF.format(name=name)}
    return {
        "application/json": {
            "schema": {"anyOf": [one, {"type": "array", "items": one}]},
            "examples": {
                "one": {"summary": "One event", "value": example},
                "batch": {"summary": "A batch", "value": [example]},
            },
        }
    }
