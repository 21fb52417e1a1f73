"""`serve worker`: payment events of the log become rows of the operational store."""

from typing import Annotated

import typer

from clearhouse.cli.app import settings_of_stores


def register(group: typer.Typer) -> None:
    """Add the command to `serve`."""
    group.command("worker")(worker)


def worker(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of health and metrics.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="Port of health and metrics.", min=1, max=65535),
    ] = None,
) -> None:
    """Record payment events in the operational store, and publish what was recorded."""
    from clearhouse.payments.worker import service

    service.serve(settings_of_stores(), host, port)
