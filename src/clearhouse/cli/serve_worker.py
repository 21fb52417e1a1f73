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
    config = settings_of_stores()
    if config.has_workflow_server:
        from clearhouse.payments.workflows import worker_service as service
    else:
        from clearhouse.payments.worker import service  # type: ignore[no-redef]
    service.serve(config, host, port)
