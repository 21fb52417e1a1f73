"""The scorecards for fraud and churn: points for what holds of a case, added up.

They are baselines: what they say follows from the lines below alone, and each reason is the code of
a line. docs/guides/payments-inference.md explains them. A line that changes makes a new version.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter

from clearhouse.core.money import exponents
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.exponents import times_smaller
from clearhouse.payments.inference.families import Family, family_of
from clearhouse.payments.inference.model import ChurnPrediction, FraudScore, History

_MOST_POINTS = 1000

_Holds = Callable[[PaymentEvent, History, int], bool]
"""Of an event, its history, and its amount in units (see `units_of`; -1 where it says none)."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points, in thousandths, for what holds. Negative ones speak for the payment."""

    code: str
    points: int
    holds: _Holds = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A scorecard.

    Attributes:
        model: its name and version.
        base: points of a case of which no line holds.
        bands: each outcome with the fewest points that it takes, in ascending order.
    """

    model: str
    base: int
    lines: tuple[Line, ...]
    bands: tuple[tuple[int, str], ...]

    def judge(self, event: PaymentEvent, history: History) -> tuple[int, str, tuple[str, ...]]:
        """Points from 0 to 1000, the outcome, and the codes of the lines that hold."""
        units = units_of(event)
        held = [
            (line.points, line.code) for line in self.lines if line.holds(event, history, units)
        ]
        points = min(max(self.base + sum([p for p, _ in held]), 0), _MOST_POINTS)
        held.sort(key=itemgetter(0), reverse=True)
        outcome = [name for least, name in self.bands if points >= least][-1]
        return points, outcome, tuple([code for _, code in held])


@cache
def _divisor(currency: str | None) -> int:
    return int(times_smaller(currency or "") * 10 ** exponents().get(currency or "", 2))


def units_of(event: PaymentEvent) -> int:
    """The amount in whole units about as large as a dollar; -1 where the event says none."""
    amount = event.amount_minor
    return -1 if amount is None else amount // _divisor(event.currency)


FRAUD = Scorecard(
    model="fraud-scorecard-1",
    base=20,
    lines=(
        Line("amount_over_1000", 80, lambda _e, _h, units: 1_000 <= units < 10_000),
        Line("amount_over_10000", 180, lambda _e, _h, units: units >= 10_000),
        Line("card_check", 30, lambda e, _h, _u: e.amount_minor == 0),
        Line("small_after_failures", 250, lambda _e, h, units: h.failures >= 2 and 0 <= units < 2),
        Line("failed_before", 60, lambda _e, h, _u: 1 <= h.failures <= 2),
        Line("failed_often", 220, lambda _e, h, _u: h.failures >= 3),
        Line("disputed_before", 250, lambda _e, h, _u: h.disputes > 0),
        Line("refunded_before", 40, lambda _e, h, _u: h.refunds > 0),
        Line("refused_as_fraud", 400, lambda e, _h, _u: family_of(e.failure_code) is Family.FRAUD),
        Line("disputed", 300, lambda e, _h, _u: e.event_type is EventType.DISPUTE_OPENED),
        Line("method_unknown", 40, lambda e, _h, _u: e.method is None),
        Line("brand_unknown", 30, lambda e, _h, _u: e.method == "card" and e.card_brand is None),
        Line("wallet", -20, lambda e, _h, _u: e.method == "wallet"),
        Line("at_night", 40, lambda e, _h, _u: e.occurred_at.hour < 5),  # UTC
        Line("no_customer", 20, lambda e, _h, _u: e.customer_id is None),
    ),
    bands=((0, "allow"), (250, "review"), (600, "block")),
)

CHURN = Scorecard(
    model="churn-scorecard-1",
    base=50,
    lines=(
        Line("disputed", 400, lambda e, h, _u: h.disputes > 0 or e.event_type.startswith("disp")),
        Line("card_expired", 250, lambda e, _h, _u: family_of(e.failure_code) is Family.EXPIRED),
        Line("failed", 150, lambda e, _h, _u: e.event_type is EventType.FAILED),
        Line("failed_before", 120, lambda _e, h, _u: 1 <= h.failures <= 2),
        Line("failed_often", 300, lambda _e, h, _u: h.failures >= 3),
        Line("canceled", 150, lambda e, _h, _u: e.event_type is EventType.CANCELED),
        Line("refunded", 120, lambda e, h, _u: h.refunds == 0 and e.refund_id is not None),
        Line("refunded_before", 200, lambda _e, h, _u: h.refunds > 0),
        Line("paid", -40, lambda e, _h, _u: e.event_type is EventType.CAPTURED),
        Line("no_customer", 30, lambda e, _h, _u: e.customer_id is None),
    ),
    bands=((0, "low"), (250, "medium"), (500, "high")),
)


def fraud_score(event: PaymentEvent, history: History) -> FraudScore:
    """How likely an event is fraud, by the scorecard."""
    score, outcome, reasons = FRAUD.judge(event, history)
    return FraudScore(
        event_id=event.event_id, model=FRAUD.model, outcome=outcome, reasons=reasons, score=score
    )


def churn_prediction(event: PaymentEvent, history: History) -> ChurnPrediction:
    """How likely an event's customer is lost, by the scorecard."""
    score, outcome, reasons = CHURN.judge(event, history)
    return ChurnPrediction(
        event_id=event.event_id, model=CHURN.model, outcome=outcome, reasons=reasons, score=score
    )
