"""`serve`: the services of payments, each until it is stopped."""

from typing import Annotated

import typer

from clearhouse.cli import (
    serve_inference,
    serve_normalizer,
    serve_payments,
    serve_starter,
    serve_worker,
)
from clearhouse.cli.app import err, settings_of_stores
from clearhouse.cli.options import Host, Port, Workers
from clearhouse.core.supervised import end_with_supervisor

group = typer.Typer(no_args_is_help=True, help="The services of payments.")


@group.callback()
def _the_services() -> None:
    """The services of payments."""
    end_with_supervisor()


@group.command("gateway")
def gateway(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    workers: Workers = 1,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Take the webhooks of the sandbox's accounts alone.")
    ] = False,
) -> None:
    """Take the webhooks of payment providers, and answer when the log has them."""
    from clearhouse.payments.gateway import run

    options = run.prepare(settings_of_stores(), is_of_sandbox=sandbox)
    err.print(f"Webhooks are taken at [bold]http://{host}:{port}/webhooks/…[/] (Ctrl-C ends it):")
    for account in options.accounts:
        err.print(f"  /webhooks/{account.provider}/{account.name}", soft_wrap=True)
    run.serve(host, port, workers, is_of_sandbox=sandbox)


for command in (serve_normalizer, serve_starter, serve_worker, serve_inference, serve_payments):
    command.register(group)
