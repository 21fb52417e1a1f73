"""What the pipeline needs of a SQL engine, and the engine's rows as the books see them."""

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.books.digests import DAY, DigestMemory
from clearhouse.books.measure import (
    FIELD,
    SPINE_SCHEMA,
    digested,
    filled,
    rows_schema,
    totals_by_day,
    totals_sql,
)
from clearhouse.books.model import Totals
from clearhouse.core.columnar import Dialect, dates, readable
from clearhouse.engines.dbt_messages import DbtTarget, Description

_FEW_DAYS = 2
"""So many are always measured: to see that no file has changed takes longer with history."""
_NO_ROWS = (0, "")


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows to be added to a table."""

    relation: str
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a served table that changed.

    Attributes:
        relation: `schema.name`.
        column: SQL of the date that the table is cut by; "" where it is served whole.
        day: which part; None where it is served whole, and for the columns of a table that is cut.
    """

    relation: str
    column: str = ""
    day: dt.date | None = None


@dataclass(frozen=True)
class Served:
    """What readers are to be shown after a publication.

    Attributes:
        number: of the publication.
        changed: parts of tables that are not as readers see them.
        facts: gold facts, whose published entries are served as they are.
        views: views over those, in the order in which they build on each other.
        whole: the domain's tables are made anew: nothing that was served of them before counts.
        where: of a table that several domains write, which rows are this one's, as SQL.
        descriptions: of relations, by `schema.name`; readers find them as comments.
    """

    domain: str
    number: int
    changed: Sequence[Partition]
    facts: Sequence[str] = ()
    views: Sequence[str] = ()
    whole: bool = False
    where: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, Description] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """How a gold fact is laid out where it is a table of a server; a file needs none of it.

    Attributes:
        indexes: lists of columns by which queries look for rows, beside those of the spine.
        of_published: those by which rows are looked for in the table of published rows, where they
            are not the same.
        members: by column of the fact that is the key of a dimension, the table of its members:
            of every key that any row has had, published or not.
    """

    indexes: Sequence[Sequence[str]] = ()
    of_published: Sequence[Sequence[str]] | None = None
    members: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """A derived table as an engine makes it.

    Attributes:
        relation: `schema.name` by which it is served.
        indexes: lists of columns by which its rows are looked for.
        grain: columns that tell the rows of a summary apart.
        is_internal: readers are not shown it.
        is_summary: readers are shown it as a materialized view, where the engine has those.
    """

    relation: str
    indexes: Sequence[Sequence[str]] = ()
    grain: Sequence[str] = ()
    is_internal: bool = False
    is_summary: bool = False


@dataclass(frozen=True, slots=True)
class Anew:
    """What of a domain is made anew when its models are other ones.

    Attributes:
        tables: derived tables.
        views: those that readers are shown, in the order in which they build on each other.
    """

    tables: Sequence[DerivedTable]
    views: Sequence[str]


