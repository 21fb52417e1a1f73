"""A world that is sent to services of payments under whatever is done to them, and a judgement."""

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from payment_positions import kept, unaccounted
from payment_services import Services, until

from clearhouse.sandbox.payments.oracle import differences, message_differences
from clearhouse.sandbox.payments.sender import SendOptions, SendReport, send
from clearhouse.sandbox.payments.world import World


def seed_of(request: pytest.FixtureRequest) -> int:
    """The one asked for, or where any will do, another one at each time; a failure shows it."""
    asked = request.config.getoption("--seed")
    found = secrets.randbelow(1_000_000) if asked == "any" else int(asked)
    print(f"--seed {found}")
    return found


class Trial:
    """A world that is being sent to services, and what of it was answered with success.

    Args:
        world: is sent from now on, each request until it is taken.
        services: take it.
        rate: first attempts a second; 0: as many as are answered.
    """

    def __init__(self, world: World, services: Services, rate: float) -> None:
        self.world, self.services, self.report = world, services, SendReport()
        self._is_wanted = True
        options = SendOptions(
            rate=rate, attempts=100_000, wait_seconds=0.05, longest_wait_seconds=0.5
        )
        self._thread = threading.Thread(
            target=send,
            args=(world.deliveries, services.url, options),
            kwargs={"report": self.report, "is_wanted": lambda: self._is_wanted},
        )

    @contextmanager
    def sending(self) -> Iterator["Trial"]:
        """Send beside the block; what is left at its end only if it ends without an error."""
        self._thread.start()
        try:
            yield self
        except BaseException:
            self._is_wanted = False
            raise
        finally:
            self._thread.join()

    def until_acknowledged(self, count: int) -> None:
        until(lambda: len(self.report.acknowledged) >= count, self._told, self.services.soon)

    def judge(self) -> None:
        """See that everything that was answered with success is in the tables once."""
        services, world = self.services, self.world
        services.until_settled()
        assert {n for n in self.report.given_up if not world.deliveries[n].is_forged} == set()
        assert self._answered() - set(kept(services.log)) == set()
        assert unaccounted(services.log, services.store) == []
        assert differences(world, services.store) == []
        assert message_differences(world, services.log) == []

    def _answered(self) -> set[str]:
        bodies = [self.world.deliveries[number].body for number in self.report.acknowledged]
        return {hashlib.sha256(body).hexdigest() for body in bodies}

    def _told(self) -> str:
        return "\n".join([str(self.report.statuses), *self.services.said])
