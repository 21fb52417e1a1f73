"""retailer_2: a home store. Its amount is quantity x unit cost, without the tax on it."""

from collections.abc import Mapping

import numpy as np

from clearhouse.sandbox.retail import retailer as shop
from clearhouse.sandbox.retail.amounts import percent
from clearhouse.sandbox.retail.catalogue import Catalogue
from clearhouse.sandbox.retail.retailer import Category
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.retail.wire import number
from clearhouse.sandbox.rng import pick
from clearhouse.sandbox.text import Text, digits, money, padded, strings, take

_TAX_PERCENT = 8
_CENTS_A_POINT = 1_000
_REPS_A_STORE = 3
_PROMOTIONS = strings(("null", '"PROMO-5"', '"PROMO-10"', '"PROMO-15"'))
_PROMOTION_SHARES = (0.5, 0.2, 0.18, 0.12)


def _own_columns(lines: Lines, _goods: Catalogue) -> Mapping[str, Text]:
    amount = lines.quantity * lines.list_cents
    suffix = (lines.sale * 7_919 + lines.day.toordinal() * 31) % 1_000
    return {
        "amount": money(amount),
        "points": digits(np.sign(amount) * (np.abs(amount) // _CENTS_A_POINT)),
        "promotion": take(_PROMOTIONS, pick(_PROMOTION_SHARES, lines.sale_chance)),
        "rep": number(lines.store * _REPS_A_STORE - lines.sale % _REPS_A_STORE),
        "tax": money(percent(amount, _TAX_PERCENT)),
        "suffix": padded(suffix, 3),
        "cost": money(lines.list_cents),
    }


# fmt: off
_CATEGORIES = (
    Category("Electronics", shop.GIFTS, "Furniture", {
        "Laptop Computer": 89_999, "Keyboard": 7_999, "Mouse": 3_999, "Monitor": 29_999,
    }),
    Category("Furniture", shop.EVEN, "Home & Garden", {
        "Office Chair": 19_999, "Bookshelf": 14_999, "Coffee Table": 24_999, "Desk": 34_999,
        "Sofa": 59_999,
    }),
    Category("Home & Garden", shop.SUMMER, "Furniture", {
        "Desk Lamp": 2_999, "Wall Clock": 3_999, "Vase": 1_999, "Plant Pot": 1_299,
        "Garden Hose": 3_499, "Picture Frame": 1_599,
    }),
    Category("Kitchen", shop.GIFTS, "Home & Garden", {
        "Knife Set": 8_999, "Frying Pan": 4_499, "Mug": 899, "Cutting Board": 2_499,
    }),
)
# fmt: on

RETAILER_2 = shop.Retailer(
    name="retailer_2",
    api=shop.Api(
        method="GET",
        path="/transactions",
        first="from",
        last="to",
        header="X-API-Key",
        scheme="",
        rows_under="transactions",
        query="SELECT transaction_number, amount FROM transactions WHERE 1=1",
        column="date",
        query_line=1,
    ),
    names=shop.Names("transaction_number", "date", "member_id", "qty", "unit_cost", "amount"),
    sales_a_day=260,
    by_weekday=(0.8, 0.85, 0.9, 0.95, 1.1, 1.5, 1.2),
    stores=6,
    closed=frozenset({(1, 1), (12, 25), (12, 26)}),
    categories=_CATEGORIES,
    row=(
        '{"amount":<amount>,"date":"<date>T<clock>","department":<category>,'
        '"item_code":"ITEM-<code>","item_name":<name>,"location_id":"LOC-<store>",'
        '"loyalty_points_earned":<points>,"member_id":"MEM-<customer>",'
        '"promotion_code":<promotion>,"qty":<quantity>,"sales_rep_id":"REP-<rep>",'
        '"tax_amount":<tax>,"transaction_number":"TXN-<year>-<day_of_year><sale>-<suffix>",'
        '"unit_cost":<cost>}'
    ),
    own_columns=_own_columns,
)
