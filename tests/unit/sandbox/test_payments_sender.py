"""The sender of webhooks: again on anything but 2xx, a bounded number of times."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import pytest
from served import served
from starlette.types import Receive, Scope, Send

from clearhouse.sandbox.payments.delivery import Delivery
from clearhouse.sandbox.payments.sender import SendOptions, send
from clearhouse.sandbox.payments.world import World


@pytest.fixture(scope="module")
def deliveries() -> list[Delivery]:
    world = World(3, 200, today=dt.date(2026, 11, 1))
    return [each for each in world.deliveries if not each.is_forged]


class Gateway:
    """Answers the attempts at each body with statuses in turn; the last one stays."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = statuses
        self.attempts: Counter[bytes] = Counter()
        self.paths: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.attempts[body] += 1
        self.paths.add(scope["path"])
        status = self._statuses[min(self.attempts[body], len(self._statuses)) - 1]
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _numbers(deliveries: Sequence[Delivery]) -> list[int]:
    return [each.number for each in deliveries]


def test_each_is_sent_until_it_is_acknowledged(deliveries: list[Delivery]) -> None:
    gateway = Gateway(503, 302, 202)
    with served(gateway) as url:
        report = send(deliveries, url, SendOptions(connections=4, wait_seconds=0.01))

    assert sorted(report.acknowledged) == _numbers(deliveries)
    assert not report.given_up
    assert all(attempts >= 3 for attempts in gateway.attempts.values())
    assert sum(report.redelivered.values()) == report.statuses[503] + report.statuses[302]
    assert "/webhooks/stripe" in gateway.paths
    assert "/webhooks/stripe/connect" in gateway.paths


def test_attempts_are_bounded(deliveries: list[Delivery]) -> None:
    gateway = Gateway(401)
    few = [next(each for each in deliveries if each.provider == name) for name in ("stripe",)]
    with served(gateway) as url:
        report = send(few, url, SendOptions(attempts=3, wait_seconds=0.01))

    assert report.given_up == _numbers(few)
    assert list(gateway.attempts.values()) == [3]


def test_nobody_there_is_no_answer(deliveries: list[Delivery]) -> None:
    with served(Gateway(200)) as url:
        pass
    report = send(deliveries[:2], url, SendOptions(attempts=2, wait_seconds=0.01))

    assert sorted(report.given_up) == _numbers(deliveries[:2])
    assert report.statuses == {0: 4}