class Engine(Protocol):
    """A SQL engine for silver, gold and marts.

    Attributes:
        serves_copies: whether readers are given copies of tables, part by part, and don't read the
            engine's own.
    """

    dialect: Dialect
    serves_copies: bool

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer of a query."""
        ...

    def query_of(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The answer of a query of `schema.name`; None where that is not there."""
        ...

    def query_readers(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The same of what readers are shown."""
        ...

    def state(self, relation: str) -> Hashable | None:
        """What changes whenever the rows of `schema.name` do; None where nothing tells."""
        ...

    def readers_state(self) -> Hashable | None:
        """The same of all that readers are shown."""
        ...

    def execute(self, *changes: str | Insert) -> None:
        """Statements and inserts in one transaction."""
        ...

    def has(self, relation: str) -> bool:
        """Whether `schema.name` is there."""
        ...

    def columns(self, relation: str) -> Sequence[str]:
        """The columns of `schema.name` in order; none where it is not there."""
        ...

    def expose_bronze(self, relation: str, files: Sequence[str], schema: pa.Schema) -> None:
        """Let `schema.name` be the rows of some Parquet files."""
        ...

    def discard_unfinished(self, fact: str) -> None:
        """Forget what a build that was cut short left of a gold fact."""
        ...

    def expose_entries(self, relation: str, fact: str, entry_ids: Sequence[str]) -> None:
        """Let `schema.name` be the rows of some entries of a gold fact."""
        ...

    def keep_built(self, fact: str, layout: Layout) -> None:
        """Make what a build wrote of a gold fact part of it, durably."""
        ...

    def drop_entries(self, fact: str, entry_ids: Mapping[dt.date, Sequence[str]]) -> None:
        """Delete the rows of some entries of a gold fact, by day; no reader is shown them."""
        ...

    def rewrite_entry(self, fact: str, entry_id: str, sql: str) -> None:
        """Replace the rows of an entry of a gold fact by a query over them, called `rows`."""
        ...

    def begin_anew(self, anew: Anew) -> None:
        """Let the derived tables of a domain be built anew by the next build of dbt.

        Where readers read the engine's own tables, they go on with those in force.
        """
        ...

    def placed_anew(self, anew: Anew) -> Sequence[str]:
        """The statements that put what was built anew in its place, for the publication's flip."""
        ...

    def table_of(self, served: str) -> str:
        """The table in which rows of a derived table are replaced, which is served as `served`."""
        ...

    def refreshed(self, summary: str) -> Sequence[str]:
        """The statements that bring what readers see of a summary to what its table holds."""
        ...

    def serve(self, served: Served) -> None:
        """Show readers a publication, all of it at once."""
        ...

    def is_as_served(self, domain: str) -> bool:
        """Whether readers read what was last served: a file can be replaced by an older copy."""
        ...

    def differing_views(self, facts: Sequence[str], views: Sequence[str]) -> list[str]:
        """Facts, and what is served to readers, that are not what was built.

        Args:
            facts: gold facts.
            views: views that are built on them.
        """
        ...

    def served_number(self, domain: str) -> int:
        """The number of the publication that readers see; 0 where they see none."""
        ...

    def dbt_target(self) -> DbtTarget:
        """How dbt reaches the engine now."""
        ...

    def shell(self, duckdb: str) -> str:
        """The command that SQL over what readers see is given to, as its last argument.

        Args:
            duckdb: how DuckDB's command line is called.
        """
        ...

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        ...


class Ask(Protocol):
    """Answers a query of a relation, or None where the relation is not there."""

    def __call__(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """See `Engine.query_of`."""
        ...


@dataclass(frozen=True, slots=True)
class EngineSpine:
    """Rows of an engine as the books see them.

    What was measured of rows counts for as long as this object lives and they have not changed
    since, as the engine tells by its files or by a quick hash of all their values: each step and
    the audit at a run's end would otherwise make SHA-256 of the same rows again.

    Attributes:
        relation: `schema.name`; nothing is found where it is not there yet.
        spine: SQL of the columns of `SPINE_SCHEMA`, of a relation `r`.
        fields: the contract's columns.
        source: gives, for a condition on `r._book_date`, what stands behind FROM.
        is_shown: the rows are those that readers are shown.
    """

    engine: Engine
    relation: str
    spine: str
    fields: pa.Schema
    source: Callable[[str, Sequence[dt.date]], str] = field(repr=False)
    is_shown: bool = False
    _totals: dict[str, tuple[Hashable, Mapping[dt.date, Totals]]] = field(
        default_factory=dict, repr=False
    )
    """By query, the state that the rows were in, and what was measured."""
    _digests: DigestMemory = field(default_factory=DigestMemory, repr=False)

    def of_source(self, source: Callable[[str, Sequence[dt.date]], str]) -> "EngineSpine":
        """Other rows of the relation. Where they are these, what was measured counts for both."""
        return replace(self, source=source)

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        if not days:
            return {}
        sql = totals_sql(self._of(days), dialect=self.engine.dialect)
        state = self._state() if len(days) > _FEW_DAYS else None
        before, found = self._totals.get(sql, (None, {}))
        if state is None or state != before:
            answer = self._asked(sql)
            found = filled(totals_by_day(answer) if answer else {}, days)
            self._totals[sql] = (state, found)
        return found

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows."""
        states = self._states(days) if len(days) > _FEW_DAYS else dict.fromkeys(days)
        return self._digests.digests(self.rows, states, content, digested(content))

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA` and the content, in order of day and record id."""
        schema = rows_schema(self.fields, content)
        in_order = f"{self._of(days, content)} ORDER BY {DAY}, _record_id" if days else ""
        answer = self._asked(in_order) if days else None
        return answer.cast(schema) if answer else schema.empty_table()

    def rows_by_side(self, days: Sequence[dt.date]) -> dict[str, pa.Table]:
        """The rows, as `SPINE_SCHEMA`, by the column `side` that the source gives."""
        answer = self._asked(f"SELECT r.side, {self.spine} FROM {self._source(days)}")
        if not answer:
            return {}
        rows = answer.drop_columns(["side"]).cast(SPINE_SCHEMA)
        sides = pc.unique(answer["side"]).to_pylist()
        return {side: rows.filter(pc.equal(answer["side"], side)) for side in sides}

    def _states(self, days: Sequence[dt.date]) -> Mapping[dt.date, Hashable]:
        """What changes with the rows of each day. Files tell of rows, and not which are meant."""
        state = self._state()
        if state is not None:
            return dict.fromkeys(days, (state, self._source(days)))
        dialect = self.engine.dialect
        answer = self._asked(
            f"""SELECT {DAY}, count(*) AS rows,
                CAST(sum({dialect.row_hash("r")}) AS VARCHAR) AS hash
            FROM {self._source(days)} GROUP BY {DAY}"""
        )
        found = answer.to_pylist() if answer else []
        return dict.fromkeys(days, _NO_ROWS) | {
            row[DAY]: (row["rows"], row["hash"]) for row in found
        }

    def _state(self) -> Hashable | None:
        with readable(self.relation):
            return (
                self.engine.readers_state() if self.is_shown else self.engine.state(self.relation)
            )

    def _asked(self, sql: str) -> pa.Table | None:
        ask = self.engine.query_readers if self.is_shown else self.engine.query_of
        with readable(self.relation):
            return ask(self.relation, sql)

    def _of(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> str:
        columns = ", ".join([self.spine, *(f'r.{name} AS "{FIELD}{name}"' for name in content)])
        return f"SELECT {columns} FROM {self._source(days)}"

    def _source(self, days: Sequence[dt.date]) -> str:
        return self.source(f"r.{DAY} IN ({dates(self.engine.dialect, days)})", days)
