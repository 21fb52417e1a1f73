"""retailer_3: a shop for gadgets. Its revenue is count x price per unit, without shipping."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from clearhouse.sandbox.retail.catalogue import Catalogue
from clearhouse.sandbox.retail.retailer import (
    EVEN,
    GIFTS,
    NEW_YEAR,
    Api,
    Category,
    Names,
    Retailer,
)
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.retail.wire import clock, number
from clearhouse.sandbox.text import Text, digits, money, strings, take

_LEAST_SHIPPING_CENTS, _MOST_SHIPPING_CENTS = 399, 999
_WARRANTIES = strings(("0", "6", "12", "24"))
_RETURN_DAYS = strings(("30", "60", "90"))
_SUPPLIERS = strings(("001", "002", "003"))


def _fragments(lines: Lines, goods: Catalogue) -> Sequence[Text]:
    sold = lines.quantity > 0
    shipping = _LEAST_SHIPPING_CENTS + lines.line_chance * (
        _MOST_SHIPPING_CENTS - _LEAST_SHIPPING_CENTS
    )
    # A new edition of a product comes from the next supplier, on other terms.
    terms = (lines.product * 5 + goods.edition[lines.product]).astype(np.int64)
    return [
        '{"buyer_id":"BUY-',
        number(lines.customer),
        '","count":',
        digits(lines.quantity),
        ',"name":',
        take(goods.products.names, goods.name[lines.product]),
        ',"outlet_id":"OUT-',
        number(lines.store),
        '","price_per_unit":',
        money(lines.list_cents),
        ',"product_code":"PROD-',
        take(goods.products.codes, lines.product),
        '","return_policy_days":',
        take(_RETURN_DAYS, terms % len(_RETURN_DAYS)),
        ',"revenue":',
        money(lines.quantity * lines.list_cents),
        f',"sale_id":"SALE-{lines.day.year}-{lines.day.timetuple().tm_yday:03}',
        number(lines.sale),
        '","shipping_cost":',
        money(np.where(sold, shipping.astype(np.int64), 0)),
        ',"supplier_id":"SUP-',
        take(_SUPPLIERS, terms % len(_SUPPLIERS)),
        f'","timestamp":"{lines.day}T',
        clock(lines),
        '","type":',
        take(goods.products.categories, goods.category[lines.product]),
        ',"warranty_months":',
        take(_WARRANTIES, terms % len(_WARRANTIES)),
        "}",
    ]


def _is_closed(day: dt.date) -> bool:
    return (day.month, day.day) in {(1, 1), (12, 25)}


RETAILER_3 = Retailer(
    name="retailer_3",
    api=Api(
        method="POST",
        path="/sales/query",
        first="dateFrom",
        last="dateTo",
        header="apikey",
        scheme="",
        rows_under="results",
        query="                  FROM purchases WHERE 1=1",
        query_line=4,
        column="timestamp",
    ),
    names=Names("sale_id", "timestamp", "buyer_id", "count", "price_per_unit", "revenue"),
    sales_a_day=290,
    by_weekday=(1.05, 1.0, 1.0, 1.0, 1.1, 0.95, 0.9),
    stores=5,
    is_closed=_is_closed,
    categories=(
        Category(
            "Electronics",
            GIFTS,
            (
                ("Smartphone", 69_999),
                ("Tablet", 39_999),
                ("E-Reader", 12_999),
                ("Smart Watch", 19_999),
                ("Headphones", 14_999),
                ("Gaming Mouse", 6_999),
            ),
            "Accessories",
        ),
        Category(
            "Accessories",
            EVEN,
            (
                ("Phone Charger", 1_999),
                ("Power Bank", 3_499),
                ("USB Hub", 2_499),
                ("Screen Protector", 999),
                ("Stylus", 2_999),
            ),
            "Electronics",
        ),
        Category(
            "Wearables",
            NEW_YEAR,
            (("Fitness Tracker", 8_999), ("Smart Ring", 24_999), ("Heart Rate Strap", 5_999)),
            "Electronics",
        ),
    ),
    fragments=_fragments,
)
