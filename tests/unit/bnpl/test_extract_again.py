"""What has landed is asked for again only when something else would be asked."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bnpl_home import DAY, Warehouse
from playback import SIMTOM as RECORDINGS
from playback import Play, Playback

from clearhouse.bnpl.source import SIMTOM
from clearhouse.pipeline.pull import extract_daily_batch

RECORDED = (RECORDINGS / "three-days-seed-42.txt").read_bytes()


@dataclass
class Pulling:
    """A warehouse, and a source that answers anything with the same bytes."""

    warehouse: Warehouse
    server: Playback

    def requests(self, volume: int, *, refresh: bool = False) -> int:
        """How often a run that would ask for so many records asks the source."""
        before = len(self.server.asked)
        self.warehouse.base_daily_volume = volume
        assert not self.failed(refresh=refresh)
        return len(self.server.asked) - before

    def failed(self, *, refresh: bool = False) -> bool:
        """Whether a run does not get the day."""
        run = self.warehouse.open(refresh=refresh)
        run.prepares = False
        failed = extract_daily_batch(run, [DAY]).failed
        run.engine.close()
        return bool(failed)

    def versions(self) -> list[int]:
        run = self.warehouse.open()
        run.engine.close()
        return [landed.version for landed in run.landing.objects(SIMTOM, DAY)]


@pytest.fixture
def pulling(tmp_path: Path) -> Iterator[Pulling]:
    with Playback([Play(RECORDED)]) as server:
        yield Pulling(Warehouse(tmp_path / "home", server.url), server)


def test_the_same_bytes_under_a_new_request_are_not_pulled_on_every_run(pulling: Pulling) -> None:
    assert [pulling.requests(100) for _ in range(2)] == [1, 0]
    assert [pulling.requests(101) for _ in range(3)] == [1, 0, 0]
    assert pulling.requests(100) == 0
    assert pulling.versions() == [1]


def test_a_refresh_asks_though_nothing_changed_and_lands_nothing_twice(pulling: Pulling) -> None:
    assert pulling.requests(100) == 1
    assert [pulling.requests(100, refresh=True) for _ in range(2)] == [1, 1]
    assert pulling.versions() == [1]


def test_a_day_whose_entry_is_lost_but_whose_bytes_landed_is_not_pulled(pulling: Pulling) -> None:
    assert pulling.requests(100) == 1
    for file in pulling.warehouse.home.glob("clearhouse.db*"):
        file.unlink()

    assert pulling.requests(100) == 0
    assert pulling.requests(101) == 1


def test_a_day_that_was_pulled_before_it_was_over_is_asked_for_once_more(
    pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearhouse.pipeline.requests.today", lambda: DAY)
    assert [pulling.requests(100) for _ in range(2)] == [1, 1]
    monkeypatch.setattr("clearhouse.pipeline.requests.today", lambda: DAY + dt.timedelta(days=1))
    assert [pulling.requests(100) for _ in range(3)] == [1, 0, 0]
    assert pulling.versions() == [1]


def test_a_day_that_was_pulled_before_it_was_over_is_not_whole_by_a_pull_that_fails_later(
    pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearhouse.pipeline.requests.today", lambda: DAY)
    assert pulling.requests(100) == 1
    monkeypatch.setattr("clearhouse.pipeline.requests.today", lambda: DAY + dt.timedelta(days=1))
    url, pulling.warehouse.url = pulling.warehouse.url, "http://127.0.0.1:1"
    assert pulling.failed()
    pulling.warehouse.url = url
    assert [pulling.requests(100) for _ in range(2)] == [1, 0]
