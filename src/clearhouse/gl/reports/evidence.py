"""What the books say of the days on which a period's lines were recorded."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from clearhouse.books.certificate import Certificates
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, Side, Status
from clearhouse.books.publications import Publications

DOMAIN = "gl"
DATASET = "gl.lines"
_READERS = "gold → readers"


@dataclass(frozen=True, slots=True)
class Day:
    """A day in the books.

    Attributes:
        hops: entries of the day's lines; `balanced`: those of them that balance.
        records, amount: what readers see, as the books measured it; USD.
        entry_id: of the published lines; "" where none are.
        seal: SHA-256 of the closing certificate; "" where the day is not closed.
    """

    hops: int
    balanced: int
    records: int
    amount: Decimal
    entry_id: str
    seal: str


@dataclass(frozen=True)
class Evidence:
    """What the books hold for the days of a period.

    Attributes:
        publication: the number of the publication that readers see.
        chain: every break in the chain of certificates, in words.
    """

    publication: int
    days: Mapping[dt.date, Day]
    chain: tuple[str, ...] = ()


def evidence_of(database: sa.Engine, days: Collection[dt.date]) -> Evidence:
    """The books' evidence for some days.

    Args:
        database: where the books are.
        days: on which lines were recorded.
    """
    entries: dict[dt.date, list[Entry]] = {day: [] for day in days}
    for entry in Books(database).current(DOMAIN, days=sorted(days)):
        if "prices" not in entry.key.hop:
            entries[entry.key.book_date].append(entry)
    certificates = Certificates(database)
    seals = {day: each.seal for day, each in certificates.closed(DOMAIN).items()}
    publications = Publications(database)
    pointers = publications.pointers(DATASET)
    return Evidence(
        publications.latest(DOMAIN),
        {day: _day(entries[day], pointers.get(day, ""), seals.get(day, "")) for day in days},
        tuple(certificates.verify_chain(DOMAIN)),
    )


def _day(entries: list[Entry], entry_id: str, seal: str) -> Day:
    shown = next((e for e in entries if e.key.hop.endswith(_READERS)), None)
    out = shown.totals.get(Side.OUT) if shown else None
    return Day(
        hops=len(entries),
        balanced=sum(e.status is Status.BALANCED for e in entries),
        records=out.records if out else 0,
        amount=Decimal(out["minor:USD"]).scaleb(-2) if out else Decimal(0),
        entry_id=entry_id,
        seal=seal,
    )
