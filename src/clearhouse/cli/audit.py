"""`books`: all that the books hold, measured again."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.markup import escape

from clearhouse.books.audit import Audit
from clearhouse.books.journal import Head
from clearhouse.books.ledger import Found
from clearhouse.books.model import Status
from clearhouse.cli import balance
from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out
from clearhouse.cli.history import show_history
from clearhouse.cli.options import (
    DomainOption,
    FirstBookDate,
    JsonFlag,
    LastBookDate,
    bounds,
)
from clearhouse.cli.progress import under_way
from clearhouse.cli.stores import asked_for, opened_to_audit
from clearhouse.cli.words import counted, span
from clearhouse.core.errors import ExitCode
from clearhouse.domains import DOMAINS
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.history import DayHistory, audited_of, history
from clearhouse.pipeline.journal import check_books

_BOOKS = "books"
"""The hop under which is kept what was done to the books themselves."""


def books(
    domain: DomainOption = None,
    first: FirstBookDate = None,
    last: LastBookDate = None,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH:HASH", help="A head of the journal that must lead to today's."
        ),
    ] = None,
    shows_history: Annotated[
        bool,
        typer.Option(
            "--history", help="When each day was landed, balanced, audited, verified, closed."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Every entry, measured again in the stores; what does not hold is named, record by record."""
    begin, end = bounds(first, last)
    kept = Head.parse(head) if head is not None else None
    if shows_history:
        show_history(_histories(domain, begin, end), as_json=as_json)
        return
    found = list(_audits(domain, begin, end, kept))
    edited = list(dict.fromkeys(line for each in found for line in each.edited))
    broken = [line for each in found for line in each.broken]
    to = err if as_json else out
    if as_json:
        print(json.dumps(_as_data(found)))
        for finding in (finding for each in found for finding in each.audited.findings):
            for line in reports.finding_lines(finding):
                typer.echo(line, err=True)
    for each in found:
        if each.audited.entries and not as_json:
            balance.show_entries(each.domain, each.audited, each.decisions)
            balance.show_trial_balance(each.audited)
            reports.show_findings(each.audited)
        if not each.days and not edited:
            to.print(nothing_there(each.known, begin, end), soft_wrap=True)
    reports.show_broken_chain(broken, to)
    for line in edited:
        to.print(f"[red]{_BOOKS}, {escape(line)}[/]", soft_wrap=True)
    if not as_json:
        reports.show_journal(found[-1].journal)
    if not all(each.is_kept for each in found):
        to.print("This home can't be written: this audit is not kept in the books.", soft_wrap=True)
    if broken or edited or any(each.audited.findings for each in found):
        leave(ExitCode.UNBALANCED)
    held = any(e.status is Status.HELD for each in found for e in each.audited.entries)
    leave(ExitCode.HELD if held else ExitCode.DONE)


@dataclass(frozen=True)
class _Audited:
    """What the audit of a domain came to.

    Attributes:
        known: all days of the domain.
        days: those that were asked for.
        broken: where its chain of certificates is broken.
        edited: rows of the books that are not as they were written.
        journal: its head after the audit.
        is_kept: whether the books could record the audit.
    """

    domain: str
    known: list[dt.date]
    days: list[dt.date]
    audited: Audit
    decisions: balance.Decisions
    broken: list[str]
    edited: list[str]
    journal: Head
    is_kept: bool


def _audits(
    domain: str | None, begin: dt.date | None, end: dt.date | None, kept: Head | None
) -> Iterator[_Audited]:
    """The audits of the domain that was asked for, or of all that the books hold."""
    names = [domain] if domain is not None else list(DOMAINS)
    held: list[str] | None = [domain] if domain is not None else None
    for name in names:
        if held is not None and name not in held:
            continue
        with opened_to_audit(name) as (run, can_write):
            held = held or asked_for(None, run)
            if name not in held:
                continue
            with under_way(f"measuring every store of {name} again"):
                edited = check_books(run, kept)
                known, audited, decisions, broken = _measured(run, begin, end, edited)
            days = _within(known, begin, end)
            if days and can_write:
                found = _found(audited, broken, edited)
                run.books.add_audit(audited_of(run, days, audited), found, run.run_id)
            head = run.journal.head()
        yield _Audited(
            name, known, days, audited, decisions, broken, edited, head, is_kept=can_write
        )


def _histories(
    domain: str | None, begin: dt.date | None, end: dt.date | None
) -> dict[str, Mapping[dt.date, DayHistory]]:
    """By domain, what happened to each day."""
    found: dict[str, Mapping[dt.date, DayHistory]] = {}
    names = [domain] if domain is not None else list(DOMAINS)
    for name in names:
        with opened_to_audit(name) as (run, _):
            if name in asked_for(domain, run):
                found[name] = history(run, _within(run.books.days(name), begin, end))
    return found


def _as_data(found: Sequence[_Audited]) -> dict[str, Any]:
    """Audits for a program."""
    entries = [
        entry
        for each in found
        for entry in reports.entries_as_data(
            each.audited.entries,
            {entry_id: balance.releases(made) for entry_id, made in each.decisions.items()},
        )
    ]
    texts = [t for each in found for _, _, t in _found(each.audited, each.broken, each.edited)]
    findings = list(dict.fromkeys(texts))
    return {"journal": str(found[-1].journal), "entries": entries, "findings": findings}


def _measured(
    run: Run, begin: dt.date | None, end: dt.date | None, edited: list[str]
) -> tuple[list[dt.date], Audit, balance.Decisions, list[str]]:
    """All days of the books, those asked for measured again, what was decided of them, and where
    the chain of certificates is broken. Of books that were edited to nonsense: nothing.
    """
    try:
        known = run.books.days(run.name)
        audited = audit_days(run, _within(known, begin, end))
        decisions = run.decisions.of_many([e.entry_id for e in audited.entries])
        return known, audited, decisions, run.certificates.verify_chain(run.name)
    except (ValueError, LookupError):
        if not edited:
            raise
        edited.append("no store was measured, since the books can't be read as they are")
        return [], Audit((), ()), {}, []


def _within(days: Sequence[dt.date], begin: dt.date | None, end: dt.date | None) -> list[dt.date]:
    return [day for day in days if (begin or day) <= day <= (end or day)]


def nothing_there(known: Sequence[dt.date], begin: dt.date | None, end: dt.date | None) -> str:
    """Why there is nothing to show."""
    if not known:
        return "The books are empty: run `clearhouse demo` or `clearhouse run` first."
    asked = " ".join([*([f"from {begin}"] if begin else []), *([f"up to {end}"] if end else [])])
    return (
        f"There are no entries {asked}: the books hold {counted(len(known), 'day')}, {span(known)}."
    )


def _found(audited: Audit, broken: Sequence[str], edited: Sequence[str]) -> list[Found]:
    """All that an audit found."""
    return [
        *(
            (f.entry.key.hop, f.entry.key.book_date, line)
            for f in audited.findings
            for line in reports.finding_lines(f)
        ),
        *(("certificates", None, line) for line in broken),
        *((_BOOKS, None, line) for line in edited),
    ]
