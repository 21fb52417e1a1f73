"""Services of payments that are killed under a steady load, and a log that is full: nothing is lost
and nothing is done twice, with the sandbox's oracle as the judge.

`make test` kills a few times, `make chaos-embedded` at least 60 times.
"""

import datetime as dt
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from payment_services import Services, running_services, until
from payment_trial import Trial, seed_of

from clearhouse.payments.topics import WEBHOOKS
from clearhouse.sandbox.payments.accounts import STRIPE_KEY
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.world import World
from clearhouse.sandbox.server import running_sources

WEBHOOKS_OF_A_KILL = 150
"""So many are sent between two kills, about."""
WEBHOOKS_A_SECOND = 300.0
KILLED = ("gateway", "normalizer", "worker", "inference")
TODAY = dt.date(2026, 11, 1)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return seed_of(request)


@contextmanager
def started(home: Path, world: World) -> Iterator[Services]:
    """The services, and the API that they fetch thin events from."""
    options = PaymentOptions(seed=world.seed, webhooks=world.webhooks, today=world.today)
    with running_sources({"payment_providers": options}) as urls:
        asked = {"STRIPE_API_URL": urls["payment_providers"], "STRIPE_API_KEY": STRIPE_KEY}
        with running_services({"CLEARHOUSE_HOME": str(home), **asked}) as services:
            services.until_ready()
            yield services


def test_killed_services_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    kills = request.config.getoption("--kills")
    world = World(seed, kills * WEBHOOKS_OF_A_KILL, today=TODAY)
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(len(world.deliveries) - 50), kills))
    with started(tmp_path, world) as services:
        with Trial(world, services, WEBHOOKS_A_SECOND).sending() as trial:
            for moment in moments:
                trial.until_acknowledged(moment)
                services.kill(chance.choice(KILLED))
        trial.judge()
        until(lambda: services.restarts >= kills)


def test_a_gateway_whose_disk_is_full_takes_nothing_and_loses_nothing(
    tmp_path: Path, seed: int
) -> None:
    """Full is a limit on the size of the files that the gateway may write (RLIMIT_FSIZE)."""
    world = World(seed, 400, today=TODAY)
    with started(tmp_path, world) as services:
        with Trial(world, services, WEBHOOKS_A_SECOND).sending() as trial:
            trial.until_acknowledged(100)
            gateway = services.pid("gateway")
            before = resource.prlimit(gateway, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            until(lambda: trial.report.statuses[503] >= 10, lambda: str(trial.report.statuses))
            taken = services.log.end(WEBHOOKS.name)
            until(lambda: trial.report.statuses[503] >= 20, lambda: str(trial.report.statuses))
            assert services.log.end(WEBHOOKS.name) == taken
            resource.prlimit(gateway, resource.RLIMIT_FSIZE, before)
        trial.judge()
        assert services.named("gateway").restarts == 0
