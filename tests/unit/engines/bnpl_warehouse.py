"""A tiny warehouse, made as the platform makes it: bronze a view of files, and the ops tables."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

REPOSITORY = Path(__file__).parents[3]
CONTRACT = REPOSITORY / "contracts" / "bnpl" / "transactions.yaml"

ARROW_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "double": pa.float64(),
    "decimal(15,2)": pa.decimal128(15, 2),
    "timestamp": pa.timestamp("us"),
}
SPINE = [
    pa.field("_record_id", pa.string()),
    pa.field("_record_key", pa.string()),
    pa.field("_book_date", pa.date32()),
    pa.field("_object_version", pa.int32()),
    pa.field("_line", pa.int32()),
    pa.field("extra", pa.string()),
]

A_PURCHASE: dict[str, Any] = {
    "transaction_id": "txn_0",
    "customer_id": "cust_1",
    "product_id": "prod_1",
    "device_id": "cust_1_device_1",
    "payment_method_id": "cust_1_pm_1",
    "amount": "100.00",
    "currency": "USD",
    "status": "completed",
    "risk_scenario": "low_risk_purchase",
    "risk_score": 0.3,
    "risk_level": "low",
    "installment_count": 4,
    "first_payment_amount": "25.00",
    "payment_frequency": "bi_weekly",
    "purchase_context": "normal",
    "checkout_speed": "normal",
    "cart_abandonment_count": 0,
    "price_comparison_time": 60,
    "time_on_site_seconds": 300,
    "economic_stress_factor": 0.0,
    "will_default": False,
    "customer_age_bracket": "25-34",
    "customer_tenure_days": 100,
    "customer_income_bracket": "50k-75k",
    "customer_credit_score_range": "good",
    "customer_verification_level": "verified",
    "customer_address_stability": "stable",
    "customer_state": "TX",
    "product_category": "home",
    "product_subcategory": "decor",
    "product_brand": "IKEA",
    "product_price": "100.00",
    "product_bnpl_eligible": True,
    "product_risk_category": "low",
    "device_type": "mobile",
    "device_os": "iOS",
    "device_is_trusted": True,
    "payment_provider": "klarna",
    "payment_type": "bnpl_account",
    "payment_credit_limit": "500.00",
    "source_ordinal": 0,
    "generator": "test",
}


def contract_fields() -> list[tuple[str, str]]:
    """Name and physical type of each field of the BNPL contract, in its order."""
    document = yaml.safe_load(CONTRACT.read_text())
    return [(p["name"], p["physicalType"]) for p in document["schema"][0]["properties"]]


def purchase(
    transaction_id: str,
    book_date: str,
    amount: str = "100.00",
    *,
    business_date: str | None = None,
    version: int = 1,
    line: int = 1,
    **fields: Any,
) -> dict[str, Any]:
    """One bronze row; its id hashes key, amount and other fields, as landing hashes bytes."""
    business_date = business_date or book_date
    key = f"{business_date}|{transaction_id}"
    body = f"{key}|{amount}|{sorted(fields.items())}"
    return {
        **A_PURCHASE,
        "transaction_id": transaction_id,
        "amount": amount,
        "transaction_timestamp": dt.datetime.fromisoformat(f"{business_date}T12:00:00"),
        **fields,
        "_record_id": hashlib.md5(body.encode()).hexdigest(),
        "_record_key": key,
        "_book_date": dt.date.fromisoformat(book_date),
        "_object_version": version,
        "_line": line,
    }


@dataclass
class Warehouse:
    """A DuckDB file with upstream relations that a test sets and results that it asks for."""

    path: Path
    generation: int = field(default=0)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(statement, values).fetchall()

    def lay_out(self) -> None:
        """Empty schemas and ops tables; what models built before is dropped."""
        for schema in ("bronze", "ops", "silver", "gold", "marts"):
            self.execute(f"drop schema if exists {schema} cascade")
        self.execute("create schema bronze")
        self.execute("create schema ops")
        self.execute(
            "create table ops.build_day (domain varchar, book_date date,"
            " silver_entry_id varchar, gold_entry_id varchar)"
        )
        self.execute(
            "create table ops.publication (domain varchar, dataset varchar, book_date date,"
            " entry_id varchar)"
        )
        self.set_bronze([])

    def set_bronze(self, rows: Iterable[dict[str, Any]]) -> None:
        """Make bronze a view of a file that holds exactly these rows."""
        fields = [pa.field(name, ARROW_TYPES[kind]) for name, kind in contract_fields()] + SPINE
        typed = [{f.name: _typed(row.get(f.name), f.type) for f in fields} for row in rows]
        self.generation += 1
        file = self.path.with_name(f"bronze-{self.generation}.parquet")
        pq.write_table(pa.Table.from_pylist(typed, schema=pa.schema(fields)), file)
        self.execute(
            f"create or replace view bronze.bnpl_transactions as from read_parquet('{file}')"
        )

    def set_build_days(self, *days: str, build: str = "1") -> None:
        """Say which days the next run builds; entries are s<build>:<day> and g<build>:<day>."""
        self.execute("delete from ops.build_day")
        for day in days:
            self.execute(
                "insert into ops.build_day values ('bnpl', ?, ?, ?)",
                day,
                f"s{build}:{day}",
                f"g{build}:{day}",
            )

    def publish(self, *days: str, build: str = "1") -> None:
        """Flip the pointer of each day to its gold entry of a build."""
        for day in days:
            self.execute("delete from ops.publication where book_date = ?", day)
            self.execute(
                "insert into ops.publication values ('bnpl', 'bnpl.transactions', ?, ?)",
                day,
                f"g{build}:{day}",
            )


def _typed(value: Any, kind: pa.DataType) -> Any:
    return Decimal(value) if pa.types.is_decimal(kind) and value is not None else value
