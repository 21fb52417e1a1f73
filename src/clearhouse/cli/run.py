"""`demo`, `run`, `step` and `release`: the commands that do work."""

import datetime as dt
import json
from typing import Annotated

import typer

from clearhouse.bnpl.closing import audit_days
from clearhouse.bnpl.context import DOMAIN, Bnpl
from clearhouse.bnpl.pipeline import PIPELINE
from clearhouse.bnpl.tamper import TAMPERINGS, tamper
from clearhouse.cli import report as reports
from clearhouse.cli.app import leave, out, settings_of_stores
from clearhouse.cli.balance import show_trial_balance
from clearhouse.cli.options import (
    BookDate,
    DomainArgument,
    Fault,
    FromDay,
    JsonFlag,
    Reason,
    ToDay,
    domain_of,
    given_reason,
)
from clearhouse.cli.progress import progress, under_way
from clearhouse.cli.stores import opened
from clearhouse.cli.words import counted
from clearhouse.core.errors import ClearhouseError
from clearhouse.core.lock import only_run
from clearhouse.pipeline.runner import ExitCode, RunReport, run_steps, select
from clearhouse.core.window import Window, parse_day
from clearhouse.settings import Settings
from clearhouse.world import Source, bnpl_source, open_bnpl

DEMO_FIRST_DAY = dt.date(2024, 1, 1)
DEMO_DAYS = 365


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("run")(run)
    app.command("step")(step)
    app.command("release")(release)


def demo(
    days: Annotated[
        int,
        typer.Option(metavar="N", help=f"How many days from {DEMO_FIRST_DAY} on.", min=1, max=366),
    ] = DEMO_DAYS,
    steal: Annotated[
        int,
        typer.Option(
            metavar="K", min=0, help="Then delete K rows of the gold fact behind the books' back."
        ),
    ] = 0,
    double: Annotated[
        int, typer.Option(metavar="K", min=0, help="The same, but write K rows twice.")
    ] = 0,
    change: Annotated[
        int, typer.Option(metavar="K", min=0, help="The same, but add a cent to K amounts.")
    ] = 0,
    fault: Fault = None,
) -> None:
    """Pull days of BNPL purchases, publish them, and show that the books balance."""
    config = settings_of_stores()
    window = Window.starting(DEMO_FIRST_DAY, days)
    again = "demo" if days == DEMO_DAYS else f"demo --days {days}"
    report, bnpl = _run(config, window, refresh=False, faults=fault, announce=True)
    reports.show_stopped(report)
    for kind, count in zip(TAMPERINGS, (steal, double, change), strict=True):
        if count:
            changed = counted(tamper(bnpl.engine, kind, count), "row")
            out.print(f"\n[yellow]Behind the books' back: {changed} {TAMPERINGS[kind]}.[/]")
    with under_way("measuring every store again"):
        audited = audit_days(bnpl, list(window.days()))
    show_trial_balance(audited)
    reports.show_findings(audited)
    if audited.findings:
        out.print(f"\nRun [bold]clearhouse {again}[/] again: it rebuilds what was touched.")
        leave(ExitCode.UNBALANCED)
    reports.show_next(bnpl, audited, again)
    leave(report.exit_code)


def run(
    domain: DomainArgument,
    first: FromDay,
    last: ToDay,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Pull days again that have landed.")
    ] = False,
    as_json: JsonFlag = False,
    fault: Fault = None,
) -> None:
    """Run a domain's pipeline over days. What is unchanged is skipped: this is also a backfill."""
    domain_of(domain)
    window = Window.parse(first, last)
    report, _ = _run(settings_of_stores(), window, refresh=refresh, faults=fault)
    _tell(report, as_json=as_json)


def step(
    domain: DomainArgument,
    name: Annotated[
        str,
        typer.Argument(
            metavar="STEP", help="\n\n".join(f"{s.name}: {s.summary}." for s in PIPELINE)
        ),
    ],
    day: BookDate,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Pull the day again even if it has landed.")
    ] = False,
    as_json: JsonFlag = False,
    fault: Fault = None,
) -> None:
    """Run one step of a domain over one day."""
    domain_of(domain)
    chosen = select(PIPELINE, name)
    window = Window.day(parse_day(day))
    pulls = chosen.name == PIPELINE[0].name
    report, _ = _run(
        settings_of_stores(),
        window,
        refresh=refresh,
        faults=fault,
        steps=(chosen.name,),
        pulls=pulls,
    )
    _tell(report, as_json=as_json)


def release(
    domain: DomainArgument,
    day: BookDate,
    reason: Reason,
    as_json: JsonFlag = False,
) -> None:
    """Let a held day pass the gate that holds it, and publish it."""
    domain_of(domain)
    why = given_reason(reason, "A release needs a reason")
    book_date = parse_day(day)
    config = settings_of_stores()
    bnpl = opened(config)
    released = [
        (entry.entry_id, decision.gate)
        for entry in bnpl.books.current(DOMAIN, days=[book_date])
        for decision in bnpl.decisions.of(entry.entry_id)
        if decision.holds
    ]
    if not released:
        raise ClearhouseError(
            f"{domain} {day} is not held: there is nothing to release.", "not_held"
        )
    for entry_id, gate in released:
        bnpl.decisions.release(entry_id, gate, why)
    steps = tuple(s.name for s in PIPELINE[1:])
    report, _ = _run(
        config, Window.day(book_date), refresh=False, faults=None, steps=steps, pulls=False
    )
    if report.exit_code is ExitCode.DONE and not as_json:
        out.print(f"{domain} {day} is released, and readers see it.")
    _tell(report, as_json=as_json)


def _run(
    config: Settings,
    window: Window,
    *,
    refresh: bool,
    faults: list[str] | None,
    steps: tuple[str, ...] | None = None,
    pulls: bool = True,
    announce: bool = False,
) -> tuple[RunReport, Bnpl]:
    """The steps named (all of them by default) over a window, with progress."""
    if not pulls:
        return _run_on(config, None, window, refresh, steps)
    from clearhouse.sandbox.options import faults_from_text

    with bnpl_source(config, faults_from_text(faults or [])) as source:
        if announce and source.is_sandbox:
            out.print("BNPL_API_URL is not set: the sandbox stands in for simtom.", style="dim")
        return _run_on(config, source, window, refresh, steps)


def _run_on(
    config: Settings,
    source: Source | None,
    window: Window,
    refresh: bool,
    steps: tuple[str, ...] | None,
) -> tuple[RunReport, Bnpl]:
    chosen = [s for s in PIPELINE if steps is None or s.name in steps]
    with only_run(config.clearhouse_home), progress() as shown:
        bnpl = open_bnpl(config, source, progress=shown, refresh=refresh)
        report = run_steps(chosen, bnpl, window, run_id=bnpl.run_id, progress=shown)
    return report, bnpl


def _tell(report: RunReport, *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(reports.run_as_data(report)))
    else:
        reports.show_stopped(report)
    leave(report.exit_code)
