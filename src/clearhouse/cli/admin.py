"""`settings` and `sandbox serve`."""

import asyncio
import json
from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from clearhouse.cli.app import out, settings
from clearhouse.cli.options import JsonFlag
from clearhouse.settings import Settings, shown

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
