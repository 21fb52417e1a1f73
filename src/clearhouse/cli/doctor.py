"""`doctor`: which parts answer, with version and lag."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from clearhouse.cli.app import leave, out, settings
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import under_way
from clearhouse.core import tracing
from clearhouse.core.checks import Answer, Check, Finding, ask_all
from clearhouse.core.errors import ClearhouseError, ExitCode, StoreError, UsageError
from clearhouse.core.lock import only_run
from clearhouse.core.resources import resource
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.home import check_home, make_folders
from clearhouse.payments.checks import checks as payment_checks
from clearhouse.pipeline.domain import Source
from clearhouse.pipeline.opening import open_engine, open_run
from clearhouse.settings import Settings
from clearhouse.store import checks as store_checks

_LEAST_FREE_BYTES = 2 << 30
_SECONDS_OF_STORES = 60.0
"""All engines and catalogs are opened, one after another, and an object store is tried again."""
_SECONDS_OF_A_SOURCE = 20.0


def doctor(
    service: Annotated[
        list[str] | None,
        typer.Option(
            "--service",
            metavar="NAME=URL",
            help="A service of payments that must answer there, as gateway=https://pay.example. "
            "Those not named are looked for on this host, and need not run. Repeatable.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask every part whether it answers: its version, what waits for it, and what to do."""
    config = settings()
    asked = [*_checks(config), *payment_checks(config, _named(service or []))]
    with under_way("asking the parts"):
        findings = list(ask_all(asked))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            _print(finding)
    leave(ExitCode.DONE if all(each.ok for each in findings) else ExitCode.FAILED)


def _print(finding: Finding) -> None:
    mark = "[green]ok[/]    " if finding.ok else "[red]failed[/]"
    version = f" ({finding.version})" if finding.version else ""
    out.print(f"{mark} {escape(f'{finding.check}{version}: {finding.detail}')}", soft_wrap=True)
    if finding.next_step:
        out.print(f"       next: {escape(finding.next_step)}", soft_wrap=True)


def _named(given: Sequence[str]) -> dict[str, str]:
    """Services by name, as they were given.

    Raises:
        UsageError: one is not NAME=URL.
    """
    pairs = [text.partition("=") for text in given]
    if not all(name and found and url for name, found, url in pairs):
        raise UsageError("--service is NAME=URL, as in gateway=http://127.0.0.1:8080.", "bad_url")
    return {name: url for name, _, url in pairs}


def _checks(config: Settings) -> list[Check]:
    """Those of the parts that all domains share."""
    sources = {s.name: s for d in DOMAINS for each in domain_of(d).datasets for s in each.sources}
    return [
        Check("home", partial(_home, config)),
        Check("project files", _project_files),
        Check("books", partial(store_checks.books, config.database_url)),
        Check("stores", partial(_stores, config), _SECONDS_OF_STORES),
        Check("cache", partial(store_checks.redis, config.redis_url)),
        Check("tracing", tracing.check),
        *(
            Check(f"source {name}", partial(_source, source, config), _SECONDS_OF_A_SOURCE)
            for name, source in sources.items()
        ),
    ]


def _home(config: Settings) -> Answer:
    home = config.clearhouse_home
    make_folders(config)
    check_home(config)
    free = shutil.disk_usage(home).free
    if free < _LEAST_FREE_BYTES:
        raise ClearhouseError(
            f"{home} has {free >> 20} MiB free: free some, or set CLEARHOUSE_HOME elsewhere.",
            "disk_full",
        )
    return Answer(f"{home} is writable, {free >> 30} GiB free.")


def _project_files() -> Answer:
    for name in ("contracts", "dbt", "gx"):
        if not resource(name).is_dir():
            raise ClearhouseError(f"The folder {name} is missing: install Clearhouse again.")
    return Answer("contracts, dbt and gx are there.")


def _stores(config: Settings) -> Answer:
    make_folders(config)
    check_home(config)
    entries = 0
    for name in DOMAINS:
        _ask_engine(config, name)
        run = open_run(domain_of(name), config)
        run.landing.check()
        for dataset in run.datasets:
            run.lake.columns(dataset.id)
            for files in dataset.exports.values():
                files.folder.check()
        entries += len(run.books.current(name))
        run.engine.close()
    listed = "1 current entry" if entries == 1 else f"{entries:,} current entries"
    return Answer(f"landing, catalog, engine and books open; {listed}.")


def _ask_engine(config: Settings, domain: str) -> None:
    """See that a domain's engine answers. A file is not there before the first run, and one that a
    run has open is its own.
    """
    place = config.engine_of(domain)
    if isinstance(place, Path) and not place.exists():
        return
    engine = open_engine(config, domain, reads_only=True)
    try:
        with only_run(config.clearhouse_home, domain, wait_seconds=0):
            engine.query("SELECT 1 AS one")
    except StoreError as error:
        if error.code != "run_under_way":
            raise
    finally:
        engine.close()


def _source(source: Source, config: Settings) -> Answer:
    return Answer(f"{source.check(config)}.")
