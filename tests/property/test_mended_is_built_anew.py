"""Derived tables mended publication by publication hold what they hold when built from nothing.

The models' own SQL runs, and the flip of a publication, over random gold entries: versions of a
record on one day or several, the same bytes again, days withdrawn, days that go back to an earlier
entry, and corrections that move a purchase to another customer.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from bnpl_warehouse import DATASET, FACT, Warehouse, purchase
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clearhouse.bnpl.domain import TRANSACTIONS
from clearhouse.engines.engine import Insert
from clearhouse.pipeline import ops
from clearhouse.pipeline.serve import derived_tables

DAYS = [dt.date(2024, 3, day) for day in range(1, 6)]
BUILDS = ("a", "b")
IN_ORDER = (
    "int_bnpl_touched_keys",
    "int_bnpl_published",
    "int_bnpl_hidden_records",
    "int_bnpl_touched_customers",
    "int_bnpl_touched_transactions",
    "int_bnpl_customer_profiles",
    "mart_bnpl_customers",
    "int_bnpl_customer_history_features",
)
DERIVED = derived_tables(TRANSACTIONS)
CHANGED_DAYS = "next." + FACT.partition(".")[2]
ROWS_OF_CHANGED_DAYS = f"""
    SELECT * FROM {FACT}
    WHERE _entry_id IN (SELECT entry_id FROM ops.pending)
        OR _entry_id IN (
            SELECT p.entry_id FROM ops.publication p
            JOIN ops.pending q ON p.dataset = q.dataset AND p.book_date = q.book_date)"""
"""What the pipeline shows the models of the fact before a publication."""

Version = tuple[int, str, str, int]
Entries = Mapping[tuple[dt.date, str], Mapping[int, Version]]
Publication = Mapping[dt.date, str | None]


@dataclass
class Models:
    """The warehouse, and the compiled SQL of the models that a publication builds."""

    warehouse: Warehouse
    queries: Mapping[str, str]

    def build(self, pending: Publication) -> None:
        """What dbt does for a publication."""
        ops.set_pending(self.warehouse.engine, {DATASET: pending})
        self.warehouse.engine.execute(
            *(f"CREATE OR REPLACE TABLE next.{n} AS {self.queries[n]}" for n in IN_ORDER)
        )

    def begin(self, rows: pa.Table) -> None:
        """Gold entries, of which none is published."""
        self.warehouse.engine.execute(
            "DELETE FROM scratch.rows",
            Insert("scratch.rows", rows),
            *(f"DELETE FROM {each.served}" for each in DERIVED),
            *(f"DELETE FROM ops.{name}" for name in ("publication", "pending", "to_serve")),
        )

    def rows(self, relation: str, part: str = "''") -> Counter[tuple[Any, ...]]:
        """Rows of a table, each behind the part that it is served in."""
        sql = f"select {part} as served_part, * from {relation}"
        return Counter(self.warehouse.execute(sql))

    def served(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """All derived tables as readers are shown them."""
        return {d.served: self.rows(d.served, _part(d.part)) for d in DERIVED}


def _part(part: str) -> str:
    return f"CAST({part} AS DATE)" if part else "NULL"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    warehouse = Warehouse(tmp_path_factory.mktemp("mended"))
    warehouse.set_bronze([purchase("txn_1", "2024-03-01")])
    warehouse.build("2024-03-01")
    warehouse.publish("2024-03-01")
    compiled = warehouse.folder / "dbt" / "target" / "compiled"
    files = {path.stem: path for path in compiled.rglob("models/**/*.sql")}
    warehouse.engine.execute(
        "CREATE SCHEMA scratch",
        f"CREATE TABLE scratch.template AS SELECT * FROM {FACT}",
        "CREATE TABLE scratch.rows AS SELECT * FROM scratch.template WHERE false",
        f"CREATE OR REPLACE VIEW {FACT} AS SELECT * FROM scratch.rows",
    )
    warehouse.engine.execute(f"CREATE OR REPLACE VIEW {CHANGED_DAYS} AS {ROWS_OF_CHANGED_DAYS}")
    for name in IN_ORDER:  # the first publication builds in place, and leaves views of it
        kind = warehouse.execute(
            f"select table_type from information_schema.tables "
            f"where table_schema = 'next' and table_name = '{name}'"
        )
        if kind == [("VIEW",)]:
            warehouse.engine.execute(f"DROP VIEW next.{name}")
    yield Models(warehouse, {name: files[name].read_text() for name in IN_ORDER})
    warehouse.engine.close()


versions: st.SearchStrategy[Version] = st.tuples(
    st.integers(1, 3),  # amount
    st.sampled_from("xy"),  # customer
    st.sampled_from("pq"),  # device and category
    st.integers(0, 3),  # days after the first moment
)
entries: st.SearchStrategy[Entries] = st.fixed_dictionaries(
    {
        (day, build): st.dictionaries(st.integers(1, 4), versions, max_size=3)
        for day in DAYS
        for build in BUILDS
    }
)
publications = st.lists(
    st.dictionaries(st.sampled_from(DAYS), st.sampled_from((*BUILDS, None)), min_size=1),
    min_size=1,
    max_size=5,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],  # each example is dozens of queries
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(entries=entries, history=publications)
def test_what_is_mended_is_what_is_built_from_nothing(
    models: Models, entries: Entries, history: list[Publication]
) -> None:
    models.begin(gold_rows(models, entries))
    pointers: dict[dt.date, str] = {}
    for publication in history:
        wanted = {day: build and f"{day}-{build}" for day, build in publication.items()}
        pending = {day: entry for day, entry in wanted.items() if pointers.get(day) != entry}
        if not pending:
            continue
        before = models.served()
        models.build(pending)
        models.warehouse.flip({DATASET: pending})
        pointers = {d: e for d, e in {**pointers, **pending}.items() if e is not None}
        sees_what_changed(models, before)
    mended = models.served()

    models.begin(gold_rows(models, entries))
    models.build(pointers)

    for derived in DERIVED:
        anew = models.rows(f"next.{derived.name}", _part(derived.part))
        assert mended[derived.served] == anew, derived.served


def sees_what_changed(models: Models, before: Mapping[str, Counter[tuple[Any, ...]]]) -> None:
    """Every part of a table that a publication changed is among those to be served again."""
    shown = {derived.served for derived in DERIVED if not derived.is_internal}
    for served, rows in models.served().items():
        if served not in shown:
            continue
        changed = {row[0] for row in (rows - before[served]) + (before[served] - rows)}
        told = models.warehouse.execute(
            f"select distinct part from ops.to_serve where relation = '{served}'"
        )
        assert changed <= {part for (part,) in told}, served
    models.warehouse.engine.execute("DELETE FROM ops.to_serve")


def gold_rows(models: Models, entries: Entries) -> pa.Table:
    """Rows of the fact: a real one, with what tells purchases and versions apart put in."""
    told = [
        {
            "record_id": hashlib.md5(f"{key}{version}".encode()).hexdigest(),
            "record_key": f"key-{key}",
            "book_date": day,
            "entry_id": f"{day}-{build}",
            "amount": amount,
            "customer": customer,
            "device": device,
            "days_after": days_after,
        }
        for (day, build), versions in entries.items()
        for key, version in versions.items()
        for amount, customer, device, days_after in [version]
    ]
    columns = ("record_id", "record_key", "customer", "device", "entry_id")
    schema = pa.schema(
        [(name, pa.string()) for name in columns]
        + [("book_date", pa.date32()), ("amount", pa.int64()), ("days_after", pa.int64())]
    )
    engine = models.warehouse.engine
    engine.execute(
        "CREATE OR REPLACE TABLE scratch.told (record_id VARCHAR, record_key VARCHAR, "
        "customer VARCHAR, device VARCHAR, entry_id VARCHAR, book_date DATE, amount BIGINT, "
        "days_after BIGINT)",
        Insert("scratch.told", pa.Table.from_pylist(told, schema)),
    )
    return engine.query(
        """SELECT t.* REPLACE (
            told.record_id AS _record_id, told.record_key AS _record_key,
            told.record_key AS transaction_id, told.book_date AS _book_date,
            told.entry_id AS _entry_id, told.amount::DECIMAL(15, 2) AS amount,
            told.customer AS customer_id, told.device AS device_id,
            told.device AS product_category,
            t.transaction_timestamp + to_hours(24 * told.days_after) AS transaction_timestamp)
        FROM scratch.template t, scratch.told"""
    )
