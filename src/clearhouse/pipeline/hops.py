"""The hops of a dataset: which rows of which store are on which side of each."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from clearhouse.books.decisions import Decisions
from clearhouse.books.hop import Hop, Leg, Relation
from clearhouse.books.ledger import Books
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.books.model import Side
from clearhouse.books.publications import Publications
from clearhouse.core.columnar import dates
from clearhouse.core.contract import Contract
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.engines.engine import Engine, EngineSpine
from clearhouse.lake.iceberg import BronzeSpine, Lake
from clearhouse.landing.spine import LandingReader, LandingSpine, Lines
from clearhouse.pipeline.domain import Dataset, Source
from clearhouse.pipeline.export_files import SUFFIXES, ExportSpine, Form
from clearhouse.pipeline.rows_spine import RowsSpine, SidesOfRows
from clearhouse.pipeline.standing import Judge, ReadersSides, Scope
from clearhouse.settings import Settings
from clearhouse.store.quarantine import Quarantine

_HIDDEN = (Side.DUPLICATE, Side.SUPERSEDED)
"""The sides of published rows that readers must not see."""


@dataclass(frozen=True)
class HopNames:
    """The names of a dataset's hops, as the books and people use them.

    Attributes:
        landed: by source.
        exports: by form of the exported files, which there are where EXPORT_URL says so.
    """

    landed: dict[str, str]
    exports: dict[Form, str]
    bronze: str = "landing → bronze"
    silver: str = "bronze → silver"
    gold: str = "silver → gold"
    readers: str = "gold → readers"

    @classmethod
    def of(cls, dataset: Dataset, *, is_only: bool) -> "HopNames":
        """The names; of one of several datasets, they begin with the dataset's."""
        several = len(dataset.sources) > 1
        prefix = "" if is_only else f"{dataset.name}: "
        return cls(
            {
                s.name: f"{prefix}{s.name if several else 'source'} → landing"
                for s in dataset.sources
            },
            {form: f"{prefix}bronze → {suffix}" for form, suffix in SUFFIXES.items()},
            *(prefix + name for name in (cls.bronze, cls.silver, cls.gold, cls.readers)),
        )


def candidates_sql(dataset: str, gold: str) -> str:
    """SQL, to be used behind FROM, for the gold rows `r` of the entries built last."""
    return f"""{gold} r JOIN ops.candidate c
        ON c.dataset = '{dataset}' AND c.book_date = r._book_date AND c.entry_id = r._entry_id"""


@dataclass(frozen=True)
class Stores:
    """The stores that hops are measured in, and the books that say what readers must see.

    Attributes:
        settings: say where the stores of a domain's services are.
    """

    lake: Lake
    engine: Engine
    quarantine: Quarantine
    books: Books
    decisions: Decisions
    publications: Publications
    settings: Settings

    def judge(self, dataset: Dataset, names: HopNames, contract: Contract) -> Judge:
        """Says what must be visible of a dataset."""
        return Judge(
            self.books,
            self.decisions,
            self.publications,
            Scope(contract.domain, contract.id, names.gold, dataset.business_gate.name),
        )


def hops_of(
    dataset: Dataset,
    names: HopNames,
    reader: LandingReader,
    stores: Stores,
    judge: Judge,
) -> dict[str, Hop]:
    """The hops in order, by name."""
    contract = reader.contract
    fields = contract.arrow_schema.append(pa.field("extra", pa.string()))
    bronze = BronzeSpine(stores.lake, contract.id, contract, fields)
    built = _EngineRows(stores.engine, contract, fields)
    silver = built.of(dataset.silver, "NOT r._is_superseded")
    candidates = built.by(
        dataset.gold, partial(_candidates, stores.engine, contract.id, dataset.gold)
    )
    hops = (
        *(
            Hop(names.landed[source.name], _landing_legs(source, reader, stores.settings))
            for source in dataset.sources
        ),
        Hop(names.bronze, _bronze_legs(reader, bronze, stores.quarantine)),
        Hop(
            names.silver,
            (
                Leg(Side.IN, bronze),
                Leg(Side.OUT, silver),
                Leg(Side.SUPERSEDED, built.of(dataset.silver, "r._is_superseded")),
            ),
            upstream=names.bronze,
            content=partial(built.common, dataset.silver),
        ),
        Hop(
            names.gold,
            (Leg(Side.IN, silver), Leg(Side.OUT, candidates)),
            upstream=names.silver,
            content=partial(built.common, dataset.silver, dataset.gold),
        ),
        Hop(names.readers, _readers_legs(dataset, built, judge, candidates), certified=False),
    )
    by_key = contract.parts_after(dataset.id_column) > 0
    return {hop.name: replace(hop, names_by_key=by_key) for hop in hops}


