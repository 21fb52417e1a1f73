"""`demo`, `run` and `release`: the commands that do work."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.markup import escape

from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.balance import show_trial_balance
from clearhouse.cli.options import (
    DOMAINS_HELP,
    BookDate,
    DomainArgument,
    Fault,
    FromDay,
    JsonFlag,
    Reason,
    ToDay,
    given_reason,
)
from clearhouse.cli.progress import progress, telling, under_way
from clearhouse.cli.summary import show_summary, summary_as_data
from clearhouse.cli.waiting import alone
from clearhouse.cli.words import counted
from clearhouse.core.errors import ClearhouseError, ExitCode, UsageError
from clearhouse.core.window import Window, parse_day
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Domain, Faults, Verdict
from clearhouse.pipeline.gates import release as release_gates
from clearhouse.pipeline.opening import connected, open_run
from clearhouse.pipeline.runner import RunReport, Step, run_steps
from clearhouse.pipeline.steps import Chosen, steps_of
from clearhouse.pipeline.summary import Seen, Summary, summarize
from clearhouse.pipeline.tamper import TAMPERINGS, tamper
from clearhouse.settings import Settings

DEMO_FIRST_DAY = dt.date(2024, 1, 1)
DEMO_DAYS = 365
DEMO_WEBHOOKS = 20_000
_FINDINGS_SHOWN = 20
_MOST_TAMPERED = 100_000


def demo(
    domain: Annotated[
        str | None,
        typer.Argument(metavar="[DOMAIN]", help=f"{DOMAINS_HELP} By default, all of them."),
    ] = None,
    days: Annotated[
        int,
        typer.Option(metavar="N", help=f"How many days from {DEMO_FIRST_DAY} on.", min=1, max=366),
    ] = DEMO_DAYS,
    webhooks: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="How many records are sent to the services of a domain that has some.",
            min=1_000,
            max=1_000_000,
        ),
    ] = DEMO_WEBHOOKS,
    steal: Annotated[
        int,
        typer.Option(
            metavar="K",
            min=0,
            max=_MOST_TAMPERED,
            help="Then delete K rows of the gold fact behind the books' back.",
        ),
    ] = 0,
    double: Annotated[
        int,
        typer.Option(
            metavar="K", min=0, max=_MOST_TAMPERED, help="The same, but write K rows twice."
        ),
    ] = 0,
    change: Annotated[
        int,
        typer.Option(
            metavar="K", min=0, max=_MOST_TAMPERED, help="The same, but add a cent to K amounts."
        ),
    ] = 0,
    fault: Fault = None,
) -> None:
    """Pull days of records, publish them, and show that the books balance."""
    config = settings_of_stores()
    window = Window.starting(DEMO_FIRST_DAY, days)
    again = _again(domain, days, webhooks)
    tampered = dict(zip(TAMPERINGS, (steal, double, change), strict=True))
    domains = [domain_of(name) for name in ([domain] if domain else DOMAINS)]
    asked = _faults_by_domain(domains, faults(fault))
    leave(
        ExitCode.worst(
            _demo_of(config, each, window, asked[each.name], tampered, again)
            if each.arrivals is None
            else _demo_of_sent(config, each, webhooks, asked[each.name], again, **tampered)
            for each in domains
        )
    )


def _again(domain: str | None, days: int, webhooks: int) -> str:
    """The command that does the same again."""
    return " ".join(
        [
            "demo",
            *([domain] if domain else []),
            *([] if days == DEMO_DAYS else [f"--days {days}"]),
            *([] if webhooks == DEMO_WEBHOOKS else [f"--webhooks {webhooks}"]),
        ]
    )


def _demo_of_sent(
    config: Settings, domain: Domain, count: int, faults: Faults, again: str, **tampered: int
) -> ExitCode:
    """The same of a domain whose records are sent: they arrive first."""
    assert domain.arrivals is not None  # noqa: S101  (the caller has looked)
    with ExitStack() as stack:
        with telling(f"starting the services of {domain.name}") as tell:
            arrived = stack.enter_context(domain.arrivals(config, count, tell))
        codes = [_said(arrived.verdict)]

        def published(run: Run) -> None:
            codes.append(_said(arrived.published(run)))

        codes.append(
            _demo_of(arrived.settings, domain, arrived.window, faults, tampered, again, published)
        )
    return ExitCode.worst(codes)


def _said(verdict: Verdict) -> ExitCode:
    """Show a verdict."""
    for line in verdict.told:
        out.print(escape(line), soft_wrap=True)
    for line in verdict.findings[:_FINDINGS_SHOWN]:
        out.print(f"[red]{escape(line)}[/]", soft_wrap=True)
    if (more := len(verdict.findings) - _FINDINGS_SHOWN) > 0:
        out.print(f"[red]… and {more:,} more.[/]")
    return ExitCode.UNBALANCED if verdict.findings else ExitCode.DONE


def _faults_by_domain(domains: Sequence[Domain], faults: Faults) -> dict[str, Faults]:
    """The faults that each domain's sources can have; a lone domain is given all, to judge them.

    Raises:
        UsageError: none can have one.
    """
    if len(domains) == 1 or not faults:
        return {domain.name: faults for domain in domains}
    from clearhouse.sandbox.stand_in import knows

    sources = {d.name: [s.name for each in d.datasets for s in each.sources] for d in domains}
    found = {
        name: {day: [k for k in kinds if knows(of, k)] for day, kinds in faults.items()}
        for name, of in sources.items()
    }
    for day, kinds in faults.items():
        for kind in kinds:
            if not any(kind in found[name][day] for name in found):
                raise UsageError(f"No source of the sandbox has the fault {kind!r}.", "bad_fault")
    return {name: {d: kinds for d, kinds in of.items() if kinds} for name, of in found.items()}


def _demo_of(
    config: Settings,
    domain: Domain,
    window: Window,
    faults: Faults,
    tampered: dict[str, int],
    again: str,
    published: Callable[[Run], None] = lambda _: None,
) -> ExitCode:
    with connected(domain, config, faults) as connections, alone(config, domain.name):
        for connection in connections.values():
            if connection.notice:
                out.print(connection.notice, style="dim")
        with progress() as shown:
            run = open_run(domain, config, connections, progress=shown)
            report, summary = _steps(run, steps_of(domain), window)
        show_summary(run, report, summary)
        published(run)
        for kind, count in tampered.items():
            if count:
                changed = counted(tamper(run, kind, count), "row")
                out.print(f"\n[yellow]Behind the books' back: {changed} {TAMPERINGS[kind]}.[/]")
        with under_way("measuring every store again"):
            audited = audit_days(run, list(window.days()))
        show_trial_balance(audited)
        reports.show_findings(audited)
        if audited.findings:
            out.print(f"\nRun [bold]clearhouse {again}[/] again: it rebuilds what was touched.")
            return ExitCode.UNBALANCED
        reports.show_next(run, audited, again)
        return report.exit_code


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
    declared = domain_of(domain)
    window = Window.parse(first, last)
    config = settings_of_stores()
    chosen = Chosen(steps_of(declared))
    run_pulling(config, declared, chosen, window, faults(fault), refresh=refresh, as_json=as_json)


def release(
    domain: DomainArgument,
    day: BookDate,
    reason: Reason,
    as_json: JsonFlag = False,
) -> None:
    """Let a held day pass the gates that hold it, and publish it.

    The release covers what the gates found; what a later verdict finds holds the day again.
    """
    declared = domain_of(domain)
    why = given_reason(reason, "A release needs a reason")
    book_date = parse_day(day)
    config = settings_of_stores()
    with alone(config, domain), progress() as shown:
        opened = open_run(declared, config, progress=shown)
        if not release_gates(opened, book_date, why):
            raise ClearhouseError(
                f"{domain} {day} is not held: there is nothing to release.", "not_held"
            )
        opened.release_reason = why
        report, summary = _steps(opened, steps_of(declared)[1:], Window.day(book_date))
    _tell(opened, report, summary, as_json=as_json)
    if report.exit_code is ExitCode.DONE and not as_json:
        out.print(f"{domain} {day} is released, and readers see it.")
    leave(report.exit_code)


def faults(texts: list[str] | None) -> Faults:
    """Faults by day, as they were typed."""
    if not texts:
        return {}
    from clearhouse.sandbox.options import faults_from_text

    return faults_from_text(texts)


def run_pulling(
    config: Settings,
    domain: Domain,
    chosen: Chosen,
    window: Window,
    faults: Faults,
    *,
    refresh: bool,
    as_json: bool,
) -> None:
    """Run steps that begin with the pull, show what came of them, and end the command."""
    with (
        connected(domain, config, faults, chosen.datasets) as connections,
        alone(config, domain.name),
        progress() as shown,
    ):
        opened = open_run(domain, config, connections, progress=shown, refresh=refresh)
        opened.prepares = len(chosen.steps) > 1
        opened.only, opened.follows = chosen.datasets, chosen.follows
        report, summary = _steps(opened, chosen.steps, window)
    _tell(opened, report, summary, as_json=as_json)
    leave(report.exit_code)


def run_without_pull(
    config: Settings, domain: Domain, chosen: Chosen, window: Window, *, as_json: bool
) -> None:
    """Run steps over what has landed, show what came of them, and end the command."""
    with alone(config, domain.name), progress() as shown:
        opened = open_run(domain, config, progress=shown)
        opened.only = chosen.datasets
        report, summary = _steps(opened, chosen.steps, window)
    _tell(opened, report, summary, as_json=as_json)
    leave(report.exit_code)


def _steps(opened: Run, steps: Sequence[Step[Run]], window: Window) -> tuple[RunReport, Summary]:
    days = list(window.days())
    seen = Seen.now(opened, days)
    report = run_steps(steps, opened, window, run_id=opened.run_id, progress=opened.progress)
    opened.engine.close()
    return report, summarize(opened, report, days, seen)


def _tell(opened: Run, report: RunReport, summary: Summary, *, as_json: bool) -> None:
    if as_json:
        told = {"summary": summary_as_data(summary), "journal": str(opened.journal.head())}
        print(json.dumps({**reports.run_as_data(report), **told}))
    else:
        show_summary(opened, report, summary)
    err.file.flush()
