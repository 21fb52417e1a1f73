"""`serve starter`: payment events of the log become runs of the workflow server."""

import typer

from clearhouse.cli.app import settings_of_stores
from clearhouse.cli.options import HealthHost, HealthPort
from clearhouse.core.errors import UsageError


def register(group: typer.Typer) -> None:
    """Add the command to `serve`."""
    group.command("starter")(starter)


def starter(
    host: HealthHost = "127.0.0.1",
    port: HealthPort = None,
) -> None:
    """Start the durable workflow of each payment event, where WORKFLOWS_URL names a server."""
    config = settings_of_stores()
    if not config.has_workflow_server:
        raise UsageError(
            "There is nothing to start: without a server in WORKFLOWS_URL, `clearhouse serve "
            "worker` reads the events itself.",
            "no_workflow_server",
        )
    from clearhouse.payments.workflows import starter_service

    starter_service.serve(config, host, port)
