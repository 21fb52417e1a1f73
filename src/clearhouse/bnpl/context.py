"""What the BNPL steps work with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from clearhouse.bnpl.data_patterns import DataPattern
from clearhouse.books.certificate import Certificates
from clearhouse.books.decisions import Decisions
from clearhouse.books.hop import Hop
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, EntryKey, Status
from clearhouse.core.contract import Contract
from clearhouse.core.http import HttpPolicy
from clearhouse.pipeline.runner import Progress, Silent
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.lake.iceberg import Lake
from clearhouse.landing import Landing
from clearhouse.landing.spine import LandingReader
from clearhouse.quality.alerts import Alerter
from clearhouse.quality.gates import Gates
from clearhouse.store.quarantine import Quarantine

DOMAIN = "bnpl"
SOURCE = "simtom"
DATASET = "bnpl.transactions"
"""Name of the contract, of the bronze table, and of what readers are given."""

SOURCE_TO_LANDING = "source → landing"
LANDING_TO_BRONZE = "landing → bronze"
BRONZE_TO_SILVER = "bronze → silver"
SILVER_TO_GOLD = "silver → gold"
GOLD_TO_READERS = "gold → readers"

RAW_GATE = "raw_schema_gate"
BUSINESS_GATE = "daily_quality_gate"


@dataclass(frozen=True)
class CodeHashes:
    """What the outcome of each stage depends on beside its input.

    Attributes:
        reading: the books' reading of landed lines.
    """

    reading: str
    bronze: str
    silver: str
    gold: str
    published: str
    gates: str


@dataclass
class Bnpl:
    """The parts that a BNPL run stands on.

    Attributes:
        connect: gives the URL of the simtom to pull from; None where nothing is to be pulled.
        source_identity: what the source is called in the books: its URL, or the sandbox's seed.
        ask_by: one request a day, or one for the whole window. simtom answers the two with
            different records, so a warehouse keeps to one.
        refresh: pull days again that have landed.
    """

    run_id: str
    contract: Contract
    landing: Landing
    reader: LandingReader
    lake: Lake
    engine: DuckDBEngine
    books: Books
    certificates: Certificates
    decisions: Decisions
    quarantine: Quarantine
    gates: Gates
    alerter: Alerter
    dbt: DbtProject
    pattern: DataPattern
    code: CodeHashes
    hops: Mapping[str, Hop]
    connect: Callable[[], str] | None
    source_identity: str
    ask_by: Literal["day", "range"] = "day"
    policy: HttpPolicy = field(default_factory=HttpPolicy)
    refresh: bool = False
    progress: Progress = field(default_factory=Silent)

    def entries(self, hop: str, days: Sequence[date]) -> dict[date, Entry]:
        """The current entry of a hop for each of the days whose work came to its end."""
        return {
            e.key.book_date: e
            for e in self.books.current(DOMAIN, hop, days)
            if e.status not in (Status.OPEN, Status.FAILED)
        }

    def as_sealed(self, hop: str, keys: Mapping[date, EntryKey]) -> dict[date, EntryKey]:
        """The keys, and of closed days those that were sealed, if made from the same input.

        A closed day is not made again by a later contract, model or release of this program.
        """
        closed = self.certificates.closed(DOMAIN)
        sealed = {d: e.key for d, e in self.entries(hop, [d for d in keys if d in closed]).items()}
        return {
            day: sealed[day] if day in sealed and sealed[day].input_hash == key.input_hash else key
            for day, key in keys.items()
        }
