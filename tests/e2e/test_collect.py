"""What readers can't be shown again is deleted from gold, and nothing else."""

import datetime as dt
import os
import time
from pathlib import Path

import pytest
from cli_session import command
from click.testing import Result
from toy_home import DAYS, REGISTERED, TAKINGS, TICKETS, Toy

from clearhouse.core.errors import UsageError
from clearhouse.pipeline.ops import entries_in

CORRECTED, HELD, OTHER = DAYS


@pytest.fixture
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Three published days, of which one was corrected, and one is held since it came again."""
    toy = Toy(tmp_path_factory.mktemp("collected") / "home")
    assert toy.run(*DAYS).exit_code == 0
    assert toy.run(CORRECTED, fault="restated").exit_code == 0
    assert toy.run(HELD, fault="negative").exit_code == 3
    assert [len(kept(toy, day)) for day in DAYS] == [2, 2, 1]
    return toy


def test_entries_that_gave_way_long_ago_are_deleted_once_and_no_others(toy: Toy) -> None:
    seen = [toy.read(f"SELECT * FROM {mart} ORDER BY ALL") for mart in (TICKETS, TAKINGS)]

    assert run(toy, OTHER, rollback_days=0).exit_code == 0

    assert [len(kept(toy, day)) for day in DAYS] == [1, 2, 1]
    assert [toy.read(f"SELECT * FROM {mart} ORDER BY ALL") for mart in (TICKETS, TAKINGS)] == seen
    assert toy.command("books", "--domain", "toy").exit_code == 3  # a day is held
    back = toy.command("rollback", "toy", "--to", 1, "--reason", "a trial")
    assert isinstance(back.exception, UsageError)
    assert back.exception.code == "entry_not_kept"
    freed = toy.command("release", "toy", "--date", HELD, "--reason", "refunds")
    assert freed.exit_code == 0, freed.output


def test_what_readers_saw_can_be_shown_again_in_its_time(toy: Toy) -> None:
    assert run(toy, OTHER, rollback_days=1).exit_code == 0

    assert toy.command("rollback", "toy", "--to", 1, "--reason", "a trial").exit_code == 0


def test_a_home_that_was_used_by_a_link_keeps_its_files_and_does_not_need_the_link(
    tmp_path: Path,
) -> None:
    toy, link = Toy(tmp_path / "home"), tmp_path / "link"
    toy.home.mkdir()
    link.symlink_to(toy.home)
    assert Toy(link).run(DAYS[0]).exit_code == 0
    long_ago = time.time() - 8 * 24 * 3600
    for file in toy.home.rglob("*.parquet"):
        os.utime(file, (long_ago, long_ago))
    link.unlink()

    assert toy.run(DAYS[1]).exit_code == 0

    assert toy.visible() == {DAYS[0]: 40, DAYS[1]: 40}
    assert toy.command("books").exit_code == 0


def run(toy: Toy, day: dt.date, rollback_days: int) -> Result:
    with REGISTERED:
        asked = ("run", "toy", "--from", day, "--to", day)
        return command(toy.home, *asked, ROLLBACK_DAYS=str(rollback_days))


def kept(toy: Toy, day: dt.date) -> list[str]:
    """The entries of a day that gold has rows of."""
    opened = toy.open()
    found = entries_in(opened.engine, opened.datasets[0].declared.gold, [day])
    opened.engine.close()
    return found[day]
