"""retailer_3: a shop for gadgets. Its revenue is count x price per unit, without shipping."""

from collections.abc import Mapping

import numpy as np

from clearhouse.sandbox.retail import retailer as shop
from clearhouse.sandbox.retail.catalogue import Catalogue
from clearhouse.sandbox.retail.retailer import Category
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.text import Text, money, strings, take

_SHIPPING_CENTS = (399, 999)
_WARRANTIES = strings(("0", "6", "12", "24"))
_RETURN_DAYS = strings(("30", "60", "90"))
_SUPPLIERS = strings(("001", "002", "003"))


def _own_columns(lines: Lines, goods: Catalogue) -> Mapping[str, Text]:
    least, most = _SHIPPING_CENTS
    shipping = (least + lines.line_chance * (most - least)).astype(np.int64)
    # A new edition of a product comes from the next supplier, on other terms.
    terms = lines.product * 5 + goods.edition[lines.product]
    return {
        "price": money(lines.list_cents),
        "revenue": money(lines.quantity * lines.list_cents),
        "shipping": money(np.where(lines.quantity < 0, 0, shipping)),
        "warranty": take(_WARRANTIES, terms % len(_WARRANTIES)),
        "return_days": take(_RETURN_DAYS, terms % len(_RETURN_DAYS)),
        "supplier": take(_SUPPLIERS, terms % len(_SUPPLIERS)),
    }


# fmt: off
_CATEGORIES = (
    Category("Electronics", shop.GIFTS, "Accessories", {
        "Smartphone": 69_999, "Tablet": 39_999, "E-Reader": 12_999, "Smart Watch": 19_999,
        "Headphones": 14_999, "Gaming Mouse": 6_999,
    }),
    Category("Accessories", shop.EVEN, "Electronics", {
        "Phone Charger": 1_999, "Power Bank": 3_499, "USB Hub": 2_499, "Screen Protector": 999,
        "Stylus": 2_999,
    }),
    Category("Wearables", shop.NEW_YEAR, "Electronics", {
        "Fitness Tracker": 8_999, "Smart Ring": 24_999, "Heart Rate Strap": 5_999,
    }),
)
# fmt: on

RETAILER_3 = shop.Retailer(
    name="retailer_3",
    api=shop.Api(
        method="POST",
        path="/sales/query",
        first="dateFrom",
        last="dateTo",
        header="apikey",
        scheme="",
        rows_under="results",
        query=" " * 20 + "FROM purchases WHERE 1=1",
        column="timestamp",
        query_line=4,
    ),
    names=shop.Names("sale_id", "timestamp", "buyer_id", "count", "price_per_unit", "revenue"),
    sales_a_day=290,
    by_weekday=(1.05, 1.0, 1.0, 1.0, 1.1, 0.95, 0.9),
    stores=5,
    closed=frozenset({(1, 1), (12, 25)}),
    categories=_CATEGORIES,
    row=(
        '{"buyer_id":"BUY-<customer>","count":<quantity>,"name":<name>,"outlet_id":"OUT-<store>",'
        '"price_per_unit":<price>,"product_code":"PROD-<code>",'
        '"return_policy_days":<return_days>,"revenue":<revenue>,'
        '"sale_id":"SALE-<year>-<day_of_year><sale>","shipping_cost":<shipping>,'
        '"supplier_id":"SUP-<supplier>","timestamp":"<date>T<clock>","type":<category>,'
        '"warranty_months":<warranty>}'
    ),
    own_columns=_own_columns,
)
