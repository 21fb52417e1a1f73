"""`replay payments`: archived webhooks are normalized again by the code as it is now."""

import json
from contextlib import ExitStack
from typing import Annotated

import typer

from clearhouse.cli.app import out, settings_of_stores
from clearhouse.cli.options import FromDay, JsonFlag, ToDay
from clearhouse.cli.progress import under_way
from clearhouse.cli.words import counted
from clearhouse.core.window import Window
from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.replay import Difference, NewEvent, Replay, Report

_SHOWN = 20

group = typer.Typer(no_args_is_help=True, help="What arrived, made into events again.")


@group.callback()
def _what_arrived() -> None:
    """What arrived, made into events again."""


@group.command("payments")
def payments(
    first: FromDay,
    last: ToDay,
    applies: Annotated[
        bool, typer.Option("--apply", help="Append what is new; without it, only say it.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Normalize archived webhooks again; what is an event now and was none is appended."""
    days = Window.parse(first, last)
    with ExitStack() as stack:
        replay = _opened(stack)
        with under_way("normalizing again"):
            report = replay.compare(days)
        if applies:
            replay.append(report.new)
            replay.record(report.lost)
    if as_json:
        print(json.dumps(_as_data(report, applies=applies)))
        return
    out.print(f"{counted(report.webhooks, 'webhook')} normalized again.")
    out.print(f"{report.unchanged:>9,}  are known events, and unchanged")
    out.print(f"{report.without:>9,}  are no events, as before")
    out.print(f"{len(report.new):>9,}  are events now, and were none")
    for new in report.new[:_SHOWN]:
        out.print(f"           {_told_new(new)}", markup=False)
    if report.decided:
        out.print(f"{report.decided:>9,}  could be, but their dead letters are decided")
    out.print(f"{len(report.differing):>9,}  are known events that would be others now")
    for difference in report.differing[:_SHOWN]:
        out.print(f"           {_told_difference(difference)}", markup=False)
    if report.lost:
        out.print(f"{len(report.lost):>9,}  were made events, and nobody will record them")
    for event in report.lost[:_SHOWN]:
        out.print(f"           {_told_lost(event)}", markup=False)
    if applies:
        out.print(f"{counted(len(report.new), 'webhook')} appended for the normalizer to read.")
        if report.lost:
            out.print(f"{counted(len(report.lost), 'event')} appended to be recorded.")
    elif report.new or report.lost:
        out.print("Nothing was appended: run it again with --apply.")


def _opened(stack: ExitStack) -> Replay:
    from clearhouse.landing.store import Landing
    from clearhouse.payments.opening import opened
    from clearhouse.payments.running import running_by

    config = settings_of_stores()
    log, store = stack.enter_context(opened(config))
    return Replay(log, Landing.from_url(config.landing_url), store, running_by(config))


def _told_new(new: NewEvent) -> str:
    return f"{new.event.event_id}: {new.event.event_type.value}, position {new.position}"


def _told_lost(event: PaymentEvent) -> str:
    return f"{event.event_id}: {event.event_type.value}, position {event.webhook_position}"


def _told_difference(difference: Difference) -> str:
    what = ", ".join(difference.fields) or "no event any more"
    return f"{difference.event_id}: {what}, position {difference.position}"


def _as_data(report: Report, *, applies: bool) -> dict[str, object]:
    return {
        "webhooks": report.webhooks,
        "unchanged": report.unchanged,
        "without": report.without,
        "decided": report.decided,
        "lost": [event.event_id for event in report.lost],
        "new": [new.event.event_id for new in report.new],
        "differing": [
            {"event_id": each.event_id, "fields": list(each.fields)} for each in report.differing
        ],
        "applied": applies,
    }
