"""`serve normalizer`: webhooks of the log become payment events."""

from typing import Annotated

import typer

from clearhouse.cli.app import settings_of_stores
from clearhouse.cli.options import HealthHost, HealthPort


def register(group: typer.Typer) -> None:
    """Add the command to `serve`."""
    group.command("normalizer")(normalizer)


def normalizer(
    host: HealthHost = "127.0.0.1",
    port: HealthPort = None,
    has_breaker: Annotated[
        bool,
        typer.Option(
            "--breaker/--no-breaker", help="Stop at a flood of webhooks that can't be read."
        ),
    ] = True,
) -> None:
    """Make payment events of the webhooks in the log, and archive them in landing."""
    from clearhouse.payments.normalizer import service

    service.serve(settings_of_stores(), host, port, has_breaker=has_breaker)
