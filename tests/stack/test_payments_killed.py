"""Services and servers of payments killed, paused and cut off under a steady load: nothing is lost
and nothing is done twice, with the sandbox's oracle and the books as judges.

`make test-stack` does it a few times, `make chaos` at least 40 times. What happens is drawn from
the seed; at what a process is killed is not.
"""

import datetime as dt
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from payment_services import Services
from payment_trial import Trial, seed_of

from clearhouse.sandbox.payments.world import World
from stack.commands import Stack
from stack.connections import cut
from stack.payment_month import Month
from stack.payments_on_stack import apis_of, on_stack, prepared
from stack.server import Server
from stack.two_engines import Home

SERVICES = ("gateway", "normalizer", "normalizer 2", "starter", "worker", "inference")
SERVERS = ("kafka", "temporal", "postgres", "redis")
CUT = "connections"
PAUSED_SECONDS = 30.0
FEW_KILLS = 10
"""With more of them, the broker is paused too."""
WEBHOOKS_OF_A_KILL = 40
"""So many are sent between two kills, about."""
WEBHOOKS_A_SECOND = 40.0


@dataclass
class Havoc:
    """What is done to services and their servers, and how often each was."""

    services: Services
    stack: Stack
    done: Counter[str] = field(default_factory=Counter)

    def kill(self, name: str) -> None:
        """SIGKILL; a server is started again, a service is by its supervisor."""
        if name in SERVERS:
            self.stack.kill(name)
            self.stack.up()
        else:
            self.services.kill(name)
        self.done[name] += 1

    def cut_connections(self) -> None:
        """Cut all connections of services to servers and to inference."""
        ports = {port for name, (_, port, _) in self.stack.status().items() if name in SERVERS}
        ports.add(self.services.places.inference or 0)
        for each in SERVICES:
            self.done[CUT] += cut(self.services.pid(each), ports)

    def pause_broker(self) -> None:
        """Stop the broker without ending it, for longer than anyone waits for it."""
        pid = self.stack.status()["kafka"][2]
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(PAUSED_SECONDS)
        finally:
            os.kill(pid, signal.SIGCONT)


def rounds(chance: random.Random) -> Iterator[str]:
    """Each service and each server in turn, in another order each time."""
    while True:
        names = [*SERVICES, *SERVERS]
        yield from chance.sample(names, len(names))


def test_killed_services_and_servers_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, stack: Stack, server: Server, request: pytest.FixtureRequest
) -> None:
    seed, kills = seed_of(request), request.config.getoption("--kills")
    chance, today = random.Random(seed), dt.datetime.now(dt.UTC).date()
    world = World(seed, kills * WEBHOOKS_OF_A_KILL, today=today)
    moments = sorted(chance.sample(range(len(world.deliveries) - 20), kills))
    with apis_of(world) as apis:
        settings = {**prepared(stack.settings, server, tmp_path), **apis}
        with on_stack(settings) as services:
            havoc, names = Havoc(services, stack), rounds(chance)
            with Trial(world, services, WEBHOOKS_A_SECOND).sending() as trial:
                for number, moment in enumerate(moments):
                    trial.until_acknowledged(moment)
                    if number % FEW_KILLS == FEW_KILLS // 2 or kills < FEW_KILLS:
                        havoc.cut_connections()
                    if number == kills // 2 >= FEW_KILLS:
                        havoc.pause_broker()
                    havoc.kill(next(names))
            trial.judge()
            print(f"{dict(havoc.done)}, answers {dict(trial.report.statuses)}")
            assert sum(havoc.done[name] for name in (*SERVICES, *SERVERS)) == kills
            assert havoc.done[CUT] > 0
        days = {today, dt.datetime.now(dt.UTC).date()}
        for day in sorted(days):
            Month(Home(tmp_path, "payments", settings), day).run()
