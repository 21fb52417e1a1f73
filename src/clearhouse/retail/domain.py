"""Retail declared: three retailers' sales, from their APIs to a star schema and its summaries."""

from clearhouse.pipeline.domain import Dataset, Derived, Domain, Gate, packaged
from clearhouse.retail.frames import business_frames, raw_frames
from clearhouse.retail.retailers import RETAILERS
from clearhouse.retail.source import source_of


def _by(period: str, key: str, name: str) -> Derived:
    """A summary whose rows are mended where a publication touches a day, week, month or quarter."""
    part = key if period == "days" else ""
    return Derived(name, "marts", key, f"next.int_retail_touched_{period}", part=part)


def _members(entity: str, key: str) -> Derived:
    return Derived(f"int_retail_{entity}", "gold", key, f"next.int_retail_touched_{entity}")


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
    business_gate=Gate("retail_business_gate", business_frames),
    id_column="sale_id",
    derived=(
        _by("days", "sale_date", "mv_daily_sales_by_product"),
        _by("days", "sale_date", "mv_daily_sales_summary"),
        _by("weeks", "week_start", "mv_weekly_sales_trends"),
        _by("months", "month_start", "mv_monthly_sales_by_category"),
        _by("quarters", "quarter_start", "mv_quarterly_sales_summary"),
        Derived(
            "mv_top_products_by_revenue", "marts", "retailer", "next.int_retail_touched_retailers"
        ),
        _members("products", "product_key"),
        _members("customers", "customer_key"),
        _members("stores", "store_key"),
        Derived("dim_product_history", "marts", "product_key", "next.int_retail_touched_products"),
    ),
    views=(
        "marts.dim_date",
        "marts.dim_product",
        "marts.dim_customer",
        "marts.dim_store",
        "marts.dim_retailer",
    ),
)

RETAIL = Domain("retail", (SALES,), **packaged("retail"), volume_band=None)
