"""Periods in the store: their changes of state, with a certificate of what a closed one held."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.journal import LEDGER, Violation
from clearhouse.gl.periods import (
    CLOSES_ON_DAY,
    Change,
    Period,
    Request,
    Status,
    month_of,
    refusals,
    status_after,
)
from clearhouse.gl.service import tables
from clearhouse.gl.service.errors import NotFoundError, PeriodRefusedError
from clearhouse.gl.service.recorder import add_periods, periods_of, state_of
from clearhouse.gl.service.year_end import SERVICE, close_rest_of_year, ends_year, result_accounts

_CALENDAR = "CALENDAR"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a period held when it was closed.

    Attributes:
        digest: SHA-256 of its trial balance.
    """

    entries: int
    lines: int
    debit_minor: int
    digest: str


def change_period(
    connection: sa.Connection, request: Request, name: str, at: dt.datetime
) -> Period:
    """Change the state of a period, and write down who did so.

    Raises:
        NotFoundError: there is no such period.
        PeriodRefusedError: the rules of the close do not allow it, or what it holds does not.
    """
    state_of(connection, for_update=True)  # no entry is recorded meanwhile
    periods = periods_of(connection)
    period = next((each for each in periods if each.name == name), None)
    if period is None:
        raise NotFoundError(f"The ledger has no period {name}.", "unknown_period")
    found = refusals(request, name, periods)
    if not found and request.change is Change.CLOSE:
        if ends_year(period):
            close_rest_of_year(connection, period, _approver(request), at)
        found = list(findings(connection, period))
    if found:
        raise PeriodRefusedError(found)
    status = status_after(request.change)
    p = tables.period
    where = (p.c.ledger == LEDGER) & (p.c.fiscal_period == name)
    connection.execute(sa.update(p).where(where).values(status=status))
    if request.change is Change.REOPEN:
        _void_certificates(connection, [e.name for e in periods if e.ordinal >= period.ordinal])
    _note(connection, request, period, status, at)
    return Period(period.name, period.ordinal, period.first_day, period.last_day, status)


def _approver(request: Request) -> str:
    """Who approves the entries by which a period is closed; the service prepares them."""
    return _CALENDAR if request.asked_by == SERVICE else request.asked_by


def advance(connection: sa.Connection, day: dt.date, at: dt.datetime) -> None:
    """Do what is due on a day: open its period, soft-close the one before, close one in time.

    What a person has opened again is left open until the next day on which something is due.
    """
    name, first, last = month_of(day)
    add_periods(connection, last + dt.timedelta(days=1))  # the next one too, as a future one
    for period in periods_of(connection):
        if period.name <= name and period.status is Status.FUTURE:
            _by_itself(connection, Change.OPEN, period.name, at)
    before = [period for period in periods_of(connection) if period.name < name]
    if day.day < CLOSES_ON_DAY:
        _soft_close(connection, [p for p in before if p.status is Status.OPEN], first, at)
    elif day.day == CLOSES_ON_DAY:
        for period in before:
            is_open = period.status in (Status.OPEN, Status.SOFT_CLOSED)
            if is_open and not _is_opened_again(connection, period, day):
                _close_if_whole(connection, period, at)


def _soft_close(
    connection: sa.Connection, periods: list[Period], month: dt.date, at: dt.datetime
) -> None:
    """Soft-close periods in their order, up to one that was opened again since a month began."""
    for period in periods:
        if _is_opened_again(connection, period, month):
            return
        _by_itself(connection, Change.SOFT_CLOSE, period.name, at)


def _is_opened_again(connection: sa.Connection, period: Period, since: dt.date) -> bool:
    """Whether a person has opened a period again since the beginning of a day."""
    e = tables.period_event.c
    reopened = (e.ledger == LEDGER) & (e.fiscal_period == period.name) & (e.change == Change.REOPEN)
    lately = e.at >= dt.datetime.combine(since, dt.time())
    return connection.scalar(sa.select(e.event_id).where(reopened & lately).limit(1)) is not None


def _by_itself(connection: sa.Connection, change: Change, name: str, at: dt.datetime) -> None:
    change_period(
        connection, Request(change, at.date(), SERVICE, SERVICE, "by the calendar"), name, at
    )


def _close_if_whole(connection: sa.Connection, period: Period, at: dt.datetime) -> None:
    """Close a period, or leave it to people where something is found in it."""
    try:
        with connection.begin_nested():  # what was posted to close it goes too where it is refused
            _by_itself(connection, Change.CLOSE, period.name, at)
    except PeriodRefusedError as refused:
        codes = [each.code for each in refused.violations]
        _log.warning("period_stays_open", fiscal_period=period.name, findings=codes)


