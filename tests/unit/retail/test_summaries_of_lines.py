"""What stands before a publication names each summary that is not what its lines add up to."""

from collections.abc import Iterator

import pytest
from domain_warehouse import DomainWarehouse
from unit.retail.lines import line

from clearhouse.engines.dbt_runner import preload
from clearhouse.retail.domain import RETAIL

BEFORE, DAY = "2024-03-01", "2024-03-02"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainWarehouse]:
    """A day is published, and the next one is built and not yet published."""
    preload()
    warehouse = DomainWarehouse(tmp_path_factory.mktemp("summaries"), RETAIL)
    warehouse.set_bronze(
        [
            line("before", BEFORE, product_code="P-1"),
            line("one", DAY, product_code="P-1"),
            line("two", DAY, product_code="P-2"),
        ]
    )
    warehouse.build(BEFORE, DAY)
    warehouse.publish(BEFORE)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(warehouse, "flip", lambda pending: None)
        warehouse.publish(DAY)
    yield warehouse
    warehouse.engine.close()


def complaints(warehouse: DomainWarehouse, test: str) -> list[tuple[object, ...]]:
    """What a singular test finds."""
    (file,) = (warehouse.folder / "dbt" / "target" / "compiled").rglob(f"tests/**/{test}.sql")
    return warehouse.execute(f"select * from ({file.read_text()}) as found")


@pytest.mark.parametrize(
    ("test", "summary", "change", "named"),
    [
        ("by_retailer", "mv_daily_sales_summary", "customer_count = customer_count + 1", "daily"),
        ("by_retailer", "mv_daily_sales_summary", "sale_count = sale_count + 1", "daily"),
        ("by_retailer", "mv_weekly_sales_trends", "net_amount = net_amount + 0.01", "weekly"),
        ("by_retailer", "mv_weekly_sales_trends", "sale_count = 0", "weekly"),
        ("by_retailer", "mv_quarterly_sales_summary", "sale_day_count = 1", "quarterly"),
        ("by_retailer", "mv_quarterly_sales_summary", "tax_amount = 0.01", "quarterly"),
        ("by_product", "mv_daily_sales_by_product", "category = 'other'", "a day"),
        ("by_product", "mv_daily_sales_by_product", "gross_amount = gross_amount + 1", "a day"),
        ("by_product", "mv_monthly_sales_by_category", "product_count = 3", "a month"),
        ("by_product", "mv_monthly_sales_by_category", "net_quantity = 0", "a month"),
        ("by_product", "mv_top_products_by_revenue", "revenue_rank = 3 - revenue_rank", "place"),
        ("by_product", "mv_top_products_by_revenue", "net_amount_share = 0.25", "place"),
    ],
)
def test_a_summary_that_is_not_that_of_its_lines_is_named(
    warehouse: DomainWarehouse, test: str, summary: str, change: str, named: str
) -> None:
    name = f"summaries_{test}_are_those_of_lines"
    assert not complaints(warehouse, name)
    warehouse.execute(f"create table kept as from next.{summary}")
    try:
        warehouse.execute(f"update next.{summary} set {change}")
        found = complaints(warehouse, name)
    finally:
        warehouse.engine.execute(
            f"delete from next.{summary}",
            f"insert into next.{summary} from kept",
            "drop table kept",
        )
    assert found
    assert all(named in str(row[0]) for row in found)


def test_a_product_that_sold_more_than_its_lines_is_named(warehouse: DomainWarehouse) -> None:
    """Each night counts a sixteenth of the products: those whose turn it is."""
    name = "summaries_by_product_are_those_of_lines"
    column = "line_count = line_count + 1"
    warehouse.execute("create table kept as from next.mv_top_products_by_revenue")
    warehouse.execute(
        f"update next.mv_top_products_by_revenue set {column}, product_key = 20240302 % 16"
    )
    found = complaints(warehouse, name)
    warehouse.engine.execute(
        "delete from next.mv_top_products_by_revenue",
        "insert into next.mv_top_products_by_revenue from kept",
        "drop table kept",
    )
    assert "all that it sold" in {row[0] for row in found}


@pytest.mark.parametrize(
    ("entity", "first"),
    [("products", "first_sold_on"), ("customers", "first_sale_on"), ("stores", "first_sale_on")],
)
def test_a_member_without_lines_is_named(
    warehouse: DomainWarehouse, entity: str, first: str
) -> None:
    assert not complaints(warehouse, "members_are_those_of_lines")
    table, key = f"next.int_retail_{entity}", f"{entity.removesuffix('s')}_key"
    warehouse.execute(f"create table kept as from {table}")
    warehouse.execute(f"update {table} set {key} = 16000 + 20240302 % 16, {first} = '2020-01-01'")
    found = complaints(warehouse, "members_are_those_of_lines")
    warehouse.engine.execute(f"delete from {table}", f"insert into {table} from kept")
    warehouse.execute("drop table kept")
    assert {row[0] for row in found} == {entity.removesuffix("s")}


@pytest.mark.parametrize("key", ["product", "customer", "store"])
def test_a_line_without_its_member_is_named(warehouse: DomainWarehouse, key: str) -> None:
    assert not complaints(warehouse, "lines_have_their_dimensions")
    table = f"next.int_retail_{key}s"
    warehouse.execute(f"create table kept as from {table}")
    warehouse.execute(f"delete from {table}")
    found = complaints(warehouse, "lines_have_their_dimensions")
    warehouse.engine.execute(f"insert into {table} from kept", "drop table kept")
    assert len(found) == 2
