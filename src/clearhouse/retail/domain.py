"""Retail declared: three retailers' sales, from their APIs to a star schema and its summaries."""

from clearhouse.engines.engine import Layout
from clearhouse.pipeline.domain import Dataset, Derived, Domain, Gate, StepGroup, packaged
from clearhouse.retail.frames import PROFILES, business_frames, raw_frames
from clearhouse.retail.retailers import RETAILERS
from clearhouse.retail.source import source_of


def _daily(name: str, *row: str, indexes: tuple[tuple[str, ...], ...] = ()) -> Derived:
    """A summary by day of sale. Summaries of longer periods are made from its rows."""
    return Derived(
        name,
        "marts",
        "sale_date",
        "next.int_retail_touched_days",
        part="sale_date",
        grain=("sale_date", *row),
        feeds=True,
        is_summary=True,
        indexes=indexes,
    )


def _periodic(name: str, period: str, *row: str) -> Derived:
    """A summary by week, month or quarter, mended where a publication touches a day of it."""
    key = f"{period}_start"
    start = f"CAST(date_trunc('{period}', sale_date) AS DATE)"
    touched = f"next.int_retail_touched_{period}s"
    return Derived(name, "marts", key, touched, entity=start, grain=(key, *row), is_summary=True)


def _of(entity: str, name: str, schema: str, *row: str, is_summary: bool = False) -> Derived:
    """A table mended for the products, customers, stores or retailers that are touched."""
    key = entity if entity == "retailer" else f"{entity}_key"
    touched = f"next.int_retail_touched_{entity}s"
    return Derived(name, schema, key, touched, grain=(key, *row), is_summary=is_summary)


LAYOUT = Layout(
    indexes=(
        ("sale_date", "retailer"),
        ("retailer", "sale_date"),
        ("product_key", "sale_date"),
        ("customer_key", "sale_date"),
        ("store_key", "sale_date"),
    ),
    # What is mended by product or retailer is made from summaries, and a night touches every store.
    of_published=(("sale_date", "retailer"), ("customer_key", "sale_date")),
    members={
        "date_key": "gold.retail_date_members",
        "product_key": "gold.retail_product_members",
        "customer_key": "gold.retail_customer_members",
        "store_key": "gold.retail_store_members",
        "retailer_key": "gold.retail_retailer_members",
    },
)

SALES = Dataset(
    name="sales",
    sources=tuple(source_of(retailer) for retailer in RETAILERS),
    silver="silver.stg_retail_sales",
    gold="gold.fct_retail_sales",
    readers="marts.fact_sales",
    touched_keys="int_retail_touched_keys",
    published="int_retail_published",
    hidden="int_retail_hidden_records",
    raw_gate=Gate("retail_raw_gate", raw_frames),
    business_gate=Gate("retail_business_gate", business_frames, version="2", inputs=PROFILES),
    id_column="sale_id",
    derived=(
        _daily(
            "mv_daily_sales_by_product",
            "retailer",
            "product_code",
            indexes=(("product_key", "sale_date"),),
        ),
        _daily("mv_daily_sales_summary", "retailer"),
        _periodic("mv_weekly_sales_trends", "week", "retailer"),
        _periodic("mv_monthly_sales_by_category", "month", "retailer", "category"),
        _periodic("mv_quarterly_sales_summary", "quarter", "retailer"),
        _of("retailer", "mv_top_products_by_revenue", "marts", "product_code", is_summary=True),
        _of("product", "int_retail_products", "gold"),
        _of("customer", "int_retail_customers", "gold"),
        _of("store", "int_retail_stores", "gold"),
        _of("product", "dim_product_history", "marts", "valid_from"),
    ),
    views=(
        "marts.dim_date",
        "marts.dim_product",
        "marts.dim_customer",
        "marts.dim_store",
        "marts.dim_retailer",
    ),
    layout=LAYOUT,
)

RETAIL = Domain(
    "retail",
    (SALES,),
    **packaged("retail"),
    step_groups={
        "ingest_retailers_to_s3": StepGroup(("extract_daily_batch", "validate_raw_schema")),
        "transform_s3_to_postgres": StepGroup(("normalize_entities", "run_dbt_pipeline")),
        "data_quality_check": StepGroup(("validate_business_rules",)),
        "refresh_materialized_views": StepGroup(("publish_quality_metrics",)),
    },
)
