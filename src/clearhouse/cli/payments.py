"""`payments`: events that never came; what the sandbox's providers send, and what is true of it."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.month import Count, Seed, Today, day_of
from clearhouse.cli.options import FirstBookDate, JsonFlag
from clearhouse.cli.payments_acls import acls
from clearhouse.cli.payments_prepare import prepare
from clearhouse.cli.payments_refold import refold
from clearhouse.cli.progress import under_way
from clearhouse.cli.words import counted
from clearhouse.core.errors import ExitCode, SettingsError, UsageError
from clearhouse.core.window import parse_day

if TYPE_CHECKING:
    from clearhouse.log.log import Log
    from clearhouse.payments.gaps import Compared
    from clearhouse.payments.listed import Listed
    from clearhouse.payments.store.database import PaymentStore
    from clearhouse.settings import Settings

group = typer.Typer(no_args_is_help=True, help="Payments, and the sandbox's providers.")

_SHOWN = 20


@group.callback()
def _payments() -> None:
    """Payments, and the sandbox's providers."""


group.command("prepare")(prepare)
group.command("acls")(acls)
group.command("refold")(refold)


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
    from clearhouse.cli.sending_view import answers, view
    from clearhouse.sandbox.payments.sender import SendOptions, SendReport, send
    from clearhouse.sandbox.payments.world import World

    if not to.startswith(("http://", "https://")):
        raise UsageError("--to is the URL of a gateway, such as http://127.0.0.1:8080.", "bad_url")
    with under_way("making a month of payments"):
        world = World(seed, count, today=day_of(today), missed=missed)
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
    if forged:
        out.print(f"{counted(forged, 'request')} with a forged signature, to be refused.")
    if taken != genuine:
        err.print(
            f"{to}: {answers(report)}. It has to be a gateway that serves with --sandbox.",
            soft_wrap=True,
        )
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
    from clearhouse.sandbox.payments.oracle import differences, message_differences
    from clearhouse.sandbox.payments.world import World

    with under_way("making a month of payments"):
        world = World(seed, count, today=day_of(today))
        truth = {name: len(rows) for name, rows in world.truth.items()}
    with ExitStack() as stack:
        _, log, store = _opened(stack)
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
            f"[red]{counted(len(found), 'difference')}.[/] The truth is that of --count {count} "
            f"--seed {seed} --today {world.today}: is this the month that was sent?"
            if found
            else "[green]All agree.[/]",
            soft_wrap=True,
        )
    if found:
        leave(ExitCode.UNBALANCED)


@group.command("gaps")
def gaps(
    first: FirstBookDate = None,
    applies: Annotated[
        bool, typer.Option("--apply", help="Take the events as webhooks; without it, only say it.")
    ] = False,
    account: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The gateway's account that STRIPE_API_KEY is of. By default, that of its events.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """What Stripe lists among its events of the last 30 days, and what of it never came."""
    from clearhouse.landing import Landing
    from clearhouse.payments import gaps as of_stripe
    from clearhouse.payments.listed import DAYS
    from clearhouse.payments.normalizer.archive import Archive

    now = dt.datetime.now(dt.UTC)
    since = now - dt.timedelta(days=DAYS)
    if first is not None:
        day = dt.datetime.combine(parse_day(first), dt.time(), dt.UTC)
        since = max(since, day)
    with ExitStack() as stack:
        config, log, store = _opened(stack)
        with under_way("asking Stripe for its events"):
            listed, found = asyncio.run(_found(config, log, store, since, now.date()))
        _enter(config, listed)
        if applies and found:
            landing = Landing.from_url(config.landing_url)
            own = account or of_stripe.own_account(landing, since.date(), now.date())
            of_stripe.fill(log, found, now, own)
            Archive(log, landing).flush()
            _enter(config, listed)
    events = [gap.event for gap in found]
    if as_json:
        told = [
            {"event_id": e.id, "account": e.account, "type": e.type,
             "created_at": e.created_at.isoformat()}
            for e in events
        ]  # fmt: skip
        print(json.dumps({"since": since.isoformat(), "gaps": told, "applied": applies}))
        return
    out.print(f"{counted(len(found), 'event')} of Stripe since {since:%Y-%m-%d} never came.")
    for each in events[:_SHOWN]:
        whose = f" of {each.account}" if each.account else ""
        out.print(f"  {each.created_at:%Y-%m-%d %H:%M} {each.id} {each.type}{whose}", markup=False)
    if len(found) > _SHOWN:
        out.print(f"  … and {len(found) - _SHOWN:,} more")
    if applies:
        out.print(f"{counted(len(found), 'event')} taken for the normalizer to read.")
    elif found:
        out.print("Nothing was taken: run it again with --apply.")


async def _found(
    config: "Settings", log: "Log", store: "PaymentStore", since: dt.datetime, today: dt.date
) -> "Compared":
    from clearhouse.core.http import HttpPolicy, ResilientClient
    from clearhouse.landing import Landing
    from clearhouse.payments import gaps as of_stripe

    if config.stripe_api_key is None:
        raise SettingsError("Stripe lists events only to holders of a key: set STRIPE_API_KEY.")
    known = of_stripe.known_events(log, Landing.from_url(config.landing_url), since.date(), today)
    bearing = {"Authorization": f"Bearer {config.stripe_api_key.get_secret_value()}"}
    async with ResilientClient(
        config.stripe_api_url.for_client(),
        name="Stripe's API",
        policy=HttpPolicy(),
        headers=bearing,
    ) as client:
        return await of_stripe.find_gaps(client, of_stripe.accounts_of(store), since, known)


def _enter(config: "Settings", listed: Sequence["Listed"]) -> None:
    """Keep what Stripe lists in landing, and enter in the books what of it came."""
    from clearhouse.cli.waiting import alone
    from clearhouse.payments.domain import PAYMENTS
    from clearhouse.payments.listed import NAME, land
    from clearhouse.pipeline.opening import open_run
    from clearhouse.pipeline.streams import prove

    with alone(config, PAYMENTS.name):
        run = open_run(PAYMENTS, config)
        days = land(run.landing, listed)
        (stream,) = (each for each in run.streams if each.hop.name == NAME)
        if days:
            prove(run, stream, days)
        run.engine.close()


def _opened(stack: ExitStack) -> tuple["Settings", "Log", "PaymentStore"]:
    from clearhouse.payments.opening import opened

    config = settings_of_stores()
    return config, *stack.enter_context(opened(config))
