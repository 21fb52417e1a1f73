"""retailer_1: a general store. Its price is after discount; the total is quantity x price."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from clearhouse.sandbox.retail.calendar import thanksgiving
from clearhouse.sandbox.retail.catalogue import Catalogue
from clearhouse.sandbox.retail.retailer import (
    EVEN,
    GIFTS,
    NEW_YEAR,
    SUMMER,
    WINTER,
    Api,
    Category,
    Names,
    Retailer,
)
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.retail.wire import clock, number, percent
from clearhouse.sandbox.rng import pick
from clearhouse.sandbox.text import Text, digits, money, strings, take

_DISCOUNTS = np.array([0, 5, 10, 15])
_DISCOUNT_SHARES = (0.55, 0.2, 0.15, 0.1)
_DISCOUNT_TEXTS = strings(f"{each}.0" for each in _DISCOUNTS)
_METHOD_SHARES = (0.4, 0.22, 0.15, 0.13, 0.1)
_METHODS = strings(("Credit Card", "Debit Card", "PayPal", "Apple Pay", "Cash"))


def _fragments(lines: Lines, goods: Catalogue) -> Sequence[Text]:
    discount = pick(_DISCOUNT_SHARES, lines.line_chance)
    price = percent(lines.list_cents, 100 - _DISCOUNTS[discount])
    return [
        '{"category":',
        take(goods.products.categories, goods.category[lines.product]),
        ',"customer_id":"CUST-',
        number(lines.customer),
        '","discount_percentage":',
        take(_DISCOUNT_TEXTS, discount),
        f',"order_date":"{lines.day}T',
        clock(lines),
        '","order_id":"ORD-',
        number(lines.sale),
        f'-{lines.day}","payment_method":"',
        take(_METHODS, pick(_METHOD_SHARES, lines.sale_chance)),
        '","price":',
        money(price),
        ',"product_name":',
        take(goods.products.names, goods.name[lines.product]),
        ',"quantity":',
        digits(lines.quantity),
        ',"sku":"SKU-',
        take(goods.products.codes, lines.product),
        '","store_id":"STORE-',
        number(lines.store),
        '","total":',
        money(lines.quantity * price),
        "}",
    ]


def _is_closed(day: dt.date) -> bool:
    return (day.month, day.day) in {(1, 1), (12, 25)} or day == thanksgiving(day.year)


RETAILER_1 = Retailer(
    name="retailer_1",
    api=Api(
        method="GET",
        path="/sales",
        first="start_date",
        last="end_date",
        header="Authorization",
        scheme="Bearer ",
        rows_under="data",
        query="SELECT order_id, order_date, payment_method FROM sales WHERE 1=1",
        query_line=1,
        column="order_date",
    ),
    names=Names("order_id", "order_date", "customer_id", "quantity", "price", "total"),
    sales_a_day=320,
    by_weekday=(0.85, 0.85, 0.9, 0.95, 1.15, 1.35, 1.05),
    stores=8,
    is_closed=_is_closed,
    categories=(
        Category(
            "Electronics",
            GIFTS,
            (
                ("Wireless Headphones", 4_999),
                ("USB Cable", 999),
                ("Phone Case", 1_299),
                ("Laptop", 89_999),
                ("Tablet", 29_999),
                ("Bluetooth Speaker", 3_999),
            ),
            "Appliances",
        ),
        Category(
            "Footwear",
            SUMMER,
            (
                ("Running Shoes", 8_999),
                ("Sneakers", 7_999),
                ("Sandals", 3_499),
                ("Boots", 11_999),
                ("Slippers", 1_999),
            ),
            "Fitness",
        ),
        Category(
            "Appliances",
            EVEN,
            (
                ("Coffee Maker", 7_999),
                ("Blender", 5_999),
                ("Toaster", 3_499),
                ("Air Fryer", 9_999),
                ("Kettle", 2_999),
            ),
            "Electronics",
        ),
        Category(
            "Fitness",
            NEW_YEAR,
            (
                ("Yoga Mat", 2_499),
                ("Dumbbells", 3_999),
                ("Resistance Bands", 1_499),
                ("Water Bottle", 1_599),
                ("Jump Rope", 1_199),
            ),
            "Footwear",
        ),
        Category(
            "Outerwear",
            WINTER,
            (("Rain Jacket", 6_999), ("Parka", 15_999), ("Gloves", 1_999), ("Scarf", 1_799)),
            "Footwear",
        ),
    ),
    fragments=_fragments,
)
