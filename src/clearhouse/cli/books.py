"""`books`, `close`, `reopen`, `publications`, `rollback` and `trace`."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from clearhouse.books.audit import Audit
from clearhouse.books.model import Status
from clearhouse.cli import balance
from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.options import (
    DEFAULT_DOMAIN,
    BookDate,
    DomainArgument,
    DomainOption,
    JsonFlag,
    Reason,
    given_reason,
)
from clearhouse.cli.progress import under_way
from clearhouse.cli.quarantine import row_as_data
from clearhouse.cli.stores import opened, opened_alone
from clearhouse.cli.tracing import show_trace
from clearhouse.cli.words import counted, span
from clearhouse.core.errors import ExitCode, UsageError
from clearhouse.core.window import parse_day
from clearhouse.domains import domain_of
from clearhouse.pipeline.certificate_files import certificate_file, write_certificates
from clearhouse.pipeline.close import audit_days, close_day, near
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.rollback import rollback as roll_back
from clearhouse.pipeline.trace import trace


def books(
    domain: DomainOption = DEFAULT_DOMAIN,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First book date, YYYY-MM-DD.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last book date, YYYY-MM-DD.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Every entry, measured again in the stores; what does not hold is named, record by record."""
    domain_of(domain)
    begin, end = bounds(first, last)
    config = settings_of_stores()
    with opened_alone(config, domain) as run, under_way("measuring every store again"):
        known = run.books.days(domain)
        days = [d for d in known if (begin or d) <= d <= (end or d)]
        audited = audit_days(run, days)
        decisions = run.decisions.of_many([e.entry_id for e in audited.entries])
        broken = run.certificates.verify_chain(domain)
        _keep_findings(run, audited, broken)
    if as_json:
        released = {entry_id: balance.releases(made) for entry_id, made in decisions.items()}
        print(json.dumps(reports.entries_as_data(audited.entries, released)))
        for finding in audited.findings:
            for line in reports.finding_lines(finding):
                typer.echo(line, err=True)
    elif audited.entries:
        balance.show_entries(domain, audited, decisions)
        balance.show_trial_balance(audited)
        reports.show_findings(audited)
    if not days:
        (err if as_json else out).print(nothing_there(known, begin, end), soft_wrap=True)
    reports.show_broken_chain(broken, err if as_json else out)
    if audited.findings or broken:
        leave(ExitCode.UNBALANCED)
    held = any(e.status is Status.HELD for e in audited.entries)
    leave(ExitCode.HELD if held else ExitCode.DONE)


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


def _keep_findings(run: Run, audited: Audit, broken: Sequence[str]) -> None:
    """Keep in the books what was found."""
    found: list[tuple[str, dt.date | None, str]] = [
        (f.entry.key.hop, f.entry.key.book_date, line)
        for f in audited.findings
        for line in reports.finding_lines(f)
    ]
    found += [("certificates", None, line) for line in broken]
    run.books.add_findings(run.name, found, run.run_id)


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
        write_certificates(run)
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
        reopened = run.certificates.reopen(domain, book_date, why, run.run_id)
        write_certificates(run)
    if as_json:
        print(json.dumps([{"book_date": str(c.book_date), "seal": c.seal} for c in reopened]))
        return
    days = span([c.book_date for c in reopened])
    seals = "Its seal is" if len(reopened) == 1 else "Their seals are"
    out.print(f"{domain} {days}: open again. {seals} kept, with the reason.")


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
    wanted: Annotated[
        str,
        typer.Argument(metavar="ID", help="The source's id of a record, its record id or its key."),
    ],
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
