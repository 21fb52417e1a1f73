"""How often a client may ask, where nothing is shared or Redis is gone."""

import pytest
from structlog.testing import capture_logs

from clearhouse.cache.rate_limit import RateLimit
from clearhouse.cache.shared import SharedRedis

NOBODY = "redis://:secret-word@127.0.0.1:1/0"


@pytest.mark.parametrize("url", [None, NOBODY])
def test_who_asks_too_often_waits(url: str | None) -> None:
    limit = RateLimit(SharedRedis(url), "test", requests_per_minute=12)
    waits = [limit.wait_seconds("one") for _ in range(3)]
    assert waits[:2] == [0.0, 0.0]  # ten seconds' worth
    assert 0 < waits[2] <= 5
    assert limit.wait_seconds("another") == 0.0
    assert not limit.may_block


@pytest.mark.parametrize("url", [None, NOBODY])
def test_a_limit_of_less_than_one_in_ten_seconds_lets_one_in(url: str | None) -> None:
    limit = RateLimit(SharedRedis(url), "test", requests_per_minute=2)
    waits = [limit.wait_seconds("one") for _ in range(2)]
    assert waits[0] == 0.0
    assert 0 < waits[1] <= 30


def test_a_limit_of_nothing_lets_all_in_and_asks_nobody() -> None:
    limit = RateLimit(SharedRedis(NOBODY), "test", 0)
    assert not limit.may_block
    assert not any(limit.wait_seconds("one") for _ in range(1_000))


def test_a_redis_that_is_gone_is_left_alone_and_its_password_is_not_told() -> None:
    shared = SharedRedis(NOBODY)
    asked = []
    with capture_logs() as told:
        for _ in range(3):
            assert shared.ask(lambda redis: asked.append(1) or redis.get("key")) is None
    assert asked == [1]
    assert [each["event"] for each in told] == ["redis_left_alone"]
    assert "secret-word" not in str(told)
