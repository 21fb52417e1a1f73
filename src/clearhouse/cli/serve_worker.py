"""`serve worker`: payment events of the log become rows of the operational store."""

import typer

from clearhouse.cli.app import settings_of_stores
from clearhouse.cli.options import HealthHost, HealthPort


def register(group: typer.Typer) -> None:
    """Add the command to `serve`."""
    group.command("worker")(worker)


def worker(
    host: HealthHost = "127.0.0.1",
    port: HealthPort = None,
) -> None:
    """Record payment events in the operational store, and publish what was recorded."""
    from clearhouse.payments.worker import service

    service.serve(settings_of_stores(), host, port)