@dataclass(frozen=True)
class _EngineRows:
    """Spine rows of a dataset's relations in the engine.

    Attributes:
        fields: the contract's columns, and `extra`.
    """

    engine: Engine
    contract: Contract
    fields: pa.Schema

    def of(self, relation: str, where: str = "1 = 1", *, is_shown: bool = False) -> EngineSpine:
        """The rows `r` of a relation for which a condition holds, given as SQL."""

        def source(of_days: str, _days: Sequence[dt.date]) -> str:
            return f"{relation} r WHERE {where} AND {of_days}"

        return self.by(relation, source, is_shown=is_shown)

    def by(
        self,
        relation: str,
        source: Callable[[str, Sequence[dt.date]], str],
        *,
        is_shown: bool = False,
    ) -> EngineSpine:
        """The rows `r` that a source gives: see `EngineSpine`."""
        minor, currency = amount_sql(self.contract, self.engine.dialect, "r.")
        money = f"{minor} AS amount_minor, {currency} AS currency"
        columns = f"r._book_date, r._record_id, r._record_key, {money}"
        return EngineSpine(self.engine, relation, columns, self.fields, source, is_shown)

    def common(self, *relations: str) -> list[str]:
        """The contract's columns that relations have in common, as they are now."""
        theirs = [set(self.engine.columns(relation)) for relation in relations]
        return [name for name in self.fields.names if all(name in each for each in theirs)]


def _candidates(
    engine: Engine, dataset: str, gold: str, of_days: str, days: Sequence[dt.date]
) -> str:
    """Gold rows of the entries built last for the days, which are listed: the query says all."""
    listed = dates(engine.dialect, days)
    answer = engine.query(
        f"""SELECT entry_id FROM ops.candidate
        WHERE dataset = '{dataset}' AND book_date IN ({listed}) ORDER BY entry_id"""
    )
    entries = ", ".join(map(engine.dialect.text, answer["entry_id"].to_pylist())) or "''"
    return f"{gold} r WHERE {of_days} AND r._entry_id IN ({entries})"


def _bronze_legs(
    reader: LandingReader, bronze: BronzeSpine, quarantine: Quarantine
) -> tuple[Leg, ...]:
    """What stands on the sides of the hop from landing to bronze."""
    return (
        Leg(Side.IN, LandingSpine(reader)),
        Leg(Side.OUT, bronze),
        Leg(Side.DUPLICATE, LandingSpine(reader, Lines.REPEATED)),
        Leg(Side.REJECTED, RowsSpine(partial(quarantine.rows, reader.contract.id))),
    )


def _readers_legs(
    dataset: Dataset, built: _EngineRows, judge: Judge, candidates: EngineSpine
) -> tuple[Leg, ...]:
    """What stands on the sides of the hop from gold to what readers see.

    What stands in gold is mostly the candidates, and what was measured of those counts for it.
    """
    sides = ReadersSides(dataset.gold, built.engine.dialect, judge, restated=dataset.restated)
    shown = built.of(dataset.readers, is_shown=True)
    hidden = built.by(dataset.gold, sides.hidden)

    def read_hidden(days: Sequence[dt.date]) -> Mapping[Side, pa.Table]:
        rows = hidden.rows_by_side(days)
        return {side: rows.get(side, SPINE_SCHEMA.empty_table()) for side in _HIDDEN}

    return (
        Leg(Side.IN, candidates.of_source(sides.standing)),
        Leg(Side.OUT, shown),
        *SidesOfRows(read_hidden).legs(_HIDDEN),
        Leg(Side.HELD, built.by(dataset.gold, sides.withheld)),
    )


def _landing_legs(source: Source, reader: LandingReader, settings: Settings) -> tuple[Leg, ...]:
    """What stands on the sides of the hop from a source to landing.

    A day that is extracted again, since the source holds more of it by now, lands whole once more:
    what landed before comes in again.
    """
    landed = reader.of(source.name)
    out = Leg(Side.OUT, LandingSpine(landed))
    if source.spine is None:
        return (out,)
    again = Leg(Side.IN, LandingSpine(landed, Lines.REPEATED))
    return (Leg(Side.IN, source.spine(settings, landed)), again, out)


def with_exports(
    hops: Mapping[str, Hop], names: HopNames, exports: Mapping[str, ExportSpine]
) -> dict[str, Hop]:
    """The hops, and behind that to bronze those to exported files.

    They are no part of a certificate: whether files are written is a matter of settings.
    """
    found: dict[str, Hop] = {}
    for name, hop in hops.items():
        found[name] = hop
        if name == names.bronze:
            bronze = next(leg.relation for leg in hop.legs if leg.side is Side.OUT)
            found |= {
                export: _export_hop(hop, export, bronze, exports[export]) for export in exports
            }
    return found


def _export_hop(before: Hop, name: str, bronze: Relation, files: ExportSpine) -> Hop:
    return Hop(
        name,
        (Leg(Side.IN, bronze), Leg(Side.OUT, files)),
        certified=False,
        upstream=before.name,
        content=lambda: files.content,
        names_by_key=before.names_by_key,
    )
