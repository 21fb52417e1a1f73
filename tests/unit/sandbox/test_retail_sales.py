"""What the sandbox's retailers sell: the same on every request, and by each one's own rules."""

import datetime as dt
import itertools
import json
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.sandbox.retail import RETAILERS, ROWS_UNDER, request, rows, send

FIRST, LAST = dt.date(2024, 3, 1), dt.date(2024, 3, 31)
NAMES = {  # id, time, customer, store, product, product's name, category, quantity, price, total
    "retailer_1": "order_id order_date customer_id store_id sku product_name category quantity "
    "price total",
    "retailer_2": "transaction_number date member_id location_id item_code item_name department "
    "qty unit_cost amount",
    "retailer_3": "sale_id timestamp buyer_id outlet_id product_code name type count "
    "price_per_unit revenue",
}
COMMON = ["id", "time", "customer", "store", "product", "name", "category"]
COMMON += ["quantity", "price", "total"]


def common(name, row):
    """A row under the names that all retailers share."""
    return dict(zip(COMMON, (row[field] for field in NAMES[name].split()), strict=True))


@pytest.fixture(scope="module")
def march():
    """The rows of a month, by retailer: as they came, and under the shared names."""
    came = {name: rows(name, FIRST, LAST) for name in RETAILERS}
    return came, {name: [common(name, row) for row in came[name]] for name in RETAILERS}