def findings(connection: sa.Connection, period: Period) -> Iterator[Violation]:
    """What keeps a period from being closed."""
    last, entries, highest = _numbers(connection, period)
    if not last == entries == highest:
        sentence = f"{entries} entries have numbers up to {highest}, and {last} were given."
        yield Violation("numbers_with_gaps", sentence, "period")
    line = tables.line.c
    within = (line.fiscal_period == period.name) & line.posting_date.between(
        period.first_day, period.last_day
    )
    controls = [code for code, account in chart_of_accounts().items() if account.control]
    no_holder = line.document.is_(None) & line.account_code.in_(controls)
    row: Any = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(line.debit_minor), 0),
            sa.func.coalesce(sa.func.sum(line.credit_minor), 0),
            sa.func.coalesce(sa.func.sum(sa.case((no_holder, 1), else_=0)), 0),
        ).where(within)
    ).one()
    debit, credit, without_holder = (int(each) for each in row)
    if debit != credit:
        yield Violation("unbalanced", f"Debits less credits: {debit - credit} cents.", "period")
    summed: Any = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(tables.balance.c.debit_minor), 0),
            sa.func.coalesce(sa.func.sum(tables.balance.c.credit_minor), 0),
        ).where(tables.balance.c.fiscal_period == period.name)
    ).one()
    if tuple(int(each) for each in summed) != (debit, credit):
        yield Violation(
            "balances_differ", "The sums by account are not those of the lines.", "period"
        )
    if ends_year(period) and (result := _result_of_year(connection, period)):
        sentence = f"Revenue and expense of the year sum to {result} cents, and not to 0."
        yield Violation("year_not_closed", sentence, "period")
    if without_holder:
        sentence = f"{without_holder} lines on control accounts have no document."
        yield Violation("control_without_subledger", sentence, "period")


def certificate_of(connection: sa.Connection, period: Period) -> Certificate:
    """What a period holds now."""
    e = tables.entry.c
    row: Any = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(e.lines), 0),
            sa.func.coalesce(sa.func.sum(e.debit_minor), 0),
        ).where((e.ledger == LEDGER) & (e.fiscal_period == period.name))
    ).one()
    entries, lines, debit = row
    b = tables.balance.c
    balances: Any = connection.execute(
        sa.select(b.account_code, sa.func.sum(b.debit_minor), sa.func.sum(b.credit_minor))
        .where((b.ledger == LEDGER) & (b.fiscal_period == period.name))
        .group_by(b.account_code)
        .order_by(b.account_code)
    )
    text = "\n".join(f"{code} {int(dr)} {int(cr)}" for code, dr, cr in balances)
    digest = hashlib.sha256(f"{period.name}\n{text}".encode()).hexdigest()
    return Certificate(int(entries), int(lines), int(debit), digest)


def events_of(connection: sa.Connection, name: str) -> list[dict[str, Any]]:
    """What was done with a period, in order."""
    t = tables.period_event
    statement = (
        sa.select(t)
        .where((t.c.ledger == LEDGER) & (t.c.fiscal_period == name))
        .order_by(t.c.event_id)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def _result_of_year(connection: sa.Connection, period: Period) -> int:
    """What the closing entries of the year ended by a period have left, in cents."""
    b = tables.balance.c
    total = sa.func.sum(b.debit_minor - b.credit_minor)
    statement = sa.select(total).where(
        (b.ledger == LEDGER)
        & (b.fiscal_period <= period.name)
        & b.account_code.in_(result_accounts())
    )
    return int(connection.scalar(statement) or 0)


def _numbers(connection: sa.Connection, period: Period) -> tuple[int, int, int]:
    """The last number given, how many entries there are, and the highest number among them."""
    p, e = tables.period.c, tables.entry.c
    last = connection.scalar(
        sa.select(p.last_number).where((p.ledger == LEDGER) & (p.fiscal_period == period.name))
    )
    row: Any = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(e.entry_number), 0)).where(
            (e.ledger == LEDGER) & (e.fiscal_period == period.name)
        )
    ).one()
    return last or 0, row[0], row[1]


def _void_certificates(connection: sa.Connection, names: list[str]) -> None:
    t = tables.period_event
    where = (t.c.ledger == LEDGER) & t.c.fiscal_period.in_(names) & t.c.digest.is_not(None)
    connection.execute(sa.update(t).where(where).values(voided=True))


def _note(
    connection: sa.Connection, request: Request, period: Period, status: Status, at: dt.datetime
) -> None:
    sealed = certificate_of(connection, period) if request.change is Change.CLOSE else None
    connection.execute(
        sa.insert(tables.period_event).values(
            ledger=LEDGER,
            fiscal_period=period.name,
            change=request.change,
            status=status,
            asked_by=request.asked_by,
            approved_by=request.approved_by,
            reason=request.reason,
            at=at,
            entries=sealed.entries if sealed else None,
            lines=sealed.lines if sealed else None,
            debit_minor=sealed.debit_minor if sealed else None,
            digest=sealed.digest if sealed else None,
            voided=False,
        )
    )
