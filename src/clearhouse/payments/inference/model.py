"""What is asked of a model, and what it answers: the same in process and over HTTP."""

import datetime as dt
from typing import Annotated

import msgspec

from clearhouse.payments.event import PaymentEvent

_STORABLE = r"^[^\x00]*$"
"""What a server's column takes."""
_Name = Annotated[str, msgspec.Meta(max_length=80, pattern=_STORABLE)]
_Word = Annotated[str, msgspec.Meta(max_length=40, pattern=_STORABLE)]
_Reason = Annotated[str, msgspec.Meta(max_length=200, pattern=_STORABLE)]
_Thousandths = Annotated[int, msgspec.Meta(ge=0, le=1000)]
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
_MOST = 100


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of an event's payment before the event.

    Attributes:
        failures: attempts of it that had failed, with those at other payments of the same
            merchant's reference: a further attempt can be a payment of its own.
        refunds, disputes: of it, whatever came of them.
    """

    failures: int = 0
    refunds: int = 0
    disputes: int = 0


NO_HISTORY = History()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a model judges."""

    event: PaymentEvent
    history: History = NO_HISTORY


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says of an event. An answer that is none such can't be recorded, and is refused.

    Attributes:
        model: name and version: the same model says the same of the same case.
        outcome: what is advised, in one word of the model's.
        reasons: codes of what made it so, the weightiest first.
        is_fallback: the model that was to be asked did not answer; the scorecard in process did,
            and the first reason says why.
    """

    event_id: str
    model: _Name
    outcome: _Word
    reasons: Annotated[tuple[_Reason, ...], msgspec.Meta(max_length=_MOST)]
    is_fallback: bool = False


class FraudScore(Judgement, frozen=True, kw_only=True):
    """How likely an event is fraud.

    Attributes:
        score: in thousandths, from 0 to 1000.
        outcome: allow, review or block. It is advice: nothing in the pipeline stops on it.
    """

    score: _Thousandths


class ChurnPrediction(Judgement, frozen=True, kw_only=True):
    """How likely the payment's customer is lost.

    Attributes:
        score: in thousandths, from 0 to 1000.
        outcome: low, medium or high.
    """

    score: _Thousandths


class RetryPlan(Judgement, frozen=True, kw_only=True):
    """Whether and when to try again what failed.

    Attributes:
        outcome: never; customer (only after the customer did something); later; soon.
        attempts: when, in UTC; none unless later or soon.
    """

    attempts: Annotated[tuple[_Moment, ...], msgspec.Meta(max_length=_MOST)] = ()