def cents(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def body(name, first, last, **options):
    [answer] = send(name, request(name, first, last), **options)
    return answer.content


def texts(name, content):
    """The bytes of the rows of an answer, without what stands around them."""
    start = content.index(b"[") + 1
    return content[start : content.rindex(b"]")]


@settings(max_examples=8)
@given(
    name=st.sampled_from(RETAILERS),
    seed=st.integers(1, 2**40),
    first=st.dates(dt.date(2017, 12, 28), dt.date(2031, 1, 1)),
    count=st.integers(1, 4),
    order=st.randoms(use_true_random=False),
)
def test_a_day_alone_is_the_same_bytes_as_inside_a_range(name, seed, first, count, order):
    days = [first + dt.timedelta(days=n) for n in range(count)]
    alone = {}
    for day in order.sample(days, len(days)):
        alone[day] = texts(name, body(name, day, day, seed=seed, scale=0.2))
    together = texts(name, body(name, days[0], days[-1], seed=seed, scale=0.2))
    assert together == b",".join(alone[day] for day in days if alone[day])


def test_every_seed_and_every_retailer_has_its_own_sales():
    day = dt.date(2024, 3, 5)
    assert rows("retailer_1", day, seed=1) != rows("retailer_1", day, seed=2)
    quantities = [[common(n, row)["quantity"] for row in rows(n, day)][:200] for n in RETAILERS]
    assert len({tuple(each) for each in quantities}) == 3


def test_a_year_is_half_a_million_lines_and_more(march):
    _, months = march
    assert sum(map(len, months.values())) > 500_000 / 12
    [small], [large] = ([len(rows("retailer_2", FIRST, scale=scale))] for scale in (0.5, 4))
    assert 6 < large / small < 10


def test_totals_are_quantity_times_price_and_prices_have_cents(march):
    for name, month in march[1].items():
        for row in month:
            assert row["total"] == row["quantity"] * row["price"], name
            assert row["price"] == cents(row["price"]) > 0
            assert row["quantity"] != 0


def test_a_discounted_price_is_the_list_price_less_the_discount_half_up(march):
    bought = [row for row in march[0]["retailer_1"] if row["quantity"] > 0]
    listed = {
        (row["order_date"][:10], row["sku"]): row["price"]
        for row in bought
        if row["discount_percentage"] == 0
    }
    seen = Counter()
    for row in bought:
        full = listed.get((row["order_date"][:10], row["sku"]))
        if full is not None:
            discount = row["discount_percentage"]
            assert row["price"] == cents(full * (100 - discount) / 100)
            seen[int(discount)] += 1
    assert seen.keys() == {0, 5, 10, 15}


def test_tax_points_and_shipping_stand_beside_the_amount(march):
    for row in march[0]["retailer_2"]:
        assert row["tax_amount"] == cents(row["amount"] * Decimal("0.08"))
        assert row["loyalty_points_earned"] == int(row["amount"] / 10)
    promotions = Counter(row["promotion_code"] for row in march[0]["retailer_2"])
    assert promotions.keys() == {None, "PROMO-5", "PROMO-10", "PROMO-15"}
    for row in march[0]["retailer_3"]:
        assert (row["shipping_cost"] == 0) == (row["count"] < 0)


def test_rows_come_in_order_of_time_and_the_lines_of_a_sale_together(march):
    for month in march[1].values():
        assert [row["time"] for row in month] == sorted(row["time"] for row in month)
        blocks = [(sale, list(rows)) for sale, rows in itertools.groupby(month, lambda r: r["id"])]
        assert len({sale for sale, _ in blocks}) == len(blocks)
        assert all(len({(r["customer"], r["store"], r["time"]) for r in b}) == 1 for _, b in blocks)
        assert 0.3 < sum(len(b) > 1 for _, b in blocks) / len(blocks) < 0.6


def test_a_product_stands_on_two_lines_of_a_sale_and_rows_can_be_equal(march):
    for name, came in march[0].items():
        same = [
            (a, b)
            for a, b in itertools.pairwise(came)
            if all(common(name, a)[k] == common(name, b)[k] for k in ("id", "product"))
        ]
        assert sum(a == b for a, b in same) > 20
        assert sum(a != b for a, b in same) > 20


def test_a_return_is_of_goods_that_the_customer_bought_there_at_that_price(march):
    for name, month in march[1].items():
        earlier = [common(name, r) for r in rows(name, FIRST - dt.timedelta(days=21), "2024-02-29")]
        bought = defaultdict(list)
        returns = 0
        for row in [*earlier, *month]:
            # A move to another category or name may lie between the sale and the return.
            what = (row["customer"], row["store"], row["product"], row["price"])
            if row["quantity"] > 0:
                bought[what].append((row["time"], row["quantity"]))
            elif row["time"] >= str(FIRST):
                returns += 1
                assert any(
                    when[:10] < row["time"][:10] and -row["quantity"] <= most
                    for when, most in bought[what]
                )
        assert 0.03 < returns / len(month) < 0.07


def test_customers_come_again(march):
    for month in march[1].values():
        earlier, later = (
            {r["customer"] for r in month if half(r["time"][:10])}
            for half in (lambda day: day < "2024-03-16", lambda day: day >= "2024-03-16")
        )
        assert len(earlier & later) > 0.3 * len(later)
        assert later - earlier


def test_products_are_renamed_move_and_change_in_price_but_keep_their_code():
    for name in RETAILERS:
        seen = defaultdict(lambda: defaultdict(set))
        for year in (2022, 2023, 2024, 2025):
            for month in (2, 8):
                for row in rows(name, dt.date(year, month, 3), scale=2):
                    each = common(name, row)
                    for field in ("name", "category", "price"):
                        seen[each["product"]][field].add(each[field])
        changed = Counter(
            field for fields in seen.values() for field in fields if len(fields[field]) > 1
        )
        assert 0.2 < changed["name"] / len(seen) < 0.9
        assert 0.05 < changed["category"] / len(seen) < 0.5
        assert changed["price"] > 0.9 * len(seen)
        for fields in seen.values():  # the new name is of the same thing
            first, second = min(fields["name"], key=len), max(fields["name"], key=len)
            assert second.split()[0] == first.split()[0]


def test_the_week_the_season_and_holidays_show():
    def sold(name, *days):
        return sum(len(rows(name, day)) for day in days) / len(days)

    for name in RETAILERS[:2]:
        assert sold(name, "2024-03-09", "2024-03-16") > 1.2 * sold(name, "2024-03-05", "2024-03-12")
        assert sold(name, "2024-11-29") > 1.5 * sold(name, "2024-11-15")


@pytest.mark.parametrize("name", RETAILERS)
def test_a_day_without_sales_is_an_answer_without_rows(name):
    for day in ("2024-12-25", "2017-06-01"):
        [answer] = send(name, request(name, day), faults={dt.date(2024, 12, 25): ("duplicates",)})
        assert answer.status_code == 200
        assert json.loads(answer.text)["count"] == 0
        assert json.loads(answer.text)[ROWS_UNDER[name]] == []
    three = rows(name, "2024-12-24", "2024-12-27")
    assert "2024-12-25" not in {common(name, row)["time"][:10] for row in three}
