"""Faults of a retailer's days and lines, at every attempt.

A sale is what comes again, whole: within one answer the lines of a sale are neighbours, so that a
sale that appears once more after others was sent twice or corrected, while two equal neighbours are
two lines of one sale. A row that is broken stays one JSON value, so that the answer stays JSON.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox import faults
from clearhouse.sandbox.hostile import HostilePlan
from clearhouse.sandbox.record_faults import (
    BROKEN_SHARE,
    CORRECTED_SHARE,
    DUPLICATED_SHARE,
    NEW_FIELD_SHARE,
    JsonText,
    Record,
    RecordFault,
    changed,
)
from clearhouse.sandbox.retail.retailer import Names
from clearhouse.sandbox.retail.sales import Lines, latecomers
from clearhouse.sandbox.rng import Rng, sample

Parts = tuple[Lines, ...]
"""A day as it is sent: its sales, and what comes after them."""

_RESTATED_SHARE = 0.01


def _of_sales(lines: Lines, share: float, rng: Rng) -> NDArray[np.bool_]:
    """A mask of the lines of that share of the sales, at least of one."""
    numbers, sale = np.unique(lines.sale, return_inverse=True)
    return sample(len(numbers), share, rng)[sale]


def _lower(lines: Lines) -> Lines:
    return replace(lines, list_cents=lines.list_cents * 9 // 10)


def _again(parts: Parts, share: float, rng: Rng) -> Lines:
    return parts[0].rows(_of_sales(parts[0], share, rng))


def half_volume(parts: Parts, rng: Rng) -> Parts:
    """Half of the sales are missing; those that are there are as they should be."""
    return (_again(parts, 0.5, rng), *parts[1:])


def restated(parts: Parts, rng: Rng) -> Parts:
    """1 % of the sales come at lower prices under the same id and time."""
    hit = _of_sales(parts[0], _RESTATED_SHARE, rng)
    lower = np.where(hit, _lower(parts[0]).list_cents, parts[0].list_cents)
    return (replace(parts[0], list_cents=lower), *parts[1:])


def corrected(parts: Parts, rng: Rng) -> Parts:
    """1 % of the sales come once more at the end, at lower prices."""
    return (*parts, _lower(_again(parts, CORRECTED_SHARE, rng)))


def duplicates(parts: Parts, rng: Rng) -> Parts:
    """2 % of the sales come once more at the end, as they were."""
    return (*parts, _again(parts, DUPLICATED_SHARE, rng))


def _late(days_before: int) -> Callable[[Parts, Rng], Parts]:
    """Some sales of an earlier day come at the end."""

    def fault(parts: Parts, _rng: Rng) -> Parts:
        day = parts[0].day - timedelta(days=days_before)
        return (*parts, latecomers(parts[0].retailer, parts[0].seed, day))

    return fault


def tenfold_prices(parts: Parts, _rng: Rng) -> Parts:
    """Every price is ten times what it should be: dollars are sent as dimes."""
    return (replace(parts[0], list_cents=parts[0].list_cents * 10), *parts[1:])


def no_sales(parts: Parts, _rng: Rng) -> Parts:
    """The answer is whole and has no lines: the retailer has lost its day."""
    return (parts[0].rows(np.zeros(0, dtype=np.intp)), *parts[1:])


DAY_BEFORE = "day_before"
"""The answer for the day before is sent for this day."""

# The position of a fault numbers its random stream: add at the end.
DAY_FAULTS: Mapping[str, Callable[[Parts, Rng], Parts]] = MappingProxyType(
    {
        "half_volume": half_volume,
        "restated": restated,
        "late": _late(1),
        "redelivered": _late(2),
        "corrected": corrected,
        "duplicates": duplicates,
        "tenfold_prices": tenfold_prices,
        "no_sales": no_sales,
    }
)

# From the second whole answer on, the day comes with the other fault.
LATER_FAULTS: Mapping[str, str] = MappingProxyType({"restated_later": "restated"})


def line_faults(names: Names) -> dict[str, RecordFault]:
    """Faults of single lines, on the text that is sent."""
    id_, time, customer, quantity, price, total = names
    form = {id_: str, time: str, quantity: int, price: float, total: float}

    def is_intact(record: Record) -> bool:
        return all(isinstance(record.get(field), kind) for field, kind in form.items())

    line = JsonText(is_intact, separators=(",", ":"), sort_keys=True)
    return {
        "new_fields": changed(
            NEW_FIELD_SHARE,
            (
                line.having(channel="app", basket_size=3, is_gift=True),
                line.having(coupon=None, rating=4.5),
                line.having(seller={"id": "s_17", total: 0.01, "tags": ["new", "eu"]}),
                line.having(rating="n/a"),
            ),
        ),
        # A total that is not quantity x price.
        "wrong_totals": changed(
            BROKEN_SHARE, (line.record(lambda r: {**r, total: round(r[total] + 1.5, 2)}),)
        ),
        "missing_fields": changed(
            BROKEN_SHARE,
            (
                line.lacking(total),
                line.having(**{price: None}),
                line.lacking(id_),
                line.having(**{time: None}),
                line.lacking(quantity),
            ),
        ),
        "wrong_types": changed(
            BROKEN_SHARE,
            (
                line.record(lambda r: {**r, quantity: r[quantity] + 0.27}),
                line.record(lambda r: {**r, total: str(r[total])}),
                line.rewritten(total, lambda number: f"{number}8307"),
                line.rewritten(price, lambda number: f"{number}e0"),
                line.record(lambda r: {**r, time: r[time] + "+02:00"}),
                line.having(**{customer: 17}),
                line.having(**{quantity: "two"}),
            ),
        ),
        # An object with an id and a total of its own stands first.
        "shadowed_fields": changed(
            BROKEN_SHARE, (line.having(adjustment={id_: "adjusted", total: 0.01}),)
        ),
        "broken_rows": changed(  # each still one JSON value
            BROKEN_SHARE,
            (
                line.text(lambda text: b"[" + text + b"]"),
                line.text(lambda text: text[:-1] + f',"{total}":0.01}}'.encode()),
                line.text(lambda _text: b"null"),
                line.text(lambda _text: b'"<html><body>502 Bad Gateway</body></html>"'),
            ),
        ),
        # Every line has its total under another name: the API has changed overnight.
        "renamed_field": changed(1.0, (line.renamed(total, f"net_{total}"),)),
        # A text with the character U+0000, which PostgreSQL can't keep.
        "null_characters": changed(BROKEN_SHARE, (line.having(**{customer: "cut\0off"}),)),
    }


LINE_FAULTS = frozenset(line_faults(Names(*Names._fields)))

ROW_FAULTS = frozenset({*DAY_FAULTS, *LATER_FAULTS, *LINE_FAULTS, DAY_BEFORE})
"""Names of all faults of the rows of a day."""

# Days that would be held as a whole are no part of the plan, nor is a key that is refused.
HOSTILE = HostilePlan(
    by_chance=(
        faults.UNAVAILABLE,
        faults.TOO_MANY_REQUESTS,
        faults.SERVER_ERROR,
        faults.HTML_PAGE,
        faults.SLOW,
        faults.CUT_STREAM,
        faults.TRUNCATED_STREAM,
        "late",
        "corrected",
        "duplicates",
        "new_fields",
        "missing_fields",
        "wrong_types",
        "shadowed_fields",
        "broken_rows",
        "restated_later",
    ),
    sequels={"late": "redelivered"},
)
