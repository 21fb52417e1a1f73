"""The models of a domain over random gold entries: mended by publications, and built from nothing.

The models' own SQL runs, and the flip of a publication; dbt has compiled it once.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from domain_warehouse import DomainWarehouse
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from clearhouse.engines.engine import Insert
from clearhouse.pipeline import ops
from clearhouse.pipeline.serve import derived_tables

DAYS = [dt.date(2024, 3, day) for day in range(1, 6)]
BUILDS = ("a", "b")

_SQL_TYPES = {pa.string(): "VARCHAR", pa.date32(): "DATE", pa.int64(): "BIGINT"}

Rows = Counter[tuple[Any, ...]]
Publication = Mapping[dt.date, str | None]
"""The build that each of some days goes to; None: it is withdrawn."""

publication: st.SearchStrategy[Publication] = st.dictionaries(
    st.sampled_from(DAYS), st.sampled_from((*BUILDS, None)), min_size=1
)
publications = st.lists(publication, min_size=1, max_size=5)


def few_examples(number: int) -> settings:
    """Settings for examples of which each is dozens of queries."""
    return settings(
        max_examples=number,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def entry_of(day: dt.date, build: str) -> str:
    """The gold entry of a day in a build."""
    return f"{day}-{build}"


def _compiled(warehouse: DomainWarehouse, names: Iterable[str]) -> dict[str, str]:
    """The SQL of models as dbt compiled it last."""
    compiled = warehouse.folder / "dbt" / "target" / "compiled"
    files = {path.stem: path for path in compiled.rglob("models/**/*.sql")}
    return {name: files[name].read_text() for name in names}


@dataclass
class Models:
    """A warehouse, and the compiled SQL of the models that a publication builds.

    Attributes:
        queries: by name, in the order in which models build on each other.
        anew: the same, of what is built from nothing.
    """

    warehouse: DomainWarehouse
    queries: Mapping[str, str]
    anew: Mapping[str, str]

    def tell(self, told: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
        """Let `scratch.told` be some rows, by which rows of the fact are made of its template."""
        columns = ", ".join(f"{field.name} {_SQL_TYPES[field.type]}" for field in schema)
        self.warehouse.engine.execute(
            f"CREATE OR REPLACE TABLE scratch.told ({columns})",
            Insert("scratch.told", pa.Table.from_pylist(told, schema)),
        )

    @classmethod
    def of(cls, warehouse: DomainWarehouse, in_order: Sequence[str]) -> "Models":
        """The models of a warehouse in which a publication was made: `scratch.template` has the
        rows of its first fact, and from now on facts have those of `_begin`."""
        anew = _compiled(warehouse, in_order)
        warehouse.publish()  # nothing more: the queries of a publication after the first
        queries = _compiled(warehouse, in_order)
        warehouse.engine.execute(
            "CREATE SCHEMA scratch",
            f"CREATE TABLE scratch.template AS SELECT * FROM {warehouse.dataset.gold}",
        )
        for dataset in warehouse.domain.datasets:
            fact, rows = dataset.gold, _rows_of(dataset.gold)
            # What the pipeline shows the models of the fact before a publication.
            changed = f"""SELECT * FROM {fact}
                WHERE _entry_id IN (SELECT entry_id FROM ops.pending)
                    OR _entry_id IN (
                        SELECT p.entry_id FROM ops.publication p JOIN ops.pending q
                            ON p.dataset = q.dataset AND p.book_date = q.book_date)"""
            warehouse.engine.execute(
                f"CREATE TABLE {rows} AS SELECT * FROM {fact} WHERE false",
                f"CREATE OR REPLACE VIEW {fact} AS SELECT * FROM {rows}",
            )
            shown = "next." + fact.partition(".")[2]
            warehouse.engine.execute(f"CREATE OR REPLACE VIEW {shown} AS {changed}")
        for name in in_order:  # the first publication builds in place, and leaves views of it
            kind = warehouse.execute(
                f"select table_type from information_schema.tables "
                f"where table_schema = 'next' and table_name = '{name}'"
            )
            if kind == [("VIEW",)]:
                warehouse.engine.execute(f"DROP VIEW next.{name}")
        return cls(warehouse, queries, anew)

    def mends(self, rows: pa.Table, history: Sequence[Publication]) -> None:
        """The same as `mends_all`, of a domain with one dataset, or of the first one alone."""
        self.mends_all([rows], [[publication] for publication in history])

    def mends_all(self, rows: Sequence[pa.Table], history: Sequence[Sequence[Publication]]) -> None:
        """See that publications one after the other leave what is built from nothing.

        Args:
            rows: by dataset, of its fact, of all entries.
            history: the publications, of each dataset its own.

        Raises:
            AssertionError: they don't, or one doesn't say what it changed.
        """
        ids = [contract.id for contract in self.warehouse.contracts[: len(rows)]]
        self._begin(rows)
        pointers: dict[str, dict[dt.date, str]] = {dataset: {} for dataset in ids}
        for publication in history:
            pending = {
                dataset: {
                    day: entry
                    for day, build in changed.items()
                    if pointers[dataset].get(day) != (entry := build and entry_of(day, build))
                }
                for dataset, changed in zip(ids, publication, strict=True)
            }
            if not any(pending.values()):
                continue
            before = self._served()
            self._build(pending, self.queries)
            self.warehouse.flip(pending)
            for dataset, changed in pending.items():
                after = {**pointers[dataset], **changed}
                pointers[dataset] = {d: e for d, e in after.items() if e is not None}
            self._says_what_changed(before)
        mended = self._served()

        self._begin(rows)
        self._build(pointers, self.anew)

        for derived in self._derived:
            anew = self._rows(f"next.{derived.name}", _part(derived.part))
            assert mended[derived.served] == anew, derived.served

    @property
    def _derived(self) -> Sequence[Any]:
        return [
            derived
            for dataset, contract in zip(
                self.warehouse.domain.datasets, self.warehouse.contracts, strict=True
            )
            for derived in derived_tables(dataset, contract.id)
            if derived.name in self.queries
        ]

    def _begin(self, rows: Sequence[pa.Table]) -> None:
        """Gold entries, of which none is published."""
        for dataset, some in zip(self.warehouse.domain.datasets, rows, strict=False):
            table = _rows_of(dataset.gold)
            self.warehouse.engine.execute(f"DELETE FROM {table}", Insert(table, some))
        self.warehouse.engine.execute(
            *(f"DELETE FROM {each.served}" for each in self._derived),
            *(f"DELETE FROM ops.{name}" for name in ("publication", "pending", "to_serve")),
        )

    def _build(
        self, pending: Mapping[str, Mapping[dt.date, str | None]], queries: Mapping[str, str]
    ) -> None:
        """What dbt does for a publication."""
        ops.set_pending(self.warehouse.engine, pending)
        self.warehouse.engine.execute(
            *(f"CREATE OR REPLACE TABLE next.{name} AS {sql}" for name, sql in queries.items())
        )

    def _rows(self, relation: str, part: str = "''") -> Rows:
        """Rows of a table, each behind the part that it is served in."""
        return Counter(self.warehouse.execute(f"select {part} as served_part, * from {relation}"))

    def _served(self) -> dict[str, Rows]:
        """All derived tables as readers are shown them."""
        return {d.served: self._rows(d.served, _part(d.part)) for d in self._derived}

    def _says_what_changed(self, before: Mapping[str, Rows]) -> None:
        """Every part of a table that a publication changed is among those to be served again."""
        shown = {derived.served for derived in self._derived if not derived.is_internal}
        for served, rows in self._served().items():
            if served not in shown:
                continue
            changed = {row[0] for row in (rows - before[served]) + (before[served] - rows)}
            told = self.warehouse.execute(
                f"select distinct part from ops.to_serve where relation = '{served}'"
            )
            assert changed <= {part for (part,) in told}, served
        self.warehouse.engine.execute("DELETE FROM ops.to_serve")


def _rows_of(fact: str) -> str:
    """The table whose rows a fact has."""
    return f"scratch.{fact.partition('.')[2]}"


def _part(part: str) -> str:
    return f"CAST({part} AS DATE)" if part else "NULL"
