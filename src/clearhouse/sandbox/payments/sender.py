"""Sends the requests of a world as providers do: again on anything but 2xx, after a while.

Providers wait for minutes and days; here the waits are short, and double with each attempt.
"""

import asyncio
import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from clearhouse.core.event_loops import run_async
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.client import Connection, NoAnswerError
from clearhouse.sandbox.payments.delivery import Delivery

_FORGED_ATTEMPTS = 2
NO_ANSWER = 0
"""Stands for a status where there was none."""


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How to send.

    Attributes:
        connections: at most this many requests at a time.
        rate: first attempts a second; 0 for as many as are answered.
        attempts: at most, of each request.
        wait_seconds: before the second attempt; twice as long before each further one.
        longest_wait_seconds: between two attempts.
        timeout_seconds: for one answer.
    """

    connections: int = 16
    rate: float = 0.0
    attempts: int = 10
    wait_seconds: float = 0.1
    longest_wait_seconds: float = 5.0
    timeout_seconds: float = 10.0


@dataclass(slots=True)
class SendReport:
    """What came of the requests so far.

    Attributes:
        acknowledged: numbers of the deliveries that were answered with 2xx.
        given_up: numbers of those whose attempts are all refused.
        sent: attempts by provider.
        redelivered: of those, the second and further ones.
        statuses: answers by status; `NO_ANSWER` where there was none.
        took_seconds: from the first request to the last answer.
    """

    acknowledged: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    sent: Counter[Provider] = field(default_factory=Counter)
    taken: Counter[Provider] = field(default_factory=Counter)
    refused: Counter[Provider] = field(default_factory=Counter)
    redelivered: Counter[Provider] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    took_seconds: float = 0.0


def send(
    deliveries: Sequence[Delivery],
    url: str,
    options: SendOptions | None = None,
    *,
    report: SendReport | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> SendReport:
    """Send requests to a gateway until each is answered with 2xx, or its attempts are used up.

    Args:
        deliveries: in their order.
        url: of the gateway.
        options: how.
        report: filled in as it goes, for who watches; made anew by default.
        is_wanted: asked before each attempt; when it says no, nothing more is sent.
    """
    found = report or SendReport()
    sender = _Sender(deliveries, url, options or SendOptions(), found, is_wanted)
    run_async(sender.run())
    return found


class _Sender:
    def __init__(
        self,
        deliveries: Sequence[Delivery],
        url: str,
        options: SendOptions,
        report: SendReport,
        is_wanted: Callable[[], bool],
    ) -> None:
        self._fresh: Iterator[Delivery] = iter(deliveries)
        self._url, self._options, self._report = url, options, report
        self._is_wanted = is_wanted
        self._again: list[tuple[float, int, int, Delivery]] = []
        self._under_way = self._begun = 0
        self._all_begun = False

    async def run(self) -> None:
        began = time.monotonic()
        self._began = began
        async with asyncio.TaskGroup() as group:
            for _ in range(self._options.connections):
                group.create_task(self._work())
        self._report.took_seconds = time.monotonic() - began

    async def _work(self) -> None:
        connection = Connection(self._url, self._options.timeout_seconds)
        try:
            while self._is_wanted():
                due = self._next()
                if due is None:
                    if self._all_begun and not self._under_way and not self._again:
                        return
                    await asyncio.sleep(self._pause())
                    continue
                self._under_way += 1
                try:
                    await self._attempt(connection, *due)
                finally:
                    self._under_way -= 1
        finally:
            connection.close()

    def _next(self) -> tuple[Delivery, int] | None:
        """A request whose time has come, and the number of the attempt; None where none has."""
        now = time.monotonic()
        if self._again and self._again[0][0] <= now:
            _, _, attempt, delivery = heapq.heappop(self._again)
            return delivery, attempt
        rate = self._options.rate
        if rate and (now - self._began) * rate < self._begun:
            return None
        fresh = next(self._fresh, None)
        if fresh is None:
            self._all_begun = True
            return None
        self._begun += 1
        return fresh, 1

    def _pause(self) -> float:
        """Until the next request can be due, about."""
        waits = [0.05]
        if self._again:
            waits.append(self._again[0][0] - time.monotonic())
        if self._options.rate:
            waits.append(1 / self._options.rate)
        return max(min(waits), 0.001)

    async def _attempt(self, connection: Connection, delivery: Delivery, attempt: int) -> None:
        report, provider = self._report, delivery.provider
        report.sent[provider] += 1
        report.redelivered[provider] += attempt > 1
        try:
            headers = delivery.headers(time.time())
            status = await connection.post(delivery.path, headers, delivery.body)
        except NoAnswerError:
            status = NO_ANSWER
        report.statuses[status] += 1
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            report.acknowledged.append(delivery.number)
            report.taken[provider] += 1
            return
        report.refused[provider] += 1
        options = self._options
        if attempt >= (_FORGED_ATTEMPTS if delivery.is_forged else options.attempts):
            report.given_up.append(delivery.number)
            return
        wait = min(options.wait_seconds * 2 ** (attempt - 1), options.longest_wait_seconds)
        due = time.monotonic() + wait
        heapq.heappush(self._again, (due, delivery.number, attempt + 1, delivery))
