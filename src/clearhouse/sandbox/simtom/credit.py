"""Who will default, and the lender's own score of it.

A default follows from what a record shows (credit band, share of the limit used, scenario,
tenure, address, verification, instalment burden, stress of the economy), from a trait of the
person that only a history shows, and from chance. The lender's score knows less: some of the
record, and noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.simtom.people import LIMITS, People

SCENARIOS = ("low_risk_purchase", "impulse_purchase", "credit_stretched", "high_risk_behavior")
LOW, IMPULSE, STRETCHED, HIGH = range(4)
INSTALLMENTS = (4, 6, 12, 24)
FIRST_MISS_DAYS = 14
LATEST_MISS_DAYS = 84

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]

# Log-odds. The sizes are set so that a model which sees the record alone reaches a ROC AUC of
# about 0.8 and 7 % of purchases default; the tests hold both.
_BASE = -4.75
_CREDIT = np.array([1.4, 0.45, -0.6, -1.9])
_SCENARIO = np.array([0.0, 0.6, 0.8, 1.7])
_ADDRESS = np.array([0.0, 0.4, 0.8])
_VERIFICATION = np.array([0.0, 0.3, 0.75])
_UTILIZATION, _NEWCOMER, _BURDEN, _STRESS, _TRAIT = 1.5, 1.3, 0.5, 1.0, 0.5
_NEWCOMER_DAYS = 150.0
_BURDEN_CAP = 3.0
_MONTHLY_INCOME_USD = np.array([1_600.0, 3_100.0, 5_200.0, 7_300.0, 11_000.0])
_SPENDABLE_SHARE = 0.05  # of the income, for instalments

# The lender's score, 0 to 1.
_SCORE_BASE, _SCORE_NOISE = 0.13, 0.07
_SCORE_CREDIT = np.array([0.24, 0.15, 0.08, 0.01])
_SCORE_SCENARIO = np.array([0.0, 0.05, 0.08, 0.15])
_SCORE_ADDRESS = np.array([0.0, 0.04, 0.10])
_SCORE_VERIFICATION = np.array([0.0, 0.04, 0.10])


@dataclass(frozen=True)
class Application:
    """What is known when a purchase is decided; arrays of one value per purchase.

    Attributes:
        people: the population; `customer` are rows of it.
        limit: index into `LIMITS`.
        installments: index into `INSTALLMENTS`.
        stress: of the economy on the day, 0 upward.
    """

    people: People
    customer: Indices
    tenure_days: Indices
    scenario: Indices
    amount_cents: Indices
    limit: Indices
    installments: Indices
    stress: float


def default_probability(a: Application) -> Numbers:
    """Probability, 0 to 1, that a payment is missed."""
    who, at = a.people, a.customer
    utilization = a.amount_cents / (100 * np.array(LIMITS)[a.limit])
    payment_usd = a.amount_cents / 100 / np.array(INSTALLMENTS)[a.installments]
    burden = payment_usd / (_SPENDABLE_SHARE * _MONTHLY_INCOME_USD[who.income[at]])
    log_odds = (
        _BASE
        + _CREDIT[who.credit[at]]
        + _SCENARIO[a.scenario]
        + _ADDRESS[who.address[at]]
        + _VERIFICATION[who.verification[at]]
        + _UTILIZATION * utilization
        + _NEWCOMER * np.exp(-a.tenure_days / _NEWCOMER_DAYS)
        + _BURDEN * np.minimum(burden, _BURDEN_CAP)
        + _STRESS * a.stress
        + _TRAIT * who.trait[at]
    )
    probability: Numbers = 1 / (1 + np.exp(-log_odds))
    return probability


def first_missed_days(
    a: Application, defaults: NDArray[np.bool_], u: NDArray[np.float64]
) -> Indices:
    """Days to the first missed payment: 0 for none, else a multiple of 14 up to 84.

    A payment can only be missed when it falls due: the first is made at purchase, the others
    every 14 days.
    """
    due = np.array(INSTALLMENTS)[a.installments] - 1
    latest = np.minimum(due, LATEST_MISS_DAYS // FIRST_MISS_DAYS)
    days: Indices = np.where(defaults, FIRST_MISS_DAYS * (1 + (u * latest).astype(np.int64)), 0)
    return days


def risk_score_percent(a: Application, noise: Numbers) -> Indices:
    """The lender's score in hundredths, 1 to 99; `noise` is standard normal."""
    who, at = a.people, a.customer
    score = (
        _SCORE_BASE
        + _SCORE_CREDIT[who.credit[at]]
        + _SCORE_SCENARIO[a.scenario]
        + _SCORE_ADDRESS[who.address[at]]
        + _SCORE_VERIFICATION[who.verification[at]]
        + _SCORE_NOISE * noise
    )
    percent: Indices = np.rint(100 * score).astype(np.int64).clip(1, 99)
    return percent
