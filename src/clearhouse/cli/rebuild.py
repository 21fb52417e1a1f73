"""`rebuild`: every store again from landing alone."""

import json
from pathlib import Path
from typing import Any

from clearhouse.books.audit import Audit
from clearhouse.cli import report as reports
from clearhouse.cli.app import err, leave, out, settings_of_stores
from clearhouse.cli.balance import show_trial_balance
from clearhouse.cli.options import DomainArgument, JsonFlag
from clearhouse.cli.progress import progress, under_way
from clearhouse.cli.summary import show_stopped
from clearhouse.cli.waiting import alone
from clearhouse.cli.words import counted, days_in_words
from clearhouse.core.errors import ExitCode
from clearhouse.core.paths import near
from clearhouse.domains import domain_of
from clearhouse.home import note_home, tables_elsewhere
from clearhouse.pipeline import ops
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.journal import set_aside_heads
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.rebuild import Rebuilt, check_landing, landed_days, rebuild
from clearhouse.settings import Settings
from clearhouse.store.backup import Backup

_MOST_SHOWN = 10
_NOT_IN_LANDING = (
    "The books were lost too, and landing does not hold what people decided: a day that was "
    "released is held again, one whose correction is held is not published, and closed days are "
    "to be closed again, in order."
)


def rebuild_command(domain: DomainArgument, as_json: JsonFlag = False) -> None:
    """Build bronze, silver, gold and what readers see again, from landing alone.

    The books, releases and certificates stay where they are there. Until the new stores are
    whole, the old ones are kept beside them, and readers go on with what they see.
    """
    domain_of(domain)
    config = settings_of_stores(makes_them_again=True)
    stores = _derived_stores(config, domain)
    with alone(config, domain):
        run = _open_beside(config, domain, stores)
        with progress() as shown:
            run.progress = shown
            rebuilt = rebuild(run, landed_days(run))
        with under_way("measuring every store again"):
            audited = audit_days(run)
            broken = run.certificates.verify_chain(domain)
        if rebuilt.books_were_empty:
            set_aside_heads(run)
        run.engine.close()
        code = ExitCode.UNBALANCED if audited.findings or broken else rebuilt.report.exit_code
        if code in (ExitCode.DONE, ExitCode.HELD):
            stores.discard()
            _note(config)
    if as_json:
        print(json.dumps(_as_data(rebuilt, audited, broken, code)))
    else:
        _show(run, rebuilt, audited, broken)
    if stores.kept():
        _show_what_is_kept(stores)
    leave(code)


def _note(config: Settings) -> None:
    """Note that the home is here, if no domain's tables are left that name another one's files."""
    if not (left := tables_elsewhere(config)):
        note_home(config)
        return
    place = next(iter(left.values()))
    err.print(
        f"Tables of {', '.join(left)} still name the files at {place}: other commands refuse this "
        "home until they are rebuilt too.",
        soft_wrap=True,
    )


def _warehouse(config: Settings, domain: str) -> tuple[Path, ...]:
    """The file of the embedded engine. One on a server keeps what is before beside what is made."""
    place = config.engine_of(domain)
    return (place,) if isinstance(place, Path) else ()


def _derived_stores(config: Settings, domain: str) -> Backup:
    home = config.clearhouse_home
    return Backup(
        (home / "bronze" / domain, *_warehouse(config, domain)), home / f"rebuilding-{domain}"
    )


def _open_beside(config: Settings, domain: str, stores: Backup) -> Run:
    """The parts over new stores; the old ones are put back if landing is not as it should be.

    Landing is looked at before any store is touched.
    """
    declared = domain_of(domain)
    with under_way("comparing landing with the books"):
        before = open_run(declared, config)
        try:
            landed_days(before)
            check_landing(before)
        finally:
            before.engine.close()
    stores.begin()
    run = open_run(declared, config)
    for dataset in run.datasets:
        run.lake.forget(dataset.id)
    ops.to_be_made_anew(run.engine, domain)
    return run


def _show(run: Run, rebuilt: Rebuilt, audited: Audit, broken: list[str]) -> None:
    show_stopped(run, rebuilt.report)
    if rebuilt.shown:
        days = days_in_words(rebuilt.shown)
        why = "before a correction that is held, or rolled back"
        out.print(f"Readers see {days} as they did: {why}.", soft_wrap=True)
    show_trial_balance(audited)
    reports.show_findings(audited)
    reports.show_broken_chain(broken)
    if rebuilt.books_were_empty:
        out.print(_NOT_IN_LANDING)
        return
    out.print(f"Compared with the books of before: {counted(rebuilt.same, 'total')} the same.")
    for hop, day in rebuilt.differing[:_MOST_SHOWN]:
        out.print(f"[yellow]{hop}, {day}: not the totals of before.[/]")
    if len(rebuilt.differing) > _MOST_SHOWN:
        out.print(f"[yellow]and {len(rebuilt.differing) - _MOST_SHOWN:,} more.[/]")


def _as_data(rebuilt: Rebuilt, audited: Audit, broken: list[str], code: ExitCode) -> dict[str, Any]:
    return {
        **reports.run_as_data(rebuilt.report),
        "exit_code": int(code),
        "findings": [line for f in audited.findings for line in reports.finding_lines(f)],
        "broken_certificates": broken,
        "shown_as_before": [str(day) for day in rebuilt.shown],
        "books_were_empty": rebuilt.books_were_empty,
        "same_entries": rebuilt.same,
        "differing_entries": [
            {"hop": hop, "book_date": str(day)} for hop, day in rebuilt.differing
        ],
    }


def _show_what_is_kept(stores: Backup) -> None:
    listed = ", ".join(near(str(path)) for path in stores.kept())
    err.print(
        f"The stores of before are kept as {listed}: the same command again goes on, and deletes "
        "them when all balances.",
        soft_wrap=True,
    )
