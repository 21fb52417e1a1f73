"""How a real source is asked by default, beside the sandbox."""

import pytest

from clearhouse.bnpl.source import connect
from clearhouse.settings import load_settings


@pytest.mark.parametrize(
    ("url", "set_to", "concurrency"),
    [(None, None, 4), ("http://simtom", None, 1), ("http://simtom", 8, 8), (None, 2, 2)],
)
def test_a_real_source_is_asked_one_day_at_a_time_unless_set_otherwise(
    url: str | None, set_to: int | None, concurrency: int
) -> None:
    given = {"bnpl_api_url": url, "bnpl_concurrency": set_to}
    assert load_settings(_env_file=None, **given).concurrency == concurrency


def test_the_client_asks_for_as_many_days_at_once_as_the_settings_say() -> None:
    settings = load_settings(_env_file=None, bnpl_api_url="http://simtom")

    with connect(settings, {}) as connection:
        assert connection.policy.concurrency == 1


def test_an_answer_without_an_end_is_given_up_within_minutes() -> None:
    settings = load_settings(_env_file=None, bnpl_api_url="http://simtom")

    with connect(settings, {}) as connection:
        assert connection.policy.total_timeout_seconds <= 10 * 60
