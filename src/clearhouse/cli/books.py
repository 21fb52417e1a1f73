"""`books`, `close`, `reopen`, `prove`, `publications`, `rollback` and `trace`."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from clearhouse.books.audit import Audit
from clearhouse.books.journal import Head
from clearhouse.books.ledger import Found
from clearhouse.books.model import Status
from clearhouse.cli import balance
from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.history import show_history
from clearhouse.cli.options import (
    DEFAULT_DOMAIN,
    BookDate,
    DomainArgument,
    DomainOption,
    FirstBookDate,
    JsonFlag,
    LastBookDate,
    Reason,
    given_reason,
)
from clearhouse.cli.progress import under_way
from clearhouse.cli.quarantine import row_as_data
from clearhouse.cli.stores import opened, opened_alone, opened_to_audit
from clearhouse.cli.tracing import show_trace
from clearhouse.cli.words import counted, span
from clearhouse.core.errors import ExitCode, UsageError
from clearhouse.core.paths import near
from clearhouse.core.window import parse_day
from clearhouse.domains import domain_of
from clearhouse.pipeline.certificate_files import certificate_file
from clearhouse.pipeline.close import audit_days, close_day, reopen_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.history import audited_of, history
from clearhouse.pipeline.journal import check_books, keep_head
from clearhouse.pipeline.prove import proof
from clearhouse.pipeline.rollback import rollback as roll_back
from clearhouse.pipeline.trace import trace

RecordArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The source's id of a record, its record id or its key.")
]
_BOOKS = "books"
"""The hop under which is kept what was done to the books themselves."""


def books(
    domain: DomainOption = DEFAULT_DOMAIN,
    first: FirstBookDate = None,
    last: LastBookDate = None,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH:HASH", help="A head of the journal that must lead to today's."
        ),
    ] = None,
    shows_history: Annotated[
        bool, typer.Option("--history", help="When each day was landed, balanced, audited, closed.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Every entry, measured again in the stores; what does not hold is named, record by record."""
    domain_of(domain)
    begin, end = bounds(first, last)
    kept = Head.parse(head) if head is not None else None
    with opened_to_audit(domain) as (run, can_write):
        if shows_history:
            days = _within(run.books.days(domain), begin, end)
            show_history(history(run, days), as_json=as_json)
            return
        with under_way("measuring every store again"):
            edited = check_books(run, kept)
            known, audited, decisions, broken = _measured(run, begin, end, edited)
        days = _within(known, begin, end)
        if days and can_write:
            found = _found(audited, broken, edited)
            run.books.add_audit(audited_of(run, days, audited), found, run.run_id)
        journal = run.journal.head()
    to = err if as_json else out
    if as_json:
        released = {entry_id: balance.releases(made) for entry_id, made in decisions.items()}
        entries = reports.entries_as_data(audited.entries, released)
        findings = [text for _, _, text in _found(audited, broken, edited)]
        print(json.dumps({"journal": str(journal), "entries": entries, "findings": findings}))
        for finding in audited.findings:
            for line in reports.finding_lines(finding):
                typer.echo(line, err=True)
    elif audited.entries:
        balance.show_entries(domain, audited, decisions)
        balance.show_trial_balance(audited)
        reports.show_findings(audited)
    if not days and not edited:
        to.print(nothing_there(known, begin, end), soft_wrap=True)
    reports.show_broken_chain(broken, to)
    for line in edited:
        to.print(f"[red]{_BOOKS}, {escape(line)}[/]", soft_wrap=True)
    if not as_json:
        reports.show_journal(journal)
    if not can_write:
        to.print("This home can't be written: this audit is not kept in the books.", soft_wrap=True)
    if audited.findings or broken or edited:
        leave(ExitCode.UNBALANCED)
    held = any(e.status is Status.HELD for e in audited.entries)
    leave(ExitCode.HELD if held else ExitCode.DONE)


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


def bounds(first: str | None, last: str | None) -> tuple[dt.date | None, dt.date | None]:
    """The bounds that were given.

    Raises:
        UsageError: one is no date, or they are the wrong way round.
    """
    begin = parse_day(first) if first else None
    end = parse_day(last) if last else None
    if begin and end and end < begin:
        raise UsageError(
            f"--to ({end}) lies before --from ({begin}): swap the dates.", "inverted_window"
        )
    return begin, end


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


