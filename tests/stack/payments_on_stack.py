"""All services of payments on a stack's Kafka, Temporal, PostgreSQL, Redis and S3 store."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from payment_services import Services, running_services
from payments_month import provider_apis

from clearhouse.core.supervisor import Patience
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.world import World
from stack.payment_runs import Payments
from stack.server import Server
from stack.test_run_on_s3 import KEYS

SOON_SECONDS = 480.0
"""Runs that found no store several times look again after minutes."""
_PATIENCE = Patience(restart_seconds=0.1, restart_most_seconds=1.0)


@contextmanager
def apis_of(world: World) -> Iterator[dict[str, str]]:
    """The APIs that know what a world's webhooks are about, as settings."""
    options = PaymentOptions(seed=world.seed, webhooks=world.webhooks, today=world.today)
    with provider_apis(options) as urls:
        yield urls


def prepared(stack: Mapping[str, str], server: Server, home: Path) -> dict[str, str]:
    """The settings of a home that nobody else uses, on servers that are prepared for it."""
    home.mkdir(parents=True, exist_ok=True)
    payments = Payments(stack, server, home)
    payments.prepare()
    return {
        **payments.environment,
        **{name: stack[name] for name in KEYS},
        "ENGINE_URL_PAYMENTS": payments.environment["PAYMENTS_DATABASE_URL"],
        "LANDING_URL": f"s3://clearhouse/{uuid.uuid4().hex}",
        "REDIS_URL": stack["REDIS_URL"],
    }


@contextmanager
def on_stack(environment: Mapping[str, str]) -> Iterator[Services]:
    """The services, two normalizers among them, ready."""
    with running_services(environment, _PATIENCE, SOON_SECONDS, normalizers=2) as services:
        services.until_ready()
        yield services
