"""Ready-made text: the parts of a simtom record that a small index can choose.

Each table is an Arrow string array; the order of its entries is given beside it. Parts that follow
one another in every record are one fragment.
"""

import itertools
import json
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow.compute as pc

from clearhouse.sandbox.simtom import catalogue as shop
from clearhouse.sandbox.simtom import people as persons
from clearhouse.sandbox.simtom.credit import (
    FIRST_MISS_DAYS,
    HIGH,
    IMPULSE,
    INSTALLMENTS,
    LATEST_MISS_DAYS,
    SCENARIOS,
)
from clearhouse.sandbox.simtom.purchases import CARTS, COMPARISON_SECONDS, SPEEDS
from clearhouse.sandbox.text import Text, money, padded, strings, take
from clearhouse.sandbox.times import DAY_SECONDS

RISK_SCORES = 100  # hundredths, 0 to 99
_LOW_BELOW, _MEDIUM_BELOW = 30, 60


def _fields(**values: Any) -> str:
    """The inside of a JSON object, as Python prints it, without its braces."""
    return json.dumps(values)[1:-1]


def _behaviour(scenario: int, speed: str, carts: int) -> str:
    # Impulse and high-risk records have their context before the scenario, see BEFORE_SCENARIO.
    context = {} if scenario in (IMPULSE, HIGH) else {"purchase_context": "normal"}
    return _fields(
        payment_frequency="bi_weekly",
        **context,
        checkout_speed=speed,
        cart_abandonment_count=carts,
    )


def risk_level(percent: int) -> str:
    """The band of a score in hundredths."""
    if percent < _LOW_BELOW:
        return "low"
    return "medium" if percent < _MEDIUM_BELOW else "high"


DEVICE_NUMBER = strings(f'_device_{n}", "payment_method_id": "' for n in (1, 2))

METHOD_NUMBER = strings(f'_pm_{n + 1}", "amount": ' for n in range(persons.MAX_METHODS))

# By scenario; where it ends in a colon, a number follows.
_PAID = ', "currency": "USD", "status": "completed", '
BEFORE_SCENARIO = strings(
    (
        _PAID,
        _PAID + '"purchase_context": "impulse", ',
        _PAID + '"credit_utilization": ',
        _PAID + '"purchase_context": "rushed", "time_on_site_seconds": ',
    )
)
_AFTER_NUMBER = ("", "", ", ", ", ")

# By (scenario, score, instalments).
RISK = strings(
    _AFTER_NUMBER[scenario]
    + _fields(
        risk_scenario=SCENARIOS[scenario],
        risk_score=percent / 100,
        risk_level=risk_level(percent),
        installment_count=count,
    )
    + ', "first_payment_amount": '
    for scenario, percent, count in itertools.product(
        range(len(SCENARIOS)), range(RISK_SCORES), INSTALLMENTS
    )
)

# By (scenario, speed, carts).
CHECKOUT = strings(
    f', {_behaviour(scenario, speed, carts)}, "price_comparison_time": '
    for scenario, speed, carts in itertools.product(range(len(SCENARIOS)), SPEEDS, range(CARTS))
)

# By (does the time on site follow, seconds).
COMPARISON = strings(
    f"{seconds}{tail}"
    for tail in ("", ', "time_on_site_seconds": ')
    for seconds in range(COMPARISON_SECONDS)
)

# By (device, trusted).
DEVICE = strings(
    _fields(device_type=kind, device_os=os, device_is_trusted=trusted) + ", "
    for (kind, os), trusted in itertools.product(persons.DEVICES, (False, True))
)

# By (provider, limit).
PAYMENT = strings(
    _fields(payment_provider=provider, payment_type="bnpl_account", payment_credit_limit=limit)
    + ', "_timestamp": "'
    for provider, limit in itertools.product(persons.PROVIDERS, persons.LIMITS)
)


@lru_cache(maxsize=64)
def outcome(stress: float) -> Text:
    """By (missed payment from 0 for none to 6, age), for a day's economic stress."""
    return strings(
        ", "
        + _fields(
            economic_stress_factor=stress,
            will_default=missed > 0,
            days_to_first_missed_payment=missed * FIRST_MISS_DAYS or None,
            customer_age_bracket=age,
        )
        + ', "customer_tenure_days": '
        for missed, age in itertools.product(
            range(LATEST_MISS_DAYS // FIRST_MISS_DAYS + 1), persons.AGES
        )
    )


@lru_cache(maxsize=1)
def clock() -> Text:
    """By second of the day: `02:14:32`."""
    return strings(
        f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        for second in range(DAY_SECONDS)
    )


@lru_cache(maxsize=6)
def people(seed: int, period: int) -> tuple[Text, Text]:
    """By row of the population: the customer's id, and what follows the tenure."""
    who = persons.population(seed, period)
    ids = pc.binary_join_element_wise("cust_", padded(who.number, 6), "")
    rest = pc.binary_join_element_wise(
        ', "customer_income_bracket": "',
        take(strings(persons.INCOMES), who.income),
        '", "customer_credit_score_range": "',
        take(strings(persons.CREDIT), who.credit),
        '", "customer_verification_level": "',
        take(strings(persons.VERIFICATION), who.verification),
        '", "customer_address_stability": "',
        take(strings(persons.ADDRESS), who.address),
        '", "customer_state": "',
        take(strings(persons.STATES), who.state),
        '", ',
        "",
    )
    return ids, rest


@lru_cache(maxsize=8)
def products(seed: int) -> tuple[Text, Text]:
    """By row of the catalogue: the id between its neighbours, and what describes the product."""
    goods = shop.catalogue(seed)
    ids = strings(
        f'", "product_id": "prod_{number:06}", "device_id": "' for number in goods.number.tolist()
    )
    rest = pc.binary_join_element_wise(
        '"product_category": "',
        take(strings(shop.CATEGORIES), goods.category),
        '", "product_subcategory": "',
        take(strings(shop.SUBCATEGORIES), goods.subcategory),
        '", "product_brand": "',
        take(strings(shop.BRANDS), goods.brand),
        '", "product_price": ',
        money(goods.price_cents),
        ', "product_bnpl_eligible": ',
        take(strings(("false", "true")), goods.eligible.astype(np.int64)),
        ', "product_risk_category": "',
        take(strings(shop.PRODUCT_RISKS), goods.risk),
        '", ',
        "",
    )
    return ids, rest
