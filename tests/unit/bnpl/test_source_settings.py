"""How a real source is asked by default, beside the sandbox."""

import pytest

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
