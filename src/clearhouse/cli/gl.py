"""`gl`: the general ledger's own commands."""

import typer

from clearhouse.cli import gl_reports
from clearhouse.cli.app import err, settings
from clearhouse.cli.options import FirstBookDate, Host, JsonFlag, LastBookDate, Port, Workers

group = typer.Typer(no_args_is_help=True, help="The general ledger.")


@group.callback()
def _the_general_ledger() -> None:
    """The general ledger."""


@group.command("serve")
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
) -> None:
    """Serve the general ledger: its history first, then new entries as they come."""
    from clearhouse.gl.service import run

    loaded = settings()
    run.prepare(loaded)
    if not loaded.gl_service_keys:
        err.print(f"Keys are in [bold]{loaded.gl_service_keys_file}[/].", soft_wrap=True)
    at = f"http://{host}:{port}"
    err.print(f"The general ledger is served at [bold]{at}[/] (Ctrl-C ends it).")
    err.print(f"Its history is stored first: {at}/health/ready says how far it is.")
    run.serve(host, port, workers)


@group.command("check")
def check(
    first: FirstBookDate = None, last: LastBookDate = None, as_json: JsonFlag = False
) -> None:
    """Find journal entries that are wrong, also on days that are held."""
    from clearhouse.cli.gl_check import check as find

    find(first, last, as_json=as_json)


gl_reports.register(group)
