"""`verify`: days derived again from landing, and every field of every store compared."""

import json
from typing import Annotated

import typer
from rich.markup import escape

from clearhouse.cli.app import leave, out, settings_of_stores
from clearhouse.cli.audit import nothing_there
from clearhouse.cli.options import (
    DomainArgument,
    FirstBookDate,
    JsonFlag,
    LastBookDate,
    bounds,
)
from clearhouse.cli.progress import under_way
from clearhouse.cli.stores import opened_alone
from clearhouse.cli.words import counted, days_in_words
from clearhouse.core.errors import ExitCode
from clearhouse.domains import domain_of
from clearhouse.pipeline.verify import Outcome, days_to_verify, verify


def verify_command(
    domain: DomainArgument,
    first: FirstBookDate = None,
    last: LastBookDate = None,
    sample: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Only this share of the published days, above 0 and up to 1: those that were not "
            "verified for longest, and among them by chance.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Derive days again from landing, and compare every field of every store with it."""
    domain_of(domain)
    begin, end = bounds(first, last)
    config = settings_of_stores()
    with opened_alone(config, domain) as run, under_way("deriving the days again"):
        days = days_to_verify(run, begin, end, sample)
        outcome = verify(run, days)
        known = run.books.days(domain)
    if as_json:
        print(json.dumps(_as_data(outcome)))
    elif days:
        _show(outcome)
    else:
        out.print(nothing_there(known, begin, end), soft_wrap=True)
    leave(ExitCode.UNBALANCED if outcome.findings else ExitCode.DONE)


def _show(outcome: Outcome) -> None:
    for table, day, sentence in outcome.findings:
        place = table if day is None else f"{table}, {day}"
        out.print(f"[red]{escape(place)}: {escape(sentence)}[/]", soft_wrap=True)
    for day, reasons in sorted(outcome.left_out.items()):
        for reason in reasons:
            out.print(
                f"[yellow]{day} was not verified in full: {escape(reason)}.[/]", soft_wrap=True
            )
    tables = len({each.table for each in outcome.compared})
    count = sum(d.count for each in outcome.compared for d in each.differences)
    told = f"{counted(count, 'difference')} in {counted(tables, 'table')}"
    days = days_in_words(outcome.days) if outcome.days else "no day"
    out.print(f"Verified {days}: {told}.", soft_wrap=True)


def _as_data(outcome: Outcome) -> dict[str, object]:
    return {
        "verified": [str(day) for day in outcome.days],
        "findings": [
            {"table": table, "book_date": str(day) if day else None, "finding": sentence}
            for table, day, sentence in outcome.findings
        ],
        "not_verified": {str(day): reasons for day, reasons in sorted(outcome.left_out.items())},
    }
