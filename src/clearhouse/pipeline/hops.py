"""The hops of a dataset: which rows of which store are on which side of each."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from clearhouse.books.decisions import Decisions
from clearhouse.books.hop import Hop, Leg, Relation
from clearhouse.books.ledger import Books
from clearhouse.books.model import Side
from clearhouse.books.publications import Publications
from clearhouse.books.rows_spine import RowsSpine
from clearhouse.core.contract import Contract
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.engines.engine import Ask, Engine, EngineSpine
from clearhouse.lake.iceberg import BronzeSpine, Lake
from clearhouse.landing.spine import LandingReader, LandingSpine, Lines
from clearhouse.pipeline.domain import Dataset, Source
from clearhouse.pipeline.export_files import SUFFIXES, ExportSpine, Form
from clearhouse.pipeline.standing import Judge, ReadersSides, Scope
from clearhouse.settings import Settings
from clearhouse.store.quarantine import Quarantine


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
    engine, contract = stores.engine, reader.contract
    landed = LandingSpine(reader)
    repeated = LandingSpine(reader, Lines.REPEATED)
    fields = contract.arrow_schema.append(pa.field("extra", pa.string()))
    bronze = BronzeSpine(stores.lake, contract.id, contract, fields)
    minor, currency = amount_sql(contract, engine.dialect, "r.")
    money = f"{minor} AS amount_minor, {currency} AS currency"
    columns = f"r._book_date, r._record_id, r._record_key, {money}"

    def rows(
        relation: str, where: str = "1 = 1", of: str | None = None, ask: Ask = engine.query_of
    ) -> EngineSpine:
        def source(of_days: str, _days: Sequence[dt.date]) -> str:
            return f"{of or f'{relation} r'} WHERE {where} AND {of_days}"

        return EngineSpine(ask, engine.dialect, relation, columns, fields, source)

    def common(*relations: str) -> Callable[[], list[str]]:
        """The contract's columns that relations have in common, as they are now."""

        def found() -> list[str]:
            theirs = [set(engine.columns(relation)) for relation in relations]
            return [name for name in fields.names if all(name in each for each in theirs)]

        return found

    def gold(source: Callable[[str, Sequence[dt.date]], str]) -> EngineSpine:
        return EngineSpine(engine.query_of, engine.dialect, dataset.gold, columns, fields, source)

    silver = rows(dataset.silver, "NOT r._is_superseded")
    readers = ReadersSides(dataset.gold, engine.dialect, judge)
    hops = (
        *(
            Hop(names.landed[source.name], _landing_legs(source, reader, stores.settings))
            for source in dataset.sources
        ),
        Hop(
            names.bronze,
            (
                Leg(Side.IN, landed),
                Leg(Side.OUT, bronze),
                Leg(Side.DUPLICATE, repeated),
                Leg(Side.REJECTED, RowsSpine(partial(stores.quarantine.rows, contract.id))),
            ),
        ),
        Hop(
            names.silver,
            (
                Leg(Side.IN, bronze),
                Leg(Side.OUT, silver),
                Leg(Side.SUPERSEDED, rows(dataset.silver, "r._is_superseded")),
            ),
            upstream=names.bronze,
            content=common(dataset.silver),
        ),
        Hop(
            names.gold,
            (
                Leg(Side.IN, silver),
                Leg(Side.OUT, rows(dataset.gold, of=candidates_sql(contract.id, dataset.gold))),
            ),
            upstream=names.silver,
            content=common(dataset.silver, dataset.gold),
        ),
        Hop(
            names.readers,
            (
                Leg(Side.IN, gold(readers.standing)),
                Leg(Side.OUT, rows(dataset.readers, ask=engine.query_readers)),
                Leg(Side.DUPLICATE, gold(readers.duplicate)),
                Leg(Side.SUPERSEDED, gold(readers.superseded)),
                Leg(Side.HELD, gold(readers.withheld)),
            ),
            certified=False,
        ),
    )
    by_key = contract.parts_after(dataset.id_column) > 0
    return {hop.name: replace(hop, names_by_key=by_key) for hop in hops}


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
