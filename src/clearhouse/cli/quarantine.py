"""`quarantine list`, `show` and `redrive`."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from clearhouse.cli.app import leave, out, settings_of_stores
from clearhouse.cli.options import DomainOption, JsonFlag, Most
from clearhouse.cli.progress import progress
from clearhouse.cli.stores import asked_for, opened, opened_alone
from clearhouse.cli.streams import visible
from clearhouse.cli.summary import show_summary
from clearhouse.cli.words import counted
from clearhouse.core.errors import ExitCode, UsageError
from clearhouse.core.window import Window, parse_day
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.redrive import check_not_closed, land_corrected
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import steps_of
from clearhouse.pipeline.summary import Seen, summarize
from clearhouse.store.quarantine import QuarantinedRow

_WIDTH_WITH_KEY = 110

group = typer.Typer(no_args_is_help=True, help="Rows that broke their contract.")


@group.command("list")
def list_rows(
    day: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="Only this book date, YYYY-MM-DD.")
    ] = None,
    limit: Most = 50,
    domain: DomainOption = None,
    as_json: JsonFlag = False,
) -> None:
    """How many rows were rejected for which reason, and the first of them."""
    days = [parse_day(day)] if day else None
    config = settings_of_stores()
    datasets = [
        (run, dataset)
        for run in (opened(config, name) for name in asked_for(domain))
        for dataset in run.datasets
    ]
    counts = sorted(c for run, d in datasets for c in run.quarantine.counts(d.id, days))
    found = [(d, r) for run, d in datasets for r in run.quarantine.of_days(d.id, days, limit)]
    found = found[:limit]
    rows = [row for _, row in found]
    if as_json:
        print(json.dumps([row_as_data(row) for row in rows], default=str))
        return
    if not counts:
        out.print(f"Quarantine is empty for {day}." if day else "Quarantine is empty.")
        return
    for book_date, code, count in counts:
        out.print(f"{book_date}  {count:>7,}  {code}")
    _show_rows(found)
    total = sum(count for _, _, count in counts)
    if total > len(rows):
        out.print(f"{len(rows):,} of {counted(total, 'row')}; --limit shows more.")


def _show_rows(rows: list[tuple[OpenDataset, QuarantinedRow]]) -> None:
    with_key = out.width >= _WIDTH_WITH_KEY
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    for name in ("date", "record id", *(["key"] if with_key else [])):
        table.add_column(name, no_wrap=True)
    table.add_column("line", justify="right", no_wrap=True)
    table.add_column("first reason")
    for dataset, row in rows:
        reason = row.violations[0]
        told = f"{reason.field or 'record'}: {reason.detail}"
        key = escape(dataset.shown_key(row.record_key))
        keys = [key] if with_key else []
        table.add_row(str(row.book_date), row.record_id, *keys, f"{row.line:,}", escape(told))
    out.print()
    out.print(table)


@group.command("show")
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Record id or the source's id.")],
    domain: DomainOption = None,
    as_json: JsonFlag = False,
) -> None:
    """A rejected row whole: every reason, and where it stands in the raw data."""
    config = settings_of_stores()
    rows = [r for name in asked_for(domain) for r in opened(config, name).quarantined(wanted)]
    if not rows:
        raise UsageError(
            f"No row {wanted!r} is in quarantine: `clearhouse quarantine list` shows the ids.",
            "unknown_record",
        )
    if as_json:
        print(json.dumps([row_as_data(row) for row in rows], default=str))
        return
    for row in rows:
        place = f"{row.book_date}  {row.object_key}, line {row.line}"
        out.print(f"[bold]{row.record_id}[/]  {place}", soft_wrap=True)
        for v in row.violations:
            told = escape(f"  {v.field or 'record'}: {v.code}: {v.detail}")
            out.print(told, soft_wrap=True)
        print(visible(row.raw.decode("utf-8", "replace")))


@group.command("redrive")
def redrive(
    day: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="DATE",
            help="Try this day's rows again, YYYY-MM-DD; with --id, correct the row of this day.",
        ),
    ] = None,
    wanted: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Correct this row: its record id, with --set."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Correct a field: --set amount=45.90. The value is JSON. Repeatable.",
        ),
    ] = None,
    domain: DomainOption = None,
) -> None:
    """Give rejected rows another try: a day's after a change of contract, or one row corrected."""
    if not (day or wanted) or bool(wanted) != bool(changes):
        raise UsageError("Give --date, or --id with --set; or all three.", "bad_usage")
    pairs = dict(_pair(change) for change in changes or [])
    given = parse_day(day) if day else None
    config = settings_of_stores()
    names = asked_for(domain)
    holding = [name for name in names if _holds(opened(config, name), given, wanted)]
    names = holding or names[:1]  # where none holds it, the first says so
    codes = []
    for name in names:
        with opened_alone(config, name) as run:
            codes.append(_run_again(run, _to_run_again(run, given, wanted, pairs)))
    leave(ExitCode.worst(codes))


def _holds(run: Run, day: dt.date | None, wanted: str | None) -> bool:
    """Whether a row of the day, or the row that is wanted, is in the domain's quarantine."""
    return bool(run.quarantined(wanted) if wanted else _rejected(run, day) if day else ())


def _to_run_again(
    run: Run, day: dt.date | None, wanted: str | None, pairs: Mapping[str, str]
) -> dt.date:
    """The day that is given, or that of the row that is wanted, once it is corrected."""
    if wanted or day is None:
        return _correct(run, wanted or "", pairs, day)
    check_not_closed(run, day)
    return day


def _correct(run: Run, wanted: str, pairs: Mapping[str, str], day: dt.date | None) -> dt.date:
    """Land a row with fields changed, and say so; its day."""
    book_date = land_corrected(run, wanted, pairs, day)
    out.print(
        f"The corrected row landed as a later version of {book_date}; the broken one stays in "
        "quarantine, as it arrived.",
        soft_wrap=True,
    )
    return book_date


def _run_again(run: Run, book_date: dt.date) -> ExitCode:
    """Run every step but the pull over a day, and say what is still in quarantine."""
    before = _rejected(run, book_date)
    seen = Seen.now(run, [book_date])
    with progress() as shown:
        run.progress = shown
        window = Window.day(book_date)
        report = run_steps(steps_of(run.domain)[1:], run, window, run_id=run.run_id, progress=shown)
    after = _rejected(run, book_date)
    show_summary(run, report, summarize(run, report, [book_date], seen))
    was = "was" if before == 1 else "were"
    now = "is" if after == 1 else "are"
    out.print(f"{book_date}: {counted(before, 'row')} {was} in quarantine, {after:,} {now} now.")
    return report.exit_code


def _rejected(run: Run, book_date: dt.date) -> int:
    return sum(n for d in run.datasets for _, _, n in run.quarantine.counts(d.id, [book_date]))


def _pair(change: str) -> tuple[str, str]:
    name, found, value = change.partition("=")
    if not found:
        raise UsageError(f"{change!r} is not NAME=VALUE.", "bad_value")
    return name, value


def row_as_data(row: QuarantinedRow) -> dict[str, Any]:
    """A rejected row for a program."""
    return {
        "record_id": row.record_id,
        "record_key": row.record_key,
        "dataset": row.dataset,
        "book_date": str(row.book_date),
        "object": row.object_key,
        "line": row.line,
        "violations": [
            {"field": v.field, "code": v.code, "detail": v.detail} for v in row.violations
        ],
        "raw": row.raw.decode("utf-8", "replace"),
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "entry_id": row.entry_id,
    }
