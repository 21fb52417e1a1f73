"""What becomes of a day that is pulled is told as soon as it is known."""

import datetime as dt
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toy.booths import Booth
from toy.domain import TOY
from toy_home import DAYS

from clearhouse.pipeline.domain import Batch, Failure
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.pull import extract_daily_batch
from clearhouse.pipeline.runner import Silent
from clearhouse.settings import load_settings


@dataclass
class Told(Silent):
    """What a person has been told so far."""

    failed: list[dt.date] = field(default_factory=list)

    def fail(self, day: dt.date, why: str) -> None:
        self.failed.append(day)


@dataclass
class Watched(Booth):
    """A booth that notes what was told when the next day was asked for."""

    told: Told = field(default_factory=Told)
    seen: list[list[dt.date]] = field(default_factory=list)

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        async for answer in super().pull(days):
            yield answer
            self.seen.append([*self.told.failed])


def test_a_failed_day_is_told_before_the_next_one_is_there(tmp_path: Path) -> None:
    told = Told()
    north = Watched("north", {DAYS[0]: ("north_closed",)}, told=told)
    settings = load_settings(_env_file=None, clearhouse_home=tmp_path)
    connections = {"north": north, "south": Booth("south", {})}
    run = open_run(TOY, settings, connections, progress=told)
    run.prepares = False

    report = extract_daily_batch(run, DAYS[:2])
    run.engine.close()

    assert north.seen == [[DAYS[0]], [DAYS[0]]]
    assert set(report.incomplete) == {DAYS[0]}
