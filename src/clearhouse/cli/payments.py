"""`payments`: the sandbox's providers send, and what was made of it is compared with the truth."""

import asyncio
import datetime as dt
import json
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.markup import escape

from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import under_way
from clearhouse.cli.words import counted
from clearhouse.core.errors import ExitCode, UsageError
from clearhouse.core.window import parse_day

group = typer.Typer(no_args_is_help=True, help="Payments, and the sandbox's providers.")

_SHOWN = 20
Seed = Annotated[int, typer.Option(metavar="N", help="Of the month of payments.", min=0)]
Count = Annotated[
    int, typer.Option(metavar="N", help="About how many webhooks the month has.", min=100)
]
Today = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="The UTC day before which all has happened. By default, this one."
    ),
]


@group.callback()
def _payments() -> None:
    """Payments, and the sandbox's providers."""


@group.command("simulate")
def simulate(
    to: Annotated[
        str, typer.Option(metavar="URL", help="Of a gateway that takes the sandbox's webhooks.")
    ] = "http://127.0.0.1:8080",
    rate: Annotated[
        float, typer.Option(metavar="R", help="Webhooks a second; 0: as fast as it goes.", min=0)
    ] = 0.0,
    count: Count = 20_000,
    seed: Seed = 42,
    connections: Annotated[
        int, typer.Option(metavar="N", help="Requests at a time at most.", min=1, max=1_000)
    ] = 16,
    missed: Annotated[
        int, typer.Option(metavar="N", help="Events of Stripe that are never sent.", min=0)
    ] = 0,
    today: Today = None,
) -> None:
    """Send a month of payments to a gateway as four providers do, until all is acknowledged."""
    from clearhouse.cli.sending_view import view
    from clearhouse.sandbox.payments.sender import SendOptions, SendReport, send
    from clearhouse.sandbox.payments.world import World

    if not to.startswith(("http://", "https://")):
        raise UsageError("--to is the URL of a gateway, such as http://127.0.0.1:8080.", "bad_url")
    with under_way("making a month of payments"):
        world = World(seed, count, today=_day(today), missed=missed)
    genuine = {each.number for each in world.deliveries if not each.is_forged}
    report = SendReport()
    options = SendOptions(connections, rate)
    with view(report, len(world.deliveries)):
        try:
            send(world.deliveries, to, options, report=report)
        except (KeyboardInterrupt, asyncio.CancelledError):
            err.print("Stopped.")
    taken = genuine & set(report.acknowledged)
    out.print(
        f"{len(taken):,} of {counted(len(genuine), 'webhook')} acknowledged in "
        f"{report.took_seconds:,.1f} s; {sum(report.redelivered.values()):,} sent again."
    )
    forged = len(world.deliveries) - len(genuine)
    out.print(f"{counted(forged, 'request')} of nobody refused, as they have to be.")
    if taken != genuine:
        leave(ExitCode.FAILED)
    out.print(
        f"clearhouse payments check --seed {seed} --count {count} --today {world.today} compares "
        "what was made of them with the truth.",
        soft_wrap=True,
    )


@group.command("check")
def check(
    count: Count = 20_000, seed: Seed = 42, today: Today = None, as_json: JsonFlag = False
) -> None:
    """Compare every payment, refund, dispute and payout of the store with the truth of a month."""
    from clearhouse.log.opening import open_log
    from clearhouse.payments.store.database import open_store
    from clearhouse.payments.topics import TOPICS
    from clearhouse.sandbox.payments.oracle import differences, message_differences
    from clearhouse.sandbox.payments.world import World

    config = settings_of_stores()
    with under_way("making a month of payments"):
        world = World(seed, count, today=_day(today))
        truth = {name: len(rows) for name, rows in world.truth.items()}
    with ExitStack() as stack:
        store = open_store(config.payments_database_url)
        stack.callback(store.engine.dispose)
        log = open_log(config.log_url, [topic.name for topic in TOPICS])
        stack.callback(log.close)
        found = [*differences(world, store.engine), *message_differences(world, log)]
    if as_json:
        print(json.dumps({"rows": truth, "differences": found}))
    else:
        rows = ", ".join(counted(number, name) for name, number in truth.items())
        out.print(f"The truth: {rows}.")
        for line in found[:_SHOWN]:
            out.print(f"  {escape(line)}", soft_wrap=True)
        if len(found) > _SHOWN:
            out.print(f"  … and {len(found) - _SHOWN:,} more")
        out.print(
            f"[red]{counted(len(found), 'difference')}.[/]" if found else "[green]All agree.[/]"
        )
    if found:
        leave(ExitCode.UNBALANCED)


def _day(text: str | None) -> dt.date | None:
    return None if text is None else parse_day(text)
