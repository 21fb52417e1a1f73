"""Days that are wrong only as a whole, through the whole pipeline: held, told of, released."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bnpl_home import QUICK, Warehouse

from clearhouse.bnpl.domain import BNPL
from clearhouse.bnpl.source import SIMTOM, SimtomConnection, pattern_of
from clearhouse.pipeline import frames
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.gates import release
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.runner import RunReport
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.server import running
from clearhouse.settings import load_settings

SATURDAY, SUNDAY, HOLIDAY, TUESDAY, WEDNESDAY = (dt.date(2024, 1, n) for n in range(13, 18))
FAULTS = {
    SATURDAY: ("weekend_shift",),
    HOLIDAY: ("flat_holiday",),  # Martin Luther King's day
    TUESDAY: ("drifted_risk",),
}


@dataclass
class ByDayType(Warehouse):
    """A warehouse that asks each day for the volume of its type."""

    def open(self, *, refresh: bool = False) -> Run:
        settings = load_settings(
            _env_file=None,
            clearhouse_home=self.home,
            bnpl_api_url=None,
            bnpl_pattern="day_type",
            bnpl_seed=self.seed,
        )
        pattern = pattern_of(settings)
        simtom = SimtomConnection("test", "", lambda: self.url, pattern, "day", QUICK)
        return open_run(BNPL, settings, {SIMTOM: simtom}, refresh=refresh)


@pytest.fixture(scope="module")
def first_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[ByDayType, RunReport]]:
    home: Path = tmp_path_factory.mktemp("shifted") / "home"
    with running(SandboxOptions(faults=FAULTS)) as url, pytest.MonkeyPatch.context() as patch:
        # As in a year: the rows come to the gate in parts, here of a day or two each.
        patch.setattr(frames, "_ROWS_IN_MEMORY", 9_000)
        warehouse = ByDayType(home, url)
        yield warehouse, warehouse.run(SATURDAY, WEDNESDAY)


def test_each_shifted_day_is_held_with_its_reasons(
    first_run: tuple[ByDayType, RunReport],
) -> None:
    _, report = first_run
    assert report.exit_code == 3, report.stopped()
    raw, business = (
        report.steps[step].held for step in ("validate_raw_schema", "validate_business_rules")
    )
    assert raw.keys() == {SATURDAY, HOLIDAY}
    assert all("net_rows" in reason for reason in raw.values())
    assert business.keys() == {TUESDAY}
    assert "drift_risk_level" in business[TUESDAY]
    assert "drift_risk_scenario" in business[TUESDAY]
    assert "drift_amount" not in business[TUESDAY]


def test_readers_see_the_healthy_days_and_then_those_that_a_person_released(
    first_run: tuple[ByDayType, RunReport],
) -> None:
    warehouse, _ = first_run
    assert warehouse.visible_days() == {SUNDAY, WEDNESDAY}

    assert release(warehouse.open(), SATURDAY, "seen and understood") == ["raw_schema_gate"]
    assert release(warehouse.open(), TUESDAY, "seen and understood") == ["daily_quality_gate"]
    again = warehouse.run(SATURDAY, WEDNESDAY)

    # The raw gate's release vouches for the volume: the second gate does not ask again.
    assert {day for day, *_ in again.stopped()} == {HOLIDAY}
    assert warehouse.visible_days() == {SATURDAY, SUNDAY, TUESDAY, WEDNESDAY}


def test_a_day_corrected_in_every_row_is_no_day_of_twice_the_volume(
    first_run: tuple[ByDayType, RunReport],
) -> None:
    warehouse, _ = first_run
    first = warehouse.totals()[HopNames.bronze, WEDNESDAY]["in"]["records"]

    report = replace(warehouse, seed=43).run(WEDNESDAY)

    assert report.exit_code == 0, report.stopped()
    after = warehouse.totals()
    second = after[HopNames.bronze, WEDNESDAY]["in"]["records"] - first
    assert after[HopNames.silver, WEDNESDAY]["superseded"]["records"] == min(first, second)
    assert after[HopNames.readers, WEDNESDAY]["out"]["records"] == max(first, second)
