"""What services share through Redis: counted together, and by each alone while Redis is slow."""

import os
import signal

import pytest
from structlog.testing import capture_logs

from clearhouse.cache.rate_limit import RateLimit
from clearhouse.cache.shared import SharedRedis
from stack.commands import Stack


@pytest.fixture
def url(stack: Stack) -> str:
    return stack.settings["REDIS_URL"]


def test_two_processes_count_a_client_together(url: str) -> None:
    first, second = (RateLimit(SharedRedis(url), "together", 12) for _ in range(2))
    assert [each.wait_seconds("one") for each in (first, second)] == [0.0, 0.0]
    assert min(first.wait_seconds("one"), second.wait_seconds("one")) > 0
    assert RateLimit(SharedRedis(url), "another", 12).wait_seconds("one") == 0.0


def test_a_redis_that_stands_still_is_not_waited_for(stack: Stack, url: str) -> None:
    shared = SharedRedis(url)
    limit = RateLimit(shared, "slow", 12)
    assert limit.wait_seconds("one") == 0.0
    process = stack.status()["redis"][2]
    os.kill(process, signal.SIGSTOP)
    try:
        with capture_logs() as told:
            assert [limit.wait_seconds("one") for _ in range(2)] == [0.0, 0.0]
            assert limit.wait_seconds("one") > 0
            assert not shared.answers
    finally:
        os.kill(process, signal.SIGCONT)
    assert [each["reason"] for each in told] == ["it is too slow"]
