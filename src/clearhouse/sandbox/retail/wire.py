"""Lines as the bytes that a retailer sends: its own row, with columns in the place of `<column>`.

All retailers have the columns date, year, day_of_year, clock, sale, customer, store, code, name,
category (both as JSON) and quantity; a retailer adds its own.
"""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.retail.catalogue import catalogue
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.text import Text, digits, encode, strings, take

_CLOCK = strings(f"{minute // 60:02}:{minute % 60:02}:00" for minute in range(24 * 60))


def write(lines: Lines) -> bytes:
    """The lines as JSON objects, with a line break after each."""
    if len(lines) == 0:
        return b""
    goods = catalogue(lines.retailer, lines.seed, lines.day)
    columns: dict[str, Text] = {
        "date": str(lines.day),
        "year": str(lines.day.year),
        "day_of_year": f"{lines.day.timetuple().tm_yday:03}",
        "clock": take(_CLOCK, lines.minute),
        "sale": number(lines.sale),
        "customer": number(lines.customer),
        "store": number(lines.store),
        "code": take(goods.products.codes, lines.product),
        "name": take(goods.products.names, goods.name[lines.product]),
        "category": take(goods.products.categories, goods.category[lines.product]),
        "quantity": digits(lines.quantity),
        **lines.retailer.own_columns(lines, goods),
    }
    parts = re.split("<(.+?)>", lines.retailer.row)
    parts[1::2] = [columns[name] for name in parts[1::2]]
    return encode([*parts, "\n"])


def number(numbers: NDArray[np.int64]) -> Text:
    """The number in an id: three digits, or more where it needs them."""
    return take(_numbers(10 ** len(str(numbers.max()))), numbers)


@lru_cache(maxsize=8)
def _numbers(size: int) -> Text:
    return strings(f"{number:03}" for number in range(size))
