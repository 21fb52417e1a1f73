"""A day whose rows break a test of a mart is not published, and its neighbour is."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import toy.domain
from toy.domain import TOY
from toy_home import DAYS, Toy

BAD, NEXT = DAYS[:2]
WHY = f"{BAD} failed by publish_quality_metrics: dbt test nothing_was_sold_on_that_day failed"
A_TEST = f"select * from {{{{ ref('mart_toy_takings') }}}} where sold_on = date '{BAD}'\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """Where a test of a mart fails with the rows of one day."""
    tests = tmp_path / "tests"
    shutil.copytree(TOY.model_tests, tests)
    (tests / "nothing_was_sold_on_that_day.sql").write_text(A_TEST)
    monkeypatch.setattr(toy.domain, "TOY", replace(TOY, model_tests=tests))
    return Toy(tmp_path / "home")


def test_readers_see_a_day_only_when_the_marts_hold_with_it(home: Toy) -> None:
    first = home.run(BAD)

    assert WHY in first.stderr, first.exception

    answer = home.run(BAD, NEXT)

    assert answer.exit_code == 1, answer.output
    assert WHY in answer.stderr
    assert home.visible() == {NEXT: 40}
