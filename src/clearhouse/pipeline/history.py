"""When each day was landed, balanced, audited, verified and closed, and how soon that was."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from clearhouse.books.audit import Audit
from clearhouse.books.ledger import Audited
from clearhouse.books.model import Entry, Side, Status, Totals
from clearhouse.books.schema import (
    audit_table,
    certificate_table,
    entry_table,
    event_table,
    verified_table,
)
from clearhouse.pipeline.context import Run

WITHIN_DAYS = (1, 2, 7)
"""How soon after its landing a day was looked at."""
LOOKS = ("audited", "verified")
"""The ways of looking at it: its totals and digests measured again, every field derived again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened, and by which run."""

    at: dt.datetime
    run_id: str


_Look = tuple[dt.date, dt.date, Moment]
"""The first and the last of the days that were looked at, and when."""


@dataclass
class DayHistory:
    """What happened to a day. What did not happen is not there.

    Attributes:
        moments: `landed` (all of it), `balanced` (every certified hop, for the first time),
            `audited` and `verified` (for the first time since it landed) and `closed` (as it is
            closed now).
        totals: what landed.
    """

    moments: dict[str, Moment] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)


def audited_of(run: Run, days: Sequence[dt.date], audit: Audit) -> Audited:
    """What an audit of some days looked at, for the books."""
    landed = _landed(run, audit.entries)
    amounts = json.dumps(dict(landed.amounts()), sort_keys=True)
    entries = len(audit.entries)
    return Audited(run.name, min(days), max(days), entries, landed.records, amounts)


def history(run: Run, days: Sequence[dt.date]) -> dict[dt.date, DayHistory]:
    """The history of each of the days."""
    first = _first_balanced(run)
    landing = [hop for dataset in run.datasets for hop in dataset.names.landed.values()]
    certified = [hop.name for hop in run.hops if hop.certified]
    closed = _closed(run)
    entries = run.books.current(run.name)
    looks = {"audited": _audits(run), "verified": _verifications(run)}
    found: dict[dt.date, DayHistory] = {}
    for day in days:
        of_day = DayHistory(totals=_landed(run, [e for e in entries if e.key.book_date == day]))
        moments: dict[str, Moment | None] = {
            "landed": _last([first.get((hop, day)) for hop in landing]),
            "balanced": _last([first.get((hop, day)) for hop in certified]),
        }
        for look, made in looks.items():
            moments[look] = _first_since(moments["landed"], day, made)
        moments["closed"] = closed.get(day)
        of_day.moments = {what: moment for what, moment in moments.items() if moment}
        found[day] = of_day
    return found


def looked_at_within(found: Mapping[dt.date, DayHistory], look: str, days: int) -> Totals:
    """Records and money of what was audited, or verified, within so many days of its landing."""
    return sum((each.totals for each in found.values() if _is_within(each, look, days)), Totals())


def _is_within(each: DayHistory, look: str, days: int) -> bool:
    landed, looked = each.moments.get("landed"), each.moments.get(look)
    return bool(landed and looked and looked.at - landed.at <= dt.timedelta(days=days))


def _first_since(landed: Moment | None, day: dt.date, made: Iterable[_Look]) -> Moment | None:
    """The first look at a day since it landed."""
    since = (look for first, last, look in made if landed and first <= day <= last)
    return next((look for look in since if landed and look.at >= landed.at), None)


def _landed(run: Run, entries: Iterable[Entry]) -> Totals:
    hops = {hop for dataset in run.datasets for hop in dataset.names.landed.values()}
    return sum((e.totals.get(Side.OUT, Totals()) for e in entries if e.key.hop in hops), Totals())


def _last(moments: Sequence[Moment | None]) -> Moment | None:
    """The last of them, if none is missing."""
    known = [moment for moment in moments if moment is not None]
    return max(known, key=lambda moment: moment.at) if len(known) == len(moments) else None


def _first_balanced(run: Run) -> dict[tuple[str, dt.date], Moment]:
    """By hop and day, when it balanced for the first time."""
    joined = event_table.join(entry_table, event_table.c.entry_id == entry_table.c.entry_id)
    statement = (
        sa.select(
            entry_table.c.hop, entry_table.c.book_date, event_table.c.at, event_table.c.run_id
        )
        .select_from(joined)
        .where((entry_table.c.domain == run.name) & (event_table.c.status == Status.BALANCED))
        .order_by(event_table.c.seq)
    )
    found: dict[tuple[str, dt.date], Moment] = {}
    with run.books.engine.connect() as connection:
        for row in connection.execute(statement):
            found.setdefault((row.hop, row.book_date), Moment(row.at, row.run_id))
    return found


def _closed(run: Run) -> dict[dt.date, Moment]:
    days = run.certificates.closed_days(run.name)
    table = certificate_table
    statement = sa.select(table).where(table.c.domain == run.name).order_by(table.c.seq)
    with run.books.engine.connect() as connection:
        rows = connection.execute(statement).all()
    return {r.book_date: Moment(r.closed_at, r.run_id) for r in rows if r.book_date in days}


def _audits(run: Run) -> list[_Look]:
    table = audit_table
    statement = sa.select(table).where(table.c.domain == run.name).order_by(table.c.seq)
    with run.books.engine.connect() as connection:
        return [
            (row.first_day, row.last_day, Moment(row.at, row.run_id))
            for row in connection.execute(statement)
        ]


def _verifications(run: Run) -> list[_Look]:
    """By day; one that could not be derived was not verified."""
    table = verified_table
    derived = (table.c.domain == run.name) & table.c.findings.is_not(None)
    statement = sa.select(table).where(derived).order_by(table.c.at)
    with run.books.engine.connect() as connection:
        return [
            (row.book_date, row.book_date, Moment(row.at, row.run_id))
            for row in connection.execute(statement)
        ]
