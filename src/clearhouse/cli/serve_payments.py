"""`serve payments`: all services of payments under one supervisor, with one live view."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Annotated

import typer

from clearhouse.cli.app import err, settings_of_stores
from clearhouse.cli.flow_view import Looking, view
from clearhouse.cli.month import Count, Seed, Today, day_of
from clearhouse.core.supervisor import Supervisor
from clearhouse.payments.flow import measure
from clearhouse.payments.opening import opened
from clearhouse.payments.services import (
    GATEWAY_PORT,
    INFERENCE_PORT,
    NORMALIZER_PORT,
    STARTER_PORT,
    WORKER_PORT,
    Places,
    services,
)

_LoopPort = Annotated[
    int,
    typer.Option(
        metavar="PORT", help="Of its health and metrics, where it is started.", min=1, max=65535
    ),
]


def register(group: typer.Typer) -> None:
    """Add the command to `serve`."""
    group.command("payments")(payments)


def payments(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address that the gateway listens at.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", help="Of the gateway.", min=1, max=65535)
    ] = GATEWAY_PORT,
    inference_port: Annotated[
        int, typer.Option(metavar="PORT", help="Of the inference service.", min=1, max=65535)
    ] = INFERENCE_PORT,
    normalizer_port: _LoopPort = NORMALIZER_PORT,
    worker_port: _LoopPort = WORKER_PORT,
    starter_port: _LoopPort = STARTER_PORT,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox", help="Take the webhooks of the sandbox, whose provider APIs run beside."
        ),
    ] = False,
    count: Count = 20_000,
    seed: Seed = 42,
    today: Today = None,
) -> None:
    """Serve all services of payments, and show how they are.

    With `--sandbox`, `--count`, `--seed` and `--today` say which month the provider APIs know: the
    one that `payments simulate` sends.
    """
    health = {"normalizer": normalizer_port, "worker": worker_port, "starter": starter_port}
    places = Places(host, port, inference_port, health)
    if not sandbox:
        serve(places, {}, of_sandbox=False)
        return
    from clearhouse.sandbox.payments.accounts import STRIPE_KEY
    from clearhouse.sandbox.payments.options import PaymentOptions
    from clearhouse.sandbox.payments.source import PROVIDERS
    from clearhouse.sandbox.server import running_sources

    month = PaymentOptions(seed=seed, webhooks=count, today=day_of(today))
    with running_sources({PROVIDERS.name: month}) as urls:
        asked = {"STRIPE_API_URL": urls[PROVIDERS.name], "STRIPE_API_KEY": STRIPE_KEY}
        settings = " ".join(f"{name}={value}" for name, value in asked.items())
        err.print(
            f"Stripe's list is asked with: {settings} clearhouse payments gaps", soft_wrap=True
        )
        serve(places, asked, of_sandbox=True)


def serve(places: Places, environment: Mapping[str, str], *, of_sandbox: bool) -> None:
    """Serve until Ctrl-C or SIGTERM. The door is closed first; what was accepted stays.

    Args:
        places: where the services listen.
        environment: settings of the services, beside those of this process.
        of_sandbox: the gateway takes the webhooks of the sandbox's accounts, and no others.
    """
    from clearhouse.core.loops import until_a_signal

    config = settings_of_stores()
    with ExitStack() as stack:
        # Made here, so that the services find the log and the store as they must be.
        log, store = stack.enter_context(opened(config, config.database_access("payments")))
        err.print(f"Webhooks are taken at [bold]{places.gateway_url}/webhooks/…[/] (Ctrl-C ends).")
        shown = stack.enter_context(view())
        children = services(
            places, environment, of_sandbox=of_sandbox, has_starter=config.has_workflow_server
        )
        supervisor = Supervisor(children, shown.tell)
        looking = Looking(
            shown,
            supervisor.running,
            lambda: measure(log, store.engine, has_workflows=config.has_workflow_server),
        )
        # The first signal asks the services to end; the second ends them at once.
        stop = stack.enter_context(until_a_signal(again=lambda: _kill_all(supervisor)))
        supervisor.start()
        supervisor.run_until(stop, looking)


def _kill_all(supervisor: Supervisor) -> None:
    for each in supervisor.running:
        each.kill()
