"""A tiny warehouse, built and published as the platform does it, over purchases made by hand."""

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from clearhouse.bnpl.domain import BNPL, TRANSACTIONS
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_files import assembled
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.engines.engine import Engine
from clearhouse.pipeline import ops
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.serve import Flip, Pending, apply

REPOSITORY = Path(__file__).parents[3]
CONTRACT = REPOSITORY / "contracts" / "bnpl" / "transactions.yaml"
DBT_DIR = REPOSITORY / "dbt"
DATASET = "bnpl.transactions"
FACT = TRANSACTIONS.gold

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


class Warehouse:
    """The embedded engine and the dbt project of BNPL in a folder, without pulls, gates and books.

    What a run builds and publishes is built and published by the same code as a run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._generation = 0
        self._project_dir = assembled(
            DBT_DIR, DBT_DIR / "models" / "bnpl", DBT_DIR / "tests" / "bnpl", folder / "project"
        )
        self.lay_out()

    def lay_out(self) -> None:
        """An empty warehouse; what models built before is gone."""
        if self._generation:
            self.engine.close()
        self.path = self.folder / "warehouse.duckdb"
        self.path.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "gold", ignore_errors=True)
        self.engine = DuckDBEngine(
            self.path, self.folder / "gold", self.folder / "published.duckdb"
        )
        self.engine.execute(*ops.TABLES)
        self.project = DbtProject(self._project_dir, self.engine, self.folder / "dbt")
        self._publications = 0
        self.set_bronze([])

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query, or a statement's effect."""
        if statement.startswith(("select", "from", "describe")):
            found = self.engine.query(statement)
            return list(zip(*(column.to_pylist() for column in found.columns), strict=True))
        self.engine.execute(statement)
        return []

    def set_bronze(self, rows: Iterable[dict[str, Any]]) -> None:
        """Make bronze a view of a file that holds exactly these rows."""
        fields = [pa.field(name, ARROW_TYPES[kind]) for name, kind in contract_fields()] + SPINE
        typed = [{f.name: _typed(row.get(f.name), f.type) for f in fields} for row in rows]
        self._generation += 1
        file = self.path.with_name(f"bronze-{self._generation}.parquet")
        schema = pa.schema(fields)
        pq.write_table(pa.Table.from_pylist(typed, schema=schema), file)
        self.engine.expose_bronze("bronze.bnpl_transactions", [str(file)], schema)

    def set_build_days(self, *days: str, build: str = "1") -> None:
        """Say which days the next run builds; entries are s<build>-<day> and g<build>-<day>."""
        entries = {
            dt.date.fromisoformat(day): (f"s{build}-{day}", f"g{build}-{day}") for day in days
        }
        ops.set_build_days(self.engine, DATASET, entries)

    def build(self, *days: str, build: str = "1") -> None:
        """Silver and gold of days, as the steps normalize_entities and run_dbt_pipeline do it."""
        self.set_build_days(*days, build=build)
        self.project.build("tag:normalize")
        self.engine.discard_unfinished(FACT)
        self.project.build("tag:gold")
        self.engine.keep_built(FACT)

    def publish(self, *days: str, build: str = "1") -> None:
        """Flip the pointer of each day to its gold entry of a build, and what derives of it."""
        pending: Pending = {
            DATASET: {dt.date.fromisoformat(day): f"g{build}-{day}" for day in days}
        }
        ops.set_pending(self.engine, pending)
        self.project.build("tag:published")
        self.flip(pending)

    def flip(self, pending: Pending) -> None:
        """Put in place what was built for pointers, as a publication does it."""
        self._publications += 1
        flip = Flip(self._publications, "versions", anew=self._publications == 1)
        apply(cast(Run, Publishing(self.engine)), pending, flip)


@dataclass(frozen=True)
class Publishing:
    """What of a `Run` the flip of a publication works with."""

    engine: Engine
    name: str = BNPL.name

    @property
    def datasets(self) -> list[Any]:
        """See `Run`."""
        return [SimpleNamespace(id=DATASET, declared=TRANSACTIONS)]


def _typed(value: Any, kind: pa.DataType) -> Any:
    return Decimal(value) if pa.types.is_decimal(kind) and value is not None else value
