"""`books`, `close`, `reopen` and `trace`: what the books say, measured again."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from clearhouse.bnpl.closing import audit_days, close_day
from clearhouse.bnpl.context import DOMAIN
from clearhouse.bnpl.trace import trace
from clearhouse.cli import balance
from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.options import (
    BookDate,
    DomainArgument,
    DomainOption,
    JsonFlag,
    Reason,
    domain_of,
    given_reason,
)
from clearhouse.cli.progress import under_way
from clearhouse.cli.quarantine import row_as_data
from clearhouse.cli.stores import opened
from clearhouse.cli.tracing import show_trace
from clearhouse.cli.words import counted, span
from clearhouse.books.model import Status
from clearhouse.core.errors import UsageError
from clearhouse.core.lock import only_run
from clearhouse.pipeline.runner import ExitCode
from clearhouse.core.window import parse_day
from clearhouse.settings import Settings
from clearhouse.world import open_bnpl


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("books")(books)
    app.command("close")(close)
    app.command("reopen")(reopen)
    app.command("trace")(trace_command)


def books(
    domain: DomainOption = DOMAIN,
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
    begin, end = _range(first, last)
    config = settings_of_stores()
    with under_way("measuring every store again"):
        bnpl = open_bnpl(config)
        known = sorted({e.key.book_date for e in bnpl.books.current(DOMAIN)})
        days = [d for d in known if (begin or d) <= d <= (end or d)]
        audited = audit_days(bnpl, days)
        decisions = bnpl.decisions.of_many([e.entry_id for e in audited.entries])
        broken = bnpl.certificates.verify_chain(DOMAIN)
    if as_json:
        released = {entry_id: balance.releases(made) for entry_id, made in decisions.items()}
        print(json.dumps(reports.entries_as_data(audited.entries, released)))
        for finding in audited.findings:
            for line in reports.finding_lines(finding):
                typer.echo(line, err=True)
    elif audited.entries:
        balance.show_entries(audited, decisions)
        balance.show_trial_balance(audited)
        reports.show_findings(audited)
    if not days:
        (err if as_json else out).print(_nothing(known, begin, end), soft_wrap=True)
    for line in broken:
        out.print(f"[red]certificate chain, {line}[/]")
    if audited.findings or broken:
        leave(ExitCode.UNBALANCED)
    held = any(e.status is Status.HELD for e in audited.entries)
    leave(ExitCode.HELD if held else ExitCode.DONE)


def _range(first: str | None, last: str | None) -> tuple[dt.date | None, dt.date | None]:
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


def _nothing(known: Sequence[dt.date], begin: dt.date | None, end: dt.date | None) -> str:
    """Why there is nothing to show."""
    if not known:
        return "The books are empty: run `clearhouse demo` or `clearhouse run` first."
    asked = " ".join([*([f"from {begin}"] if begin else []), *([f"up to {end}"] if end else [])])
    return (
        f"There are no entries {asked}: the books hold {counted(len(known), 'day')}, {span(known)}."
    )


def close(
    domain: DomainArgument,
    day: BookDate,
    as_json: JsonFlag = False,
) -> None:
    """Seal a day: its totals as a certificate, chained to the closed day before it."""
    domain_of(domain)
    book_date = parse_day(day)
    config = settings_of_stores()
    with under_way("measuring the day again"):
        closed = close_day(open_bnpl(config), book_date, reports.duckdb_command())
    path = _certificate_file(config, book_date)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(closed.certificate.body, encoding="utf-8")
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
    print(f"{closed.certificate.seal}  {reports.near(path)}")
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
    domain_of(domain)
    book_date = parse_day(day)
    why = given_reason(reason, "A day is reopened for a reason")
    config = settings_of_stores()
    with only_run(config.clearhouse_home):
        reopened = opened(config).certificates.reopen(DOMAIN, book_date, why)
        for certificate in reopened:
            _put_aside(_certificate_file(config, certificate.book_date), certificate.seal)
    if as_json:
        told = [{"book_date": str(c.book_date), "seal": c.seal} for c in reopened]
        print(json.dumps(told))
        return
    days = span([c.book_date for c in reopened])
    seals = "Its seal is" if len(reopened) == 1 else "Their seals are"
    out.print(f"{domain} {days}: open again. {seals} kept, with the reason.")


def _certificate_file(config: Settings, book_date: dt.date) -> Path:
    return config.clearhouse_home / "certificates" / DOMAIN / f"{book_date}.json"


def _put_aside(file: Path, seal: str) -> None:
    """Keep the certificate of a day that is no longer closed where it is not taken for one."""
    if file.exists():
        aside = file.parent / "reopened"
        aside.mkdir(exist_ok=True)
        file.rename(aside / f"{file.stem}-{seal[:12]}.json")


def trace_command(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Transaction id (txn_…), record id (32 hex digits) or record key."
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """One record on one screen: raw line, bronze, silver, gold, and what readers see of it."""
    config = settings_of_stores()
    with under_way("looking in every store"):
        found = trace(open_bnpl(config), wanted)
    if as_json:
        rows = [row_as_data(t.quarantined) if t.quarantined else None for t in found]
        told = [{**vars(t), "quarantined": row} for t, row in zip(found, rows, strict=True)]
        print(json.dumps(told, default=str))
        return
    for one in found:
        show_trace(one)
