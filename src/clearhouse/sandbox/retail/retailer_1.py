"""retailer_1: a general store. Its price is after discount; the total is quantity x price."""

from collections.abc import Mapping

import numpy as np

from clearhouse.sandbox.retail import retailer as shop
from clearhouse.sandbox.retail.amounts import percent
from clearhouse.sandbox.retail.catalogue import Catalogue
from clearhouse.sandbox.retail.retailer import Category
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.rng import pick
from clearhouse.sandbox.text import Text, money, strings, take

_DISCOUNTS = np.array([0, 5, 10, 15])
_DISCOUNT_SHARES = (0.55, 0.2, 0.15, 0.1)
_DISCOUNT_TEXTS = strings(f"{each}.0" for each in _DISCOUNTS)
_METHODS = strings(("Credit Card", "Debit Card", "PayPal", "Apple Pay", "Cash"))
_METHOD_SHARES = (0.4, 0.22, 0.15, 0.13, 0.1)


def _own_columns(lines: Lines, _goods: Catalogue) -> Mapping[str, Text]:
    discount = pick(_DISCOUNT_SHARES, lines.line_chance)
    price = percent(lines.list_cents, 100 - _DISCOUNTS[discount])
    return {
        "discount": take(_DISCOUNT_TEXTS, discount),
        "method": take(_METHODS, pick(_METHOD_SHARES, lines.sale_chance)),
        "price": money(price),
        "total": money(lines.quantity * price),
    }


# fmt: off
_CATEGORIES = (
    Category("Electronics", shop.GIFTS, "Appliances", {
        "Wireless Headphones": 4_999, "USB Cable": 999, "Phone Case": 1_299, "Laptop": 89_999,
        "Tablet": 29_999, "Bluetooth Speaker": 3_999,
    }),
    Category("Footwear", shop.SUMMER, "Fitness", {
        "Running Shoes": 8_999, "Sneakers": 7_999, "Sandals": 3_499, "Boots": 11_999,
    }),
    Category("Appliances", shop.EVEN, "Electronics", {
        "Coffee Maker": 7_999, "Blender": 5_999, "Toaster": 3_499, "Air Fryer": 9_999,
    }),
    Category("Fitness", shop.NEW_YEAR, "Footwear", {
        "Yoga Mat": 2_499, "Dumbbells": 3_999, "Jump Rope": 1_199, "Water Bottle": 1_599,
    }),
    Category("Outerwear", shop.WINTER, "Footwear", {
        "Rain Jacket": 6_999, "Parka": 15_999, "Gloves": 1_999, "Scarf": 1_799,
    }),
)
# fmt: on

RETAILER_1 = shop.Retailer(
    name="retailer_1",
    api=shop.Api(
        method="GET",
        path="/sales",
        first="start_date",
        last="end_date",
        header="Authorization",
        scheme="Bearer ",
        rows_under="data",
        query="SELECT order_id, payment_method FROM sales WHERE 1=1",
        column="order_date",
        query_line=1,
    ),
    names=shop.Names("order_id", "order_date", "customer_id", "quantity", "price", "total"),
    sales_a_day=320,
    by_weekday=(0.85, 0.85, 0.9, 0.95, 1.15, 1.35, 1.05),
    stores=8,
    closed=frozenset({(1, 1), (7, 4), (12, 25)}),
    categories=_CATEGORIES,
    row=(
        '{"category":<category>,"customer_id":"CUST-<customer>","discount_percentage":<discount>,'
        '"order_date":"<date>T<clock>","order_id":"ORD-<sale>-<date>","payment_method":"<method>",'
        '"price":<price>,"product_name":<name>,"quantity":<quantity>,"sku":"SKU-<code>",'
        '"store_id":"STORE-<store>","total":<total>}'
    ),
    own_columns=_own_columns,
)
