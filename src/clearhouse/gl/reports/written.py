"""How values are written for a reader: the same on paper and on the page."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from clearhouse.gl.reports.model import Kind, Value

_PLACES = {Kind.MONEY: 2, Kind.VOLUME: 0, Kind.RATE: 2, Kind.PRICE: 3, Kind.COUNT: 0}
NONE = "–"


def written(value: Value, kind: Kind) -> str:
    """A value with thousands separators; negative numbers in parentheses, zero as a dash."""
    if value is None or value == "":
        return ""
    if isinstance(value, dt.date | str):
        return str(value)
    if kind is Kind.PERCENT:
        return _number(Decimal(value) * 100, 1) + " %"
    return _number(Decimal(value), _PLACES.get(kind, 0))


def _number(value: Decimal, places: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if not rounded:
        return NONE
    return f"({-rounded:,})" if rounded < 0 else f"{rounded:,}"
