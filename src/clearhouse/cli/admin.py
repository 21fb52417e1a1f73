"""`settings`, `doctor` and `sandbox serve`."""

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import duckdb
import sqlalchemy as sa
import typer
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from clearhouse.cli.app import leave, out, settings
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import under_way
from clearhouse.core.errors import ClearhouseError, ExitCode
from clearhouse.core.resources import resource
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.home import check_home, make_folders
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import Settings, shown

_LEAST_FREE_BYTES = 2 << 30
_LEAST_FOR_MEANING = 44
"""Columns that the meaning of a setting needs beside its name and value."""

sandbox = typer.Typer(no_args_is_help=True, help="Stand-ins for the outside world.")


def show_settings(as_json: JsonFlag = False) -> None:
    """Every setting in force, secrets masked."""
    values = shown(settings())
    if as_json:
        print(json.dumps(values))
        return
    longest = max(map(len, values.values()))
    if max(map(len, values)) + longest + _LEAST_FOR_MEANING > out.width:
        for name, value in values.items():
            out.print(f"[bold]{name}[/]={escape(value)}", soft_wrap=True)
            out.print(Padding(f"[dim]{escape(_meaning(name))}[/]", (0, 0, 0, 4)))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, min_width=longest)
    table.add_column()
    for name, value in values.items():
        table.add_row(f"[bold]{name}[/]", escape(value), f"[dim]{escape(_meaning(name))}[/]")
    out.print(table)


def _meaning(name: str) -> str:
    return Settings.model_fields[name.lower()].description or ""


def doctor(as_json: JsonFlag = False) -> None:
    """Check that everything a run needs is there and answers."""
    config = settings()
    checks: dict[str, Callable[[Settings], str]] = {
        "home": _check_home,
        "project files": _check_resources,
        "stores": _check_stores,
        "sources": _check_sources,
    }
    answers: list[dict[str, str | bool]] = []
    for name, check in checks.items():
        with under_way(f"checking {name}"):
            try:
                answers.append({"check": name, "ok": True, "detail": check(config)})
            except (ClearhouseError, OSError, sa.exc.DatabaseError, duckdb.Error) as error:
                answers.append({"check": name, "ok": False, "detail": str(error)})
    if as_json:
        print(json.dumps(answers))
    else:
        for answer in answers:
            mark = "[green]ok[/]    " if answer["ok"] else "[red]failed[/]"
            told = escape(f"{answer['check']}: {answer['detail']}")
            out.print(f"{mark} {told}", soft_wrap=True)
    leave(ExitCode.DONE if all(a["ok"] for a in answers) else ExitCode.FAILED)


def _check_home(config: Settings) -> str:
    home = config.clearhouse_home
    make_folders(config)
    check_home(config)
    free = shutil.disk_usage(home).free
    if free < _LEAST_FREE_BYTES:
        raise ClearhouseError(
            f"{home} has {free >> 20} MiB free: free some, or set CLEARHOUSE_HOME elsewhere.",
            "disk_full",
        )
    return f"{home} is writable, {free >> 30} GiB free"


def _check_resources(_config: Settings) -> str:
    for name in ("contracts", "dbt", "gx"):
        if not resource(name).is_dir():
            raise ClearhouseError(f"The folder {name} is missing: install Clearhouse again.")
    return "contracts, dbt and gx are there"


def _check_stores(config: Settings) -> str:
    make_folders(config)
    check_home(config)
    entries = 0
    for name in DOMAINS:
        run = open_run(domain_of(name), config)
        run.landing.check()
        for dataset in run.datasets:
            run.lake.columns(dataset.id)
            for files in dataset.exports.values():
                files.folder.check()
        entries += len(run.books.current(name))
        run.engine.close()
    listed = "1 current entry" if entries == 1 else f"{entries:,} current entries"
    return f"landing, catalog, engine and books open; {listed}"


def _check_sources(config: Settings) -> str:
    sources = [s for name in DOMAINS for d in domain_of(name).datasets for s in d.sources]
    return "; ".join(source.check(config) for source in sources)


@sandbox.command("serve")
def serve_sandbox(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="simtom, retailer_1, retailer_2, retailer_3, gl_service, eia, payment_providers; "
            "none: simtom."
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            help="Of the first source; the others get those after it. 0 takes free ones.",
            min=0,
            max=65531,
        ),
    ] = 8123,
    seed: Annotated[int, typer.Option(help="Seed of the data.", min=1)] = 42,
    volume: Annotated[
        str, typer.Option(help="Of simtom. asked: as many records as asked for; formula: its own.")
    ] = "asked",
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="2024-01-03=negative_amounts and the like. Repeatable."),
    ] = None,
    hostile: Annotated[
        bool, typer.Option("--hostile", help="Some of every fault, on days chosen by the seed.")
    ] = False,
) -> None:
    """Serve stand-ins for sources on 127.0.0.1, simtom or those named, until they are stopped."""
    from clearhouse.sandbox.options import faults_from_text
    from clearhouse.sandbox.registry import SOURCES, source_named
    from clearhouse.sandbox.server import serve_sources

    if volume not in ("asked", "formula"):
        raise typer.BadParameter("--volume is asked or formula")
    common: dict[str, Any] = {
        "seed": seed,
        "faults": faults_from_text(fault or []),
        "hostile": hostile,
    }
    own: dict[str, dict[str, Any]] = {"simtom": {"volume": volume}}
    asked = {
        name: source_named(name).options(**common, **own.get(name, {}))
        for name in sources or ["simtom"]
    }

    def ready(urls: dict[str, str]) -> None:
        for name, url in urls.items():
            key = SOURCES[name].key
            out.print(f"{name} (sandbox) at {url}" + (f", key {key}" if key else ""))

    ports = {name: port + at if port else 0 for at, name in enumerate(asked)}
    with suppress(KeyboardInterrupt, asyncio.CancelledError):  # the way to end a server
        serve_sources(asked, ports=ports, on_ready=ready)