def close(
    domain: DomainArgument,
    day: BookDate,
    as_json: JsonFlag = False,
) -> None:
    """Seal a day: its totals as a certificate, chained to the closed day before it."""
    book_date = parse_day(day)
    config = settings_of_stores()
    with opened_alone(config, domain) as run, under_way("measuring the day again"):
        closed = close_day(run, book_date, reports.duckdb_command())
        keep_head(run, book_date)
        path = certificate_file(run, closed.certificate)
    if as_json:
        commands = [{"figure": figure, "command": command} for figure, command in closed.commands]
        answer: dict[str, Any] = {
            "seal": closed.certificate.seal,
            "certificate": closed.certificate.content,
            "commands": commands,
        }
        print(json.dumps(answer))
        return
    out.print(f"{domain} {day} is closed. Its certificate, whose SHA-256 is the seal:")
    print(f"{closed.certificate.seal}  {near(str(path))}")
    out.print("\nThe same figures without Clearhouse:")
    for figure, command in closed.commands:
        out.print(f"\n[dim]# {figure}[/]")
        print(command)


def reopen(
    domain: DomainArgument,
    day: BookDate,
    reason: Reason,
    as_json: JsonFlag = False,
) -> None:
    """Open a closed day again, and those after it, whose seals stand on its own."""
    book_date = parse_day(day)
    why = given_reason(reason, "A day is reopened for a reason")
    config = settings_of_stores()
    with opened_alone(config, domain) as run:
        reopened = reopen_days(run, book_date, why)
    if as_json:
        print(json.dumps([{"book_date": str(c.book_date), "seal": c.seal} for c in reopened]))
        return
    days = span([c.book_date for c in reopened])
    seals = "Its seal is" if len(reopened) == 1 else "Their seals are"
    out.print(f"{domain} {days}: open again. {seals} kept, with the reason.")


def prove(
    domain: DomainArgument,
    wanted: RecordArgument,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; else standard output.")
    ] = None,
) -> None:
    """Prove, to who has nothing but verify_proof.py, that a closed day holds a record."""
    config = settings_of_stores()
    with opened_alone(config, domain) as run, under_way("making the proof"):
        text = json.dumps(proof(run, wanted), ensure_ascii=False, indent=1)
    if to is None:
        print(text)
        return
    try:
        to.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{to} can't be written: {error.strerror}.", "not_writable") from error


def publications(domain: DomainArgument, as_json: JsonFlag = False) -> None:
    """The publications of a domain: when readers were shown what, and why."""
    found = opened(settings_of_stores(), domain).publications.history(domain)
    if as_json:
        print(json.dumps([asdict(each) for each in found], default=str))
        return
    for each in found:
        why = f"  {escape(each.reason)}" if each.reason else ""
        days = counted(each.changes, "day")
        moment = f"{each.made_at:%Y-%m-%d %H:%M:%S}"
        out.print(f"{each.number:>6}  {moment}  {each.cause:<8}  {days:>9}{why}", soft_wrap=True)


def rollback(
    domain: DomainArgument,
    number: Annotated[int, typer.Option("--to", metavar="N", help="Number of a publication.")],
    reason: Reason,
) -> None:
    """Show readers an earlier publication again. The next run over its days publishes anew."""
    why = given_reason(reason, "A rollback needs a reason")
    config = settings_of_stores()
    with opened_alone(config, domain) as run, under_way("rolling back"):
        outcome = roll_back(run, number, why)
    days = counted(len(outcome.changed), "day")
    out.print(f"Readers of {domain} see publication {number} again: {days} changed.")
    leave(ExitCode.UNBALANCED if outcome.unbalanced else ExitCode.DONE)


def trace_command(
    wanted: RecordArgument,
    domain: DomainOption = DEFAULT_DOMAIN,
    as_json: JsonFlag = False,
) -> None:
    """One record on one screen: raw line, bronze, silver, gold, and what readers see of it."""
    config = settings_of_stores()
    with opened_alone(config, domain) as run, under_way("looking in every store"):
        found = trace(run, wanted)
    if as_json:
        rows = [row_as_data(t.quarantined) if t.quarantined else None for t in found]
        told = [{**vars(t), "quarantined": row} for t, row in zip(found, rows, strict=True)]
        print(json.dumps(told, default=str))
        return
    for one in found:
        show_trace(one)
