"""`quarantine list`, `show` and `redrive`."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from clearhouse.bnpl.context import DATASET, Bnpl
from clearhouse.bnpl.pipeline import PIPELINE
from clearhouse.bnpl.redrive import land_mended
from clearhouse.cli import report as reports
from clearhouse.cli.app import leave, out, settings
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import progress
from clearhouse.core.errors import UsageError
from clearhouse.core.lock import only_run
from clearhouse.core.runner import ExitCode, run_steps
from clearhouse.core.window import Window, parse_day
from clearhouse.store.quarantine import QuarantinedRow
from clearhouse.world import open_bnpl

group = typer.Typer(no_args_is_help=True, help="Rows that broke their contract.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="quarantine")


@group.command("list")
def list_rows(
    day: Annotated[str | None, typer.Option("--date", help="Only this book date.")] = None,
    limit: Annotated[int, typer.Option(help="Rows shown at most.", min=1)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """How many rows were rejected for which reason, and the first of them."""
    store = open_bnpl(settings()).quarantine
    days = [parse_day(day)] if day else None
    counts = store.counts(DATASET, days)
    rows = store.of_days(DATASET, days, limit)
    if as_json:
        print(json.dumps([_as_data(row) for row in rows], default=str))
        return
    if not counts:
        out.print("Quarantine is empty.")
        return
    for book_date, code, count in counts:
        out.print(f"{book_date}  {count:>7,}  {code}")
    table = Table()
    for name in ("date", "record id", "key", "line", "first reason"):
        table.add_column(name, no_wrap=name != "first reason")
    for row in rows:
        reason = row.violations[0]
        table.add_row(
            str(row.book_date), row.record_id, row.record_key, str(row.line),
            f"{reason.field or 'record'}: {reason.detail}".replace("[", r"\["),
        )  # fmt: skip
    out.print(table)


@group.command("show")
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Record id or the source's id.")],
    as_json: JsonFlag = False,
) -> None:
    """A rejected row whole: every reason, and where it stands in the raw data."""
    rows = open_bnpl(settings()).quarantine.find(wanted)
    if not rows:
        raise UsageError(f"No row {wanted!r} is in quarantine.", "unknown_record")
    if as_json:
        print(json.dumps([_as_data(row) for row in rows], default=str))
        return
    for row in rows:
        out.print(f"[bold]{row.record_id}[/]  {row.book_date}  {row.object_key}, line {row.line}")
        for v in row.violations:
            out.print(f"  {v.field or 'record'}: {v.code}: {v.detail}".replace("[", r"\["))
        print(row.raw.decode("utf-8", "replace"))


@group.command("redrive")
def redrive(
    day: Annotated[str | None, typer.Option("--date", help="Try this day's rows again.")] = None,
    wanted: Annotated[str | None, typer.Option("--id", help="One row, with --set.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Mend a field: --set 'amount=45.90'. The value is JSON."),
    ] = None,
) -> None:
    """Give rejected rows another try: a day's after a change of contract, or one row mended."""
    config = settings()
    with only_run(config.clearhouse_home):
        leave(_redrive(open_bnpl(config), day, wanted, changes))


def _redrive(
    bnpl: Bnpl, day: str | None, wanted: str | None, changes: list[str] | None
) -> ExitCode:
    if wanted and changes:
        pairs = dict(_pair(change) for change in changes)
        book_date = land_mended(bnpl, wanted, pairs)
    elif day and not wanted and not changes:
        book_date = parse_day(day)
    else:
        raise UsageError("Give either --date, or --id with --set.", "bad_usage")
    before = len(bnpl.quarantine.of_days(DATASET, [book_date], limit=1_000_000))
    with progress() as shown:
        bnpl.progress = shown
        window = Window.day(book_date)
        report = run_steps(PIPELINE[1:], bnpl, window, run_id=bnpl.run_id, progress=shown)
    after = len(bnpl.quarantine.of_days(DATASET, [book_date], limit=1_000_000))
    reports.show_stopped(report)
    out.print(f"{book_date}: {before:,} rows were in quarantine, {after:,} are now.")
    return report.exit_code


def _pair(change: str) -> tuple[str, str]:
    name, found, value = change.partition("=")
    if not found:
        raise UsageError(f"{change!r} is not NAME=VALUE.", "bad_value")
    return name, value


def _as_data(row: QuarantinedRow) -> dict[str, Any]:
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
