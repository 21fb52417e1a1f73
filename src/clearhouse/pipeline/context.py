"""What the steps of a domain work with: its stores, opened, and what is known of its datasets."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clearhouse.books.certificate import Certificates
from clearhouse.books.decisions import Decisions
from clearhouse.books.hop import Hop
from clearhouse.books.journal import Journal
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, EntryKey, Status
from clearhouse.books.publications import Publications
from clearhouse.core.contract import Contract
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.engine import Engine
from clearhouse.lake.iceberg import Lake
from clearhouse.landing import Landing
from clearhouse.landing.spine import LandingReader
from clearhouse.pipeline.domain import Connection, Dataset, Domain, StreamHop
from clearhouse.pipeline.export_files import ExportSpine
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.runner import Progress, Silent
from clearhouse.pipeline.standing import Judge
from clearhouse.quality.alerts import Alerter
from clearhouse.quality.gates import Gates
from clearhouse.settings import Settings
from clearhouse.store.quarantine import Quarantine, QuarantinedRow


@dataclass(frozen=True)
class Versions:
    """What the outcome of each stage depends on beside its input.

    Attributes:
        reading: the books' reading of landed lines.
        gates: by the name of the gate.
    """

    reading: str
    bronze: str
    silver: str
    gold: str
    published: str
    gates: Mapping[str, str]


@dataclass(frozen=True)
class OpenDataset:
    """A dataset with its contract, its hops, what its stages depend on, and what must be visible.

    Attributes:
        exports: the files at EXPORT_URL by the name of their hop; none where it is not set.
        id: `<domain>.<name>`: name of the contract, of the bronze table, and of what is published.
    """

    declared: Dataset
    contract: Contract
    reader: LandingReader
    names: HopNames
    hops: Mapping[str, Hop]
    versions: Versions
    judge: Judge
    exports: Mapping[str, ExportSpine] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """See the class."""
        return self.contract.id

    @property
    def parts_after_id(self) -> int:
        """How many parts of a record's key come after the source's id, by which people ask."""
        return self.contract.parts_after(self.declared.id_column)

    def shown_key(self, record_key: str) -> str:
        """A record's key as people are shown it; "" where nothing of it can be read."""
        is_read = self.contract.without_ordinal(record_key).strip("|")
        return record_key.strip("|") if is_read else ""

    @property
    def bronze(self) -> str:
        """The relation under which the engine is shown bronze."""
        return "bronze." + self.id.replace(".", "_")


@dataclass
class Run:
    """The parts that the steps of one run of one domain stand on.

    Attributes:
        streams: the domain's hops that its services fill.
        connections: by source name; none where nothing is to be pulled.
        refresh: pull days again that have landed.
        unknown_values: records by field and value, of values that an open enumeration lacks.
        release_reason: of the release that this run carries out; "" for none.
        prepares: whether what later steps need is imported while the source is waited for.
        only: names of the datasets that steps work on; all where there are none.
        follows: days are pulled from where they have landed, and not whole.
    """

    domain: Domain
    settings: Settings
    run_id: str
    datasets: tuple[OpenDataset, ...]
    landing: Landing
    lake: Lake
    engine: Engine
    books: Books
    journal: Journal
    publications: Publications
    certificates: Certificates
    decisions: Decisions
    quarantine: Quarantine
    gates: Gates
    alerter: Alerter
    dbt: DbtProject
    streams: Sequence[StreamHop] = ()
    connections: Mapping[str, Connection] = field(default_factory=dict)
    refresh: bool = False
    prepares: bool = True
    only: tuple[str, ...] = ()
    follows: bool = False
    progress: Progress = field(default_factory=Silent)
    unknown_values: Counter[tuple[str, str]] = field(default_factory=Counter)
    release_reason: str = ""

    @property
    def name(self) -> str:
        """The domain's name."""
        return self.domain.name

    @property
    def chosen(self) -> tuple[OpenDataset, ...]:
        """The datasets that steps work on."""
        return tuple(d for d in self.datasets if not self.only or d.declared.name in self.only)

    def called(self, dataset: OpenDataset) -> str:
        """How sentences name a dataset: not at all where it is the only one."""
        return dataset.declared.name if len(self.datasets) > 1 else ""

    def advance(self, dataset: OpenDataset, days: int) -> None:
        """So many days more of a dataset are done: of several, those of the first are told."""
        if dataset is self.chosen[0]:
            self.progress.advance(days)

    @property
    def hops(self) -> list[Hop]:
        """All hops, in order."""
        ours = [hop for dataset in self.datasets for hop in dataset.hops.values()]
        return [*(stream.hop for stream in self.streams), *ours]

    def dataset(self, name: str | None = None) -> OpenDataset:
        """A dataset by its id; without one, the first."""
        return next(d for d in self.datasets if name in (None, d.id))

    def quarantined(self, wanted: str) -> list[QuarantinedRow]:
        """The domain's quarantined rows of a record id, a key or the source's own id."""
        return [
            row
            for dataset in self.datasets
            for row in self.quarantine.find(dataset.id, wanted, dataset.parts_after_id)
        ]

    def entries(self, hop: str, days: Sequence[dt.date]) -> dict[dt.date, Entry]:
        """The current entry of a hop for each of the days whose work came to its end."""
        return {
            e.key.book_date: e
            for e in self.books.current(self.name, hop, days)
            if e.status not in (Status.OPEN, Status.FAILED)
        }

    def as_sealed(self, hop: str, keys: Mapping[dt.date, EntryKey]) -> dict[dt.date, EntryKey]:
        """The keys, and of closed days those that were sealed, if made from the same input.

        A closed day is not made again by a later contract, model or release of this program.
        """
        closed = self.certificates.closed_days(self.name)
        sealed = {d: e.key for d, e in self.entries(hop, [d for d in keys if d in closed]).items()}
        return {
            day: sealed[day] if day in sealed and sealed[day].input_hash == key.input_hash else key
            for day, key in keys.items()
        }
