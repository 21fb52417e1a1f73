"""Options that say which month of payments the sandbox's providers have."""

import datetime as dt
from typing import Annotated

import typer

from clearhouse.core.window import parse_day

Seed = Annotated[int, typer.Option(metavar="N", help="Of the month of payments.", min=0)]
Count = Annotated[
    int,
    typer.Option(
        metavar="N", help="About how many webhooks the month has.", min=100, max=1_000_000
    ),
]
Today = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="The UTC day before which all has happened. By default, this one."
    ),
]


def day_of(today: str | None) -> dt.date | None:
    """What `Today` says.

    Raises:
        UsageError: it is not a day.
    """
    return None if today is None else parse_day(today)
