"""retailer_2: a home store. Its amount is quantity x unit cost, without tax; it tells loyalty."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from clearhouse.sandbox.retail.catalogue import Catalogue
from clearhouse.sandbox.retail.retailer import EVEN, GIFTS, SUMMER, Api, Category, Names, Retailer
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.retail.wire import clock, number, percent
from clearhouse.sandbox.rng import pick
from clearhouse.sandbox.text import Text, digits, money, padded, strings, take

_TAX_PERCENT = 8
_CENTS_A_POINT = 1_000
_REPS_A_STORE = 3
_PROMOTION_SHARES = (0.5, 0.2, 0.18, 0.12)
_PROMOTIONS = strings(("null", '"PROMO-5"', '"PROMO-10"', '"PROMO-15"'))


def _fragments(lines: Lines, goods: Catalogue) -> Sequence[Text]:
    amount = lines.quantity * lines.list_cents
    rep = lines.store * _REPS_A_STORE - lines.sale % _REPS_A_STORE
    return [
        '{"amount":',
        money(amount),
        f',"date":"{lines.day}T',
        clock(lines),
        '","department":',
        take(goods.products.categories, goods.category[lines.product]),
        ',"item_code":"ITEM-',
        take(goods.products.codes, lines.product),
        '","item_name":',
        take(goods.products.names, goods.name[lines.product]),
        ',"location_id":"LOC-',
        number(lines.store),
        '","loyalty_points_earned":',
        digits(np.sign(amount) * (np.abs(amount) // _CENTS_A_POINT)),
        ',"member_id":"MEM-',
        number(lines.customer),
        '","promotion_code":',
        take(_PROMOTIONS, pick(_PROMOTION_SHARES, lines.sale_chance)),
        ',"qty":',
        digits(lines.quantity),
        ',"sales_rep_id":"REP-',
        number(rep),
        '","tax_amount":',
        money(percent(amount, _TAX_PERCENT)),
        f',"transaction_number":"TXN-{lines.day.year}-{lines.day.timetuple().tm_yday:03}',
        number(lines.sale),
        "-",
        padded((lines.sale * 7919 + lines.day.toordinal() * 31) % 1_000, 3),
        '","unit_cost":',
        money(lines.list_cents),
        "}",
    ]


def _is_closed(day: dt.date) -> bool:
    return (day.month, day.day) in {(1, 1), (7, 4), (12, 25), (12, 26)}


RETAILER_2 = Retailer(
    name="retailer_2",
    api=Api(
        method="GET",
        path="/transactions",
        first="from",
        last="to",
        header="X-API-Key",
        scheme="",
        rows_under="transactions",
        query="SELECT transaction_number, date, promotion_code FROM transactions WHERE 1=1",
        query_line=1,
        column="date",
    ),
    names=Names("transaction_number", "date", "member_id", "qty", "unit_cost", "amount"),
    sales_a_day=260,
    by_weekday=(0.8, 0.85, 0.9, 0.95, 1.1, 1.5, 1.2),
    stores=6,
    is_closed=_is_closed,
    categories=(
        Category(
            "Electronics",
            GIFTS,
            (
                ("Laptop Computer", 89_999),
                ("Keyboard", 7_999),
                ("Mouse", 3_999),
                ("Monitor", 29_999),
                ("Monitor Stand", 4_999),
            ),
            "Furniture",
        ),
        Category(
            "Furniture",
            EVEN,
            (
                ("Office Chair", 19_999),
                ("Bookshelf", 14_999),
                ("Coffee Table", 24_999),
                ("Desk", 34_999),
                ("Sofa", 59_999),
            ),
            "Home & Garden",
        ),
        Category(
            "Home & Garden",
            SUMMER,
            (
                ("Desk Lamp", 2_999),
                ("Wall Clock", 3_999),
                ("Vase", 1_999),
                ("Plant Pot", 1_299),
                ("Garden Hose", 3_499),
                ("Picture Frame", 1_599),
            ),
            "Furniture",
        ),
        Category(
            "Kitchen",
            GIFTS,
            (("Knife Set", 8_999), ("Frying Pan", 4_499), ("Mug", 899), ("Cutting Board", 2_499)),
            "Home & Garden",
        ),
    ),
    fragments=_fragments,
)
