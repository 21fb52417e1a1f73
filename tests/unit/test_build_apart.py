"""Days are built together, and those that can't be built are singled out."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from clearhouse.engines.dbt_messages import DbtError, DbtResult, NodeResult
from clearhouse.pipeline.transform import build_apart

YEAR = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(366)]
BROKEN = DbtResult((NodeResult("fct", "model", "error", 0.1, "overflow", 0),), 0.1)


@dataclass
class Builds:
    """Fails with any of the bad days; notes what it was asked to build, and what it built."""

    bad: frozenset[dt.date]
    asked: int = 0
    built: list[dt.date] = field(default_factory=list)

    def __call__(self, days: Sequence[dt.date]) -> None:
        self.asked += 1
        if found := sorted(self.bad & set(days)):
            raise DbtError(f"{found[0]} overflows", BROKEN)
        self.built += days


@pytest.mark.parametrize("bad", [[], [0], [365], [100, 101], [3, 180, 300], range(0, 366, 20)])
def test_every_day_is_built_but_those_that_can_not_be(bad: Sequence[int]) -> None:
    build = Builds(frozenset(YEAR[n] for n in bad))

    failed = build_apart(build, YEAR)

    assert failed == {YEAR[n]: f"{YEAR[n]} overflows" for n in bad}
    assert sorted(build.built) == [day for day in YEAR if day not in failed]


def test_what_is_wrong_with_all_days_is_not_tried_for_each() -> None:
    build = Builds(frozenset(YEAR))

    assert build_apart(build, YEAR).keys() == set(YEAR)
    assert build.asked <= 60


def test_what_could_not_begin_is_no_fault_of_a_day() -> None:
    def build(_days: Sequence[dt.date]) -> None:
        raise DbtError("dbt could not begin")

    with pytest.raises(DbtError, match="could not begin"):
        build_apart(build, YEAR)
