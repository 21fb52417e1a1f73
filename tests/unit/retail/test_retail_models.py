"""The retail models over a made-up warehouse: what lines are worth, what products were called."""

import datetime as dt
import random
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from domain_warehouse import DomainWarehouse, documented_columns, limits
from unit.retail.lines import line

from clearhouse.core.contract import Contract
from clearhouse.engines.dbt_runner import preload
from clearhouse.retail.domain import RETAIL

DISCOUNTED, BOUNDS, FIRST, BETWEEN, LAST = (f"2024-03-0{n}" for n in range(1, 6))
CENT = Decimal("0.01")


def discounted() -> list[dict[str, Any]]:
    """Lines at many list prices and discounts, priced as retailer_1 prices them: half up."""
    draw = random.Random(20240301)
    cases = [(draw.randrange(1, 500_000), n % 96) for n in range(2_000)]
    cases += [
        (cents, percent) for cents in (1, 2, 99, 100, 99_999_999) for percent in (0, 1, 50, 95)
    ]
    rows = []
    for n, (cents, percent) in enumerate(cases):
        price = (Decimal(cents * (100 - percent)) / 10_000).quantize(CENT, ROUND_HALF_UP)
        rows.append(
            line(
                f"{cents}-{percent}-{n}", DISCOUNTED, "retailer_1", quantity=draw.randrange(-3, 9),
                unit_price=str(price), discount_percentage=str(percent), product_code=f"D-{n % 7}",
            )
        )  # fmt: skip
    return rows


def at_the_bounds() -> list[dict[str, Any]]:
    """One line for each ordered field at each of its limits, then two with all of them at once."""
    contract = Contract.load(RETAIL.contracts / "sales.yaml")
    fields = {field.name: limits(field) for field in contract.fields}
    bounded = {name: both for name, both in fields.items() if both is not None}
    singly = [{name: value} for name, both in bounded.items() for value in both]
    together = [{name: both[end] for name, both in bounded.items()} for end in (0, 1)]
    odd = [{"discount_percentage": "99.99", "unit_price": "1000000", "quantity": 100_000}]
    rows = []
    for n, extremes in enumerate([*singly, *together, *odd]):
        values = {"total_amount": "0", "retailer": "retailer_1", **extremes}
        if "sold_at" in values:
            values["sold_at"] = dt.datetime.fromisoformat(values["sold_at"])
        for name in ("tax_amount", "shipping_cost"):
            values.pop(name, None)
        rows.append(line(f"bound-{n}", BOUNDS, **values))
    return rows


STORY = [
    line("two-equal", FIRST, nth=1),
    line("two-equal", FIRST, nth=2),
    line("return", BETWEEN, quantity=-2, unit_price="3.00", product_code="P-2"),
    line("nobody", LAST, customer_id=None, store_id=None, product_code="P-3"),
    line("renamed", BETWEEN, product_name="Armchair"),
    line("renamed-back", LAST),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainWarehouse]:
    """All days; the one in the middle is published after the others."""
    preload()
    warehouse = DomainWarehouse(tmp_path_factory.mktemp("retail"), RETAIL)
    warehouse.set_bronze([*discounted(), *at_the_bounds(), *STORY])
    for days in ((DISCOUNTED, BOUNDS, FIRST, LAST), (BETWEEN,)):
        warehouse.build(*days)
        warehouse.publish(*days)
    yield warehouse
    warehouse.engine.close()


def test_every_built_column_is_documented_in_its_order(warehouse: DomainWarehouse) -> None:
    built = warehouse.columns()
    assert {
        name: next(iter(found.values())) for name, found in built.items()
    } == documented_columns(RETAIL)
    served = [list(found.values()) for found in built.values() if len(found) > 1]
    assert len(served) == 13
    assert all(columns == others for columns, others in served), "what is built fits what is served"


def test_a_price_after_discount_gives_the_list_price_back(warehouse: DomainWarehouse) -> None:
    rows = warehouse.execute(
        f"""select sale_id, quantity, unit_price, discount_percentage, gross_amount,
            discount_amount, return_amount, total_amount
        from marts.fact_sales where _book_date = date '{DISCOUNTED}'"""
    )
    assert len(rows) == len(discounted())
    for sale, quantity, price, percent, gross, discount, returned, total in rows:
        assert gross - discount - returned == total == price * quantity
        if quantity < 0:
            assert (gross, discount, returned) == (0, 0, -total)
        elif quantity > 0:
            assert discount >= 0
            listed, left = gross / quantity, (100 - percent) / 100
            # A cent of the price is 1 / left cents of the list price: nothing says more.
            cents = Decimal(sale.split("-")[0]) / 100
            assert abs(listed - cents) <= (CENT / left + CENT) / 2
            assert percent > 50 or abs(listed - cents) <= CENT
            assert (listed * left).quantize(CENT, ROUND_HALF_UP) == price


def test_what_the_contract_lets_through_can_always_be_read(warehouse: DomainWarehouse) -> None:
    for mart, columns in warehouse.columns().items():
        if "marts" in columns:
            assert warehouse.execute(f"select * from marts.{mart}")
    (count,) = warehouse.execute(
        f"select count(*) from marts.fact_sales where _book_date = date '{BOUNDS}'"
    )
    assert count == (len(at_the_bounds()),)


def test_two_equal_lines_of_a_sale_both_count(warehouse: DomainWarehouse) -> None:
    assert warehouse.execute(
        f"""select line_count, sale_count, net_quantity, net_amount
        from marts.mv_daily_sales_summary where sale_date = date '{FIRST}'"""
    ) == [(2, 1, 2, Decimal("20.00"))]


def test_a_return_takes_off_what_was_sold(warehouse: DomainWarehouse) -> None:
    assert warehouse.execute(
        """select gross_amount, discount_amount, return_amount, net_amount, net_quantity
        from marts.mv_top_products_by_revenue where product_code = 'P-2'"""
    ) == [(Decimal(0), Decimal(0), Decimal("6.00"), Decimal("-6.00"), -2)]


def test_a_sale_of_nobody_belongs_to_the_unknown_members(warehouse: DomainWarehouse) -> None:
    assert warehouse.execute(
        """select customers.customer_id, stores.store_id, products.product_name, dates.date_day
        from marts.fact_sales as sales
        join marts.dim_customer as customers using (customer_key)
        join marts.dim_store as stores using (store_key)
        join marts.dim_product as products using (product_key)
        join marts.dim_date as dates using (date_key)
        where sale_id = 'nobody'"""
    ) == [("unknown", "unknown", "Chair", dt.date.fromisoformat(LAST))]


def test_the_history_of_a_product_has_a_version_for_each_name(warehouse: DomainWarehouse) -> None:
    history = warehouse.execute(
        """select product_name, valid_from::varchar, valid_to::varchar, is_current
        from marts.dim_product_history
        where retailer = 'retailer_2' and product_code = 'P-1' order by valid_from"""
    )
    assert history == [
        ("Chair", FIRST, BETWEEN, False),
        ("Armchair", BETWEEN, LAST, False),
        ("Chair", LAST, None, True),
    ]
