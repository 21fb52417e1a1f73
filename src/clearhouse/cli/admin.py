"""`settings`, `doctor` and `sandbox serve`."""

import asyncio
import json
import shutil
from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from clearhouse.bnpl.api_client import BNPLAPIClient
from clearhouse.cli.app import leave, out, settings
from clearhouse.cli.options import JsonFlag
from clearhouse.core.errors import ClearhouseError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.resources import resource
from clearhouse.core.runner import ExitCode
from clearhouse.settings import Settings, shown
from clearhouse.world import open_bnpl

_LEAST_FREE_BYTES = 2 << 30

sandbox = typer.Typer(no_args_is_help=True, help="Stand-ins for the outside world.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("settings")(show_settings)
    app.command("doctor")(doctor)
    app.add_typer(sandbox, name="sandbox")


def show_settings(as_json: JsonFlag = False) -> None:
    """Every setting in force, secrets masked."""
    values = shown(settings())
    if as_json:
        print(json.dumps(values))
        return
    table = Table()
    for name in ("setting", "value", "meaning"):
        table.add_column(name, overflow="fold")
    for name, value in values.items():
        meaning = Settings.model_fields[name.lower()].description or ""
        table.add_row(name, value.replace("[", r"\["), meaning)
    out.print(table)


def doctor(as_json: JsonFlag = False) -> None:
    """Check that everything a run needs is there and answers."""
    config = settings()
    checks: dict[str, Callable[[Settings], str]] = {
        "home": _check_home,
        "project files": _check_resources,
        "stores": _check_stores,
        "source": _check_source,
    }
    answers: list[dict[str, str | bool]] = []
    for name, check in checks.items():
        try:
            answers.append({"check": name, "ok": True, "detail": check(config)})
        except (ClearhouseError, OSError) as error:
            answers.append({"check": name, "ok": False, "detail": str(error)})
    if as_json:
        print(json.dumps(answers))
    else:
        for answer in answers:
            mark = "[green]ok[/]    " if answer["ok"] else "[red]failed[/]"
            out.print(f"{mark} {answer['check']}: {answer['detail']}")
    leave(ExitCode.DONE if all(a["ok"] for a in answers) else ExitCode.FAILED)


def _check_home(config: Settings) -> str:
    home = config.clearhouse_home
    home.mkdir(parents=True, exist_ok=True)
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
    bnpl = open_bnpl(config)
    entries = len(bnpl.books.current("bnpl"))
    return f"landing, catalog, engine and books open; {entries} current entries"


def _check_source(config: Settings) -> str:
    if not config.bnpl_api_url:
        return "BNPL_API_URL is not set: the sandbox stands in for simtom"

    async def ask(url: str) -> str:
        async with BNPLAPIClient(url, policy=HttpPolicy(attempts=2)) as client:
            info = await client.test_connection()
        return f"simtom {info.version} answers at BNPL_API_URL: {info.status}"

    return asyncio.run(ask(config.bnpl_api_url))


@sandbox.command("serve")
def serve_sandbox(
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8123,
    seed: Annotated[int, typer.Option(help="Which world.", min=1)] = 42,
    volume: Annotated[
        str, typer.Option(help="asked: as many records as asked for; formula: as simtom has it.")
    ] = "asked",
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="2024-01-03=negative_amounts and the like. Repeatable."),
    ] = None,
) -> None:
    """Serve the sandbox's simtom on 127.0.0.1 until it is stopped."""
    from clearhouse.sandbox.options import SandboxOptions, faults_from_text
    from clearhouse.sandbox.server import serve

    if volume not in ("asked", "formula"):
        raise typer.BadParameter("--volume is asked or formula")
    options = SandboxOptions(
        seed=seed,
        volume="formula" if volume == "formula" else "asked",
        faults=faults_from_text(fault or []),
    )
    serve(options, port=port, on_ready=lambda url: out.print(f"simtom (sandbox) at {url}"))
