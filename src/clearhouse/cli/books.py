"""`close`, `reopen`, `prove`, `publications`, `rollback` and `trace`."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from clearhouse.cli import report as reports
from clearhouse.cli.app import leave, out, settings_of_stores
from clearhouse.cli.options import (
    BookDate,
    DomainArgument,
    DomainOption,
    JsonFlag,
    Reason,
    given_reason,
)
from clearhouse.cli.progress import under_way
from clearhouse.cli.quarantine import row_as_data
from clearhouse.cli.stores import asked_for, opened, opened_alone
from clearhouse.cli.tracing import show_trace
from clearhouse.cli.words import counted, span
from clearhouse.core.errors import ExitCode, UsageError
from clearhouse.core.paths import near
from clearhouse.core.window import parse_day
from clearhouse.pipeline.certificate_files import certificate_file
from clearhouse.pipeline.close import close_day, reopen_days, see_that_it_is_over
from clearhouse.pipeline.journal import keep_head
from clearhouse.pipeline.prove import proof
from clearhouse.pipeline.rollback import rollback as roll_back
from clearhouse.pipeline.trace import Trace, trace

RecordArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The source's id of a record, its record id or its key.")
]


def close(
    domain: DomainArgument,
    day: BookDate,
    as_json: JsonFlag = False,
) -> None:
    """Seal a day: its totals as a certificate, chained to the closed day before it."""
    book_date = parse_day(day)
    see_that_it_is_over(book_date, dt.datetime.now(dt.UTC).date())
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


def _traced(domains: Sequence[str], wanted: str) -> list[Trace]:
    """A record in those domains that know it.

    Raises:
        UsageError: none does.
    """
    config = settings_of_stores()
    found: list[Trace] = []
    unknown: UsageError | None = None
    for name in domains:
        with opened_alone(config, name) as run, under_way("looking in every store"):
            try:
                found += trace(run, wanted)
            except UsageError as error:
                unknown = error
    if unknown is not None and not found:
        raise unknown
    return found


def trace_command(
    wanted: RecordArgument,
    domain: DomainOption = None,
    as_json: JsonFlag = False,
) -> None:
    """One record on one screen: raw line, bronze, silver, gold, and what readers see of it."""
    found = _traced(asked_for(domain), wanted)
    if as_json:
        rows = [row_as_data(t.quarantined) if t.quarantined else None for t in found]
        told = [{**vars(t), "quarantined": row} for t, row in zip(found, rows, strict=True)]
        print(json.dumps(told, default=str))
        return
    for one in found:
        show_trace(one)
