"""Who buys: customers that are the same persons on every day.

Customers join in cohorts of 1,000 every 32 days, and a cohort buys during the 40 cohorts that
follow: about 40,000 people buy on any day of any year. A cohort is a function of (seed, its
number) alone, so no day needs another one.
"""

import datetime as dt
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.rng import pick, stream
from clearhouse.sandbox.simtom.config import Entity

COHORT_DAYS, COHORT_SIZE, COHORTS = 32, 1_000, 40
_FIRST_COHORT = dt.date(2000, 1, 1).toordinal() // COHORT_DAYS
_ID_SPACE = 10**9  # people of before 2000 get ids from the far end of it

AGES = ("18-24", "25-34", "35-44", "45-54", "55+")
INCOMES = ("<25k", "25k-50k", "50k-75k", "75k-100k", "100k+")
CREDIT = ("poor", "fair", "good", "excellent")
VERIFICATION = ("verified", "partial", "unverified")
ADDRESS = ("stable", "new", "frequent_mover")
# The populous ones first: the draw below leans to the head of the list.
# fmt: off
STATES = (
    "TX", "CA", "FL", "NY", "PA", "IL", "OH", "GA", "NC", "MI", "NJ", "VA", "WA", "AZ", "TN",
    "MA", "IN", "MD", "MO", "WI", "CO", "MN", "SC", "AL", "LA", "KY", "OR", "OK", "CT", "UT",
    "IA", "NV", "AR", "MS", "KS", "NM", "NE", "ID", "WV", "HI", "NH", "ME", "MT", "RI", "DE",
    "SD", "ND", "AK", "DC", "VT", "WY", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW",
)
# fmt: on
DEVICES = (
    ("mobile", "Android"),
    ("mobile", "iOS"),
    ("desktop", "Windows"),
    ("desktop", "macOS"),
    ("desktop", "Linux"),
    ("tablet", "Android"),
    ("tablet", "iOS"),
    ("tablet", "Windows"),
)
PROVIDERS = ("klarna", "afterpay", "affirm", "sezzle")
LIMITS = (500, 1_000, 1_500, 2_500, 5_000)
MAX_METHODS = 3

_DEVICE_SHARES = (0.33, 0.20, 0.28, 0.05, 0.03, 0.055, 0.045, 0.01)
_INCOME_SHARES = (0.10, 0.25, 0.30, 0.22, 0.13)
_CREDIT_SHARES = (0.18, 0.36, 0.32, 0.14)
# One row a credit band, one column a limit: the better the band, the higher the limit.
_LIMIT_SHARES = np.array(
    (
        (0.55, 0.30, 0.10, 0.05, 0.00),
        (0.30, 0.32, 0.20, 0.13, 0.05),
        (0.12, 0.22, 0.25, 0.26, 0.15),
        (0.04, 0.12, 0.20, 0.34, 0.30),
    )
)


@dataclass(frozen=True)
class People:
    """Columns of one row per customer; labels by index into this module's lists.

    Attributes:
        number: the customer's number, as in `cust_000001`.
        joined: the day of joining, as an ordinal (days).
        trait: how unreliable the person is beyond what a record shows; standard normal. It shows
            only in the person's history.
        device: shape (n, 2), the two devices of a person.
        provider, limit: shape (n, 3), of which the first `methods` are in use.
    """

    number: NDArray[np.int64]
    joined: NDArray[np.int64]
    age: NDArray[np.int64]
    income: NDArray[np.int64]
    credit: NDArray[np.int64]
    verification: NDArray[np.int64]
    address: NDArray[np.int64]
    state: NDArray[np.int64]
    trait: NDArray[np.float64]
    device: NDArray[np.int64]
    methods: NDArray[np.int64]
    provider: NDArray[np.int64]
    limit: NDArray[np.int64]


def period(day: dt.date) -> int:
    """Which population buys on a day: it changes every 32 days."""
    return day.toordinal() // COHORT_DAYS


@lru_cache(maxsize=6)
def population(seed: int, number: int) -> People:
    """Everyone who buys during a period, oldest cohort first; shape (40,000,)."""
    cohorts = [_cohort(seed, number - back) for back in range(COHORTS, 0, -1)]
    return People(
        **{
            column.name: np.concatenate([getattr(one, column.name) for one in cohorts])
            for column in fields(People)
        }
    )


@lru_cache(maxsize=512)
def _cohort(seed: int, number: int) -> People:
    rng = stream(seed, Entity.COHORT, number)
    n = COHORT_SIZE
    u = rng.random((8, n))
    credit = pick(_CREDIT_SHARES, u[0])
    limits = _LIMIT_SHARES.cumsum(axis=1)[credit]
    limit_u = rng.random((n, MAX_METHODS, 1))
    days = np.arange(n) * COHORT_DAYS // n  # they join evenly over the cohort's days
    return People(
        number=((number - _FIRST_COHORT) * COHORT_SIZE + np.arange(n) + 1) % _ID_SPACE,
        joined=number * COHORT_DAYS + days,
        age=pick((0.14, 0.25, 0.21, 0.15, 0.25), u[1]),
        income=pick(_INCOME_SHARES, u[2]),
        credit=credit,
        verification=pick((0.56, 0.27, 0.17), u[3]),
        address=pick((0.64, 0.24, 0.12), u[4]),
        # The squared draw makes the states at the head of the list the populous ones.
        state=(u[5] ** 2 * len(STATES)).astype(np.int64),
        trait=rng.standard_normal(n),
        device=pick(_DEVICE_SHARES, rng.random((n, 2))),
        methods=pick((0.45, 0.35, 0.20), u[6]) + 1,
        provider=(rng.random((n, MAX_METHODS)) * len(PROVIDERS)).astype(np.int64),
        limit=(limit_u >= limits[:, None, :-1]).sum(axis=2),
    )
