"""Options and arguments that several commands share."""

import datetime as dt
from typing import Annotated

import typer

from clearhouse.core.errors import UsageError
from clearhouse.core.window import parse_day
from clearhouse.domains import DOMAINS

DOMAINS_HELP = f"Which domain: {' or '.join(DOMAINS)}."

DomainArgument = Annotated[str, typer.Argument(metavar="DOMAIN", help=DOMAINS_HELP)]
DomainOption = Annotated[
    str | None,
    typer.Option(
        "--domain", metavar="DOMAIN", help=f"{DOMAINS_HELP} By default, all that the books hold."
    ),
]
FromDay = Annotated[
    str, typer.Option("--from", metavar="DATE", help="First book date, YYYY-MM-DD.")
]
ToDay = Annotated[str, typer.Option("--to", metavar="DATE", help="Last book date, YYYY-MM-DD.")]
BookDate = Annotated[str, typer.Option("--date", metavar="DATE", help="Book date, YYYY-MM-DD.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why. It stays in the books.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="DATE=KIND",
        help="Let the sandbox misbehave: 2024-01-03=half_volume. Repeatable.",
    ),
]

Most = Annotated[
    int,
    typer.Option("--limit", metavar="N", help="So many are shown at most.", min=1, max=1_000_000),
]

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen at.")]
Port = Annotated[int, typer.Option(metavar="PORT", help="Port to listen at.", min=1, max=65535)]
HealthHost = Annotated[str, typer.Option(metavar="ADDRESS", help="Address of health and metrics.")]
HealthPort = Annotated[
    int | None,
    typer.Option(metavar="PORT", help="Port of health and metrics.", min=1, max=65535),
]
Workers = Annotated[int, typer.Option(metavar="N", help="Processes that answer.", min=1, max=64)]

FirstBookDate = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First book date, YYYY-MM-DD.")
]
LastBookDate = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Last book date, YYYY-MM-DD.")
]


def given_reason(reason: str, needed: str) -> str:
    """A reason on one line, without blanks around it: what tells of it has a line for each.

    Args:
        reason: as it was typed.
        needed: what is told of it where there is none.

    Raises:
        UsageError: it is empty.
    """
    told = " ".join(reason.split())
    if not told:
        raise UsageError(f"{needed}: it is kept.", "reason_missing")
    return told


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
