"""Purchases as the bytes that simtom sends: `data: {json}` and a blank line per record.

Nothing is formatted row by row: a record is some 25 fragments joined by one Arrow kernel, each
either a number turned to text in bulk or taken by index from a table of ready text. Key order
differs by scenario, as in the recorded answers; money is printed from integer cents.
"""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.sandbox.framing import Lines
from clearhouse.sandbox.simtom import fragments as text
from clearhouse.sandbox.simtom.credit import FIRST_MISS_DAYS, HIGH, INSTALLMENTS
from clearhouse.sandbox.simtom.people import AGES, LIMITS, period, population
from clearhouse.sandbox.simtom.purchases import (
    CARTS,
    COMPARISON_SECONDS,
    SPEEDS,
    Purchases,
    economic_stress,
)
from clearhouse.sandbox.text import Text, digits, money, padded, take
from clearhouse.sandbox.text import encode as encoded
from clearhouse.sandbox.times import DAY_SECONDS

STREAM = Lines(prefix=b"data: ", suffix=b"\n\n", media_type="text/plain")

BLOCK_ROWS = 8_192  # about 11 MB of text: bounds memory, far from Arrow's 2 GB of int32 offsets

_ORDINAL_DIGITS = 6


def blocks(purchases: Purchases) -> Iterator[bytes]:
    """The records in order, as text of up to BLOCK_ROWS whole records (about 1.3 kB each)."""
    for start in range(0, len(purchases), BLOCK_ROWS):
        yield encode(purchases.rows(slice(start, start + BLOCK_ROWS)))


def encode(purchases: Purchases) -> bytes:
    """The records as sent; at most about a million at once (Arrow's 2 GB)."""
    if len(purchases) == 0:
        return b""
    return encoded(_fragments(purchases))


def _fragments(p: Purchases) -> list[Text]:
    """The parts of a record, left to right: Arrow string arrays, and text that all rows share."""
    people = population(p.seed, period(p.day))
    customer_ids, customer_rest = text.people(p.seed, period(p.day))
    product_ids, product_rest = text.products(p.seed)
    customer = take(customer_ids, p.customer)
    limit = people.limit[p.customer, p.method]
    missed = p.missed_days // FIRST_MISS_DAYS
    high = p.scenario == HIGH
    ordinal, on_site = digits(p.ordinal), digits(p.on_site_seconds)
    return [
        f'data: {{"transaction_id": "{p.id_prefix}',
        padded(p.ordinal, _ORDINAL_DIGITS),
        '", "customer_id": "',
        customer,
        take(product_ids, p.product),
        customer,
        take(text.DEVICE_NUMBER, p.device),
        customer,
        take(text.METHOD_NUMBER, p.method),
        money(p.amount_cents),
        take(text.BEFORE_SCENARIO, p.scenario),
        pc.choose(pa.array(p.scenario), "", "", _utilization(p, limit), on_site),
        take(
            text.RISK,
            (p.scenario * text.RISK_SCORES + p.risk_percent) * len(INSTALLMENTS) + p.installments,
        ),
        money(p.first_payment_cents),
        take(text.CHECKOUT, (p.scenario * len(SPEEDS) + p.speed) * CARTS + p.carts),
        take(text.COMPARISON, np.where(high, 0, COMPARISON_SECONDS) + p.comparison_seconds),
        pc.if_else(pa.array(high), "", on_site),
        take(text.outcome(economic_stress(p.day)), missed * len(AGES) + people.age[p.customer]),
        digits(p.day.toordinal() - people.joined[p.customer]),
        take(customer_rest, p.customer),
        take(product_rest, p.product),
        take(text.DEVICE, people.device[p.customer, p.device] * 2 + p.trusted),
        take(text.PAYMENT, people.provider[p.customer, p.method] * len(LIMITS) + limit),
        *_timestamp(p),
        '", "_record_id": ',
        ordinal,
        ', "_generator": "BNPLGenerator"}\n\n',
    ]


def _utilization(p: Purchases, limit: np.ndarray) -> Text:
    """Share of the limit used, with all its digits.

    Amounts lie between 1/1000 of the limit and the limit itself, exclusive: there Arrow prints
    a double as Python does. The sign of an amount is a fault of the amount only.
    """
    share = np.abs(p.amount_cents) / 100 / np.array(LIMITS)[limit]
    return pc.cast(pa.array(share), pa.string())


def _timestamp(p: Purchases) -> list[Text]:
    if int(p.second[-1]) < DAY_SECONDS:
        return [f"{p.day}T", take(text.clock(), p.second)]
    midnight = np.datetime64(dt.datetime.combine(p.day, dt.time()), "s")
    stamps = np.datetime_as_string(midnight + p.second.astype("timedelta64[s]"), unit="s")
    return [pa.array(stamps.tolist(), pa.string())]
