"""A domain's models over a made-up bronze table: built and published as the platform does it."""

import datetime as dt
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

from clearhouse.core.contract import Contract
from clearhouse.core.contract.fields import Field
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_files import assembled
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.engines.engine import Engine
from clearhouse.pipeline import ops
from clearhouse.pipeline.bronze import bronze_schema
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Domain
from clearhouse.pipeline.serve import Flip, Pending, apply, prepare

DBT_DIR = Path(__file__).parents[1] / "dbt"
UNBOUNDED: dict[str, tuple[Any, Any]] = {
    "bigint": (-(2**63), 2**63 - 1),
    "double": (-1e308, 1e308),
    "decimal(15,2)": ("-9999999999999.99", "9999999999999.99"),
    "timestamp": ("1000-01-01T00:00:00", "2999-12-31T23:59:59.999999"),
}
"""The least and the most that a field takes where its contract says no more."""


class DomainWarehouse:
    """The embedded engine and a domain's dbt project in a folder, without pulls, gates and books.

    What a run builds and publishes is built and published by the same code as a run's. Of a domain
    with several datasets, the rows are of the first; the others are there, and empty.
    """

    def __init__(self, folder: Path, domain: Domain) -> None:
        self.folder = folder
        self.domain = domain
        self.dataset = domain.datasets[0]
        self.contracts = [
            Contract.load(domain.contracts / f"{d.name}.yaml") for d in domain.datasets
        ]
        self.contract, *self._others = self.contracts
        self._generation = 0
        self._project_dir = assembled(
            DBT_DIR, domain.models, domain.model_tests, folder / "project"
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
        for contract in self._others:
            bronze = f"bronze.{contract.id.replace('.', '_')}"
            self.engine.expose_bronze(bronze, [], bronze_schema(contract))

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query, or a statement's effect."""
        if statement.startswith(("select", "from", "describe")):
            found = self.engine.query(statement)
            return list(zip(*(column.to_pylist() for column in found.columns), strict=True))
        self.engine.execute(statement)
        return []

    def set_bronze(self, rows: Iterable[dict[str, Any]]) -> None:
        """Make bronze a view of a file that holds exactly these rows."""
        schema = bronze_schema(self.contract)
        typed = [{f.name: _typed(row.get(f.name), f.type) for f in schema} for row in rows]
        self._generation += 1
        file = self.path.with_name(f"bronze-{self._generation}.parquet")
        pq.write_table(pa.Table.from_pylist(typed, schema=schema), file)
        bronze = f"bronze.{self.contract.id.replace('.', '_')}"
        self.engine.expose_bronze(bronze, [str(file)], schema)

    def set_build_days(self, *days: str, build: str = "1") -> None:
        """Say which days the next run builds; entries are s<build>-<day> and g<build>-<day>."""
        entries = {
            dt.date.fromisoformat(day): (f"s{build}-{day}", f"g{build}-{day}") for day in days
        }
        ops.set_build_days(self.engine, self.contract.id, entries)

    def build(self, *days: str, build: str = "1") -> None:
        """Silver and gold of days, as the steps normalize_entities and run_dbt_pipeline do it."""
        self.set_build_days(*days, build=build)
        self.project.build("tag:normalize")
        for dataset in self.domain.datasets:
            self.engine.discard_unfinished(dataset.gold)
        self.project.build("tag:gold")
        for dataset in self.domain.datasets:
            self.engine.keep_built(dataset.gold, dataset.layout)

    def publish(self, *days: str, build: str = "1") -> None:
        """Flip the pointer of each day to its gold entry of a build, and what derives from it."""
        pending: Pending = {
            self.contract.id: {dt.date.fromisoformat(day): f"g{build}-{day}" for day in days}
        }
        prepare(self._publishing, self._of_all(pending), anew=not self._publications)
        self.project.build("tag:published")
        self.flip(pending)

    def flip(self, pending: Pending) -> None:
        """Put in place what was built for pointers, as a publication does it."""
        self._publications += 1
        flip = Flip(self._publications, "versions", anew=self._publications == 1)
        apply(self._publishing, self._of_all(pending), flip)

    def columns(self) -> dict[str, dict[str, list[str]]]:
        """The columns of each table that is built, in their order, by the schemas it is in."""
        found: dict[str, dict[str, list[str]]] = {}
        for schema, table, column in self.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " where table_schema in ('silver', 'gold', 'marts', 'next')"
            " order by table_schema, table_name, ordinal_position"
        ):
            found.setdefault(table, {}).setdefault(schema, []).append(column)
        return found

    @property
    def _publishing(self) -> Run:
        opened = [
            SimpleNamespace(id=contract.id, declared=declared)
            for contract, declared in zip(self.contracts, self.domain.datasets, strict=True)
        ]
        return cast(Run, _Publishing(self.engine, self.domain.name, opened))

    def _of_all(self, pending: Pending) -> Pending:
        return {**{contract.id: {} for contract in self._others}, **pending}


@dataclass(frozen=True)
class _Publishing:
    """What of a `Run` the flip of a publication works with."""

    engine: Engine
    name: str
    datasets: list[Any]


def _typed(value: Any, kind: pa.DataType) -> Any:
    return Decimal(value) if pa.types.is_decimal(kind) and value is not None else value


def documented_columns(domain: Domain) -> dict[str, list[str]]:
    """The columns of each model of a domain as its YAML files name them; each model says its grain.

    Raises:
        AssertionError: a model says no grain.
    """
    documents = [yaml.safe_load(file.read_text()) for file in domain.models.rglob("*.yml")]
    models = [model for document in documents for model in document.get("models", [])]
    assert all("Grain: " in model["description"] for model in models)
    return {model["name"]: [column["name"] for column in model["columns"]] for model in models}


def limits(field: Field) -> tuple[Any, Any] | None:
    """The least and the most that a contract lets through, of a field that has an order."""
    if field.physical_type not in UNBOUNDED:
        return None
    if field.enum:
        numbers = sorted(map(int, field.enum))
        return numbers[0], numbers[-1]
    least, most = UNBOUNDED[field.physical_type]
    return (
        least if field.minimum is None else field.minimum,
        most if field.maximum is None else field.maximum,
    )
