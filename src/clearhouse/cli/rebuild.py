"""`rebuild`: every store again from landing alone."""

import json
from pathlib import Path
from typing import Any

import typer

from clearhouse.bnpl.closing import audit_days
from clearhouse.bnpl.context import DOMAIN, Bnpl
from clearhouse.bnpl.rebuild import Rebuilt, check_landing, landed_days, rebuild
from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.balance import show_trial_balance
from clearhouse.cli.options import DomainArgument, JsonFlag, domain_of
from clearhouse.cli.progress import progress, under_way
from clearhouse.cli.waiting import alone
from clearhouse.cli.words import counted
from clearhouse.books.audit import Audit
from clearhouse.core.lock import only_run
from clearhouse.pipeline.runner import ExitCode
from clearhouse.home import note_home
from clearhouse.landing.folder import ObjectFolder
from clearhouse.settings import Settings
from clearhouse.store.aside import Aside
from clearhouse.world import open_bnpl

_MOST_TOLD = 10
_NOT_IN_LANDING = (
    "The books were lost too, and landing does not hold what people decided: a day that was "
    "released is held again, and closed days are to be closed again, in order."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild")(rebuild_command)


def rebuild_command(domain: DomainArgument, as_json: JsonFlag = False) -> None:
    """Build bronze, silver, gold and what readers see again, from landing alone.

    The books, releases and certificates stay where they are there. Until the new stores are
    whole, the old ones are kept beside them.
    """
    domain_of(domain)
    config = settings_of_stores(makes_them_again=True)
    folder = ObjectFolder.from_url(config.landing_url)
    days = landed_days(folder)
    stores = _derived_stores(config)
    with alone(config, domain):
        bnpl = _open_beside(config, stores)
        with progress() as shown:
            bnpl.progress = shown
            rebuilt = rebuild(bnpl, folder, days)
        with under_way("measuring every store again"):
            audited = audit_days(bnpl)
            broken = bnpl.certificates.verify_chain(DOMAIN)
        code = ExitCode.UNBALANCED if audited.findings or broken else rebuilt.report.exit_code
        if code in (ExitCode.DONE, ExitCode.HELD):
            stores.discard()
            note_home(config)
    if as_json:
        out.print_json(json.dumps(_as_data(rebuilt, audited, broken, code)))
    else:
        _show(rebuilt, audited, broken)
    if stores.kept():
        _tell_what_is_kept(stores)
    leave(code)


def _derived_stores(config: Settings) -> Aside:
    catalog = Path(config.catalog_url.removeprefix("sqlite:///"))
    home = config.clearhouse_home
    return Aside((home / "bronze", catalog, config.engine_path), home / "rebuilding")


def _open_beside(config: Settings, stores: Aside) -> Bnpl:
    """The parts over new stores; the old ones are put back if landing is not as it should be."""
    stores.begin()
    try:
        with under_way("holding landing against the books"):
            bnpl = open_bnpl(config)
            check_landing(bnpl)
    except BaseException:
        stores.undo()
        raise
    return bnpl


def _show(rebuilt: Rebuilt, audited: Audit, broken: list[str]) -> None:
    reports.show_stopped(rebuilt.report)
    for day, (made_from, landed) in rebuilt.shown.items():
        out.print(f"{day}: readers see it as it was at version {made_from} of {landed}.")
    show_trial_balance(audited)
    reports.show_findings(audited)
    for line in broken:
        out.print(f"[red]certificate chain, {line}[/]")
    if rebuilt.books_were_empty:
        out.print(_NOT_IN_LANDING)
        return
    out.print(f"Compared with the books of before: {counted(rebuilt.same, 'total')} the same.")
    for hop, day in rebuilt.differing[:_MOST_TOLD]:
        out.print(f"[yellow]{hop}, {day}: not the totals of before.[/]")
    if len(rebuilt.differing) > _MOST_TOLD:
        out.print(f"[yellow]and {len(rebuilt.differing) - _MOST_TOLD:,} more.[/]")


def _as_data(rebuilt: Rebuilt, audited: Audit, broken: list[str], code: ExitCode) -> dict[str, Any]:
    return {
        **reports.run_as_data(rebuilt.report),
        "exit_code": int(code),
        "findings": [line for f in audited.findings for line in reports.finding_lines(f)],
        "broken_certificates": broken,
        "shown_as_before": {
            str(day): {"version": made_from, "of": landed}
            for day, (made_from, landed) in rebuilt.shown.items()
        },
        "books_were_empty": rebuilt.books_were_empty,
        "same_entries": rebuilt.same,
        "differing_entries": [
            {"hop": hop, "book_date": str(day)} for hop, day in rebuilt.differing
        ],
    }


def _tell_what_is_kept(stores: Aside) -> None:
    listed = ", ".join(reports.near(path) for path in stores.kept())
    err.print(
        f"The stores of before are kept as {listed}: the same command again goes on, and deletes "
        "them when all balances.",
        soft_wrap=True,
    )
