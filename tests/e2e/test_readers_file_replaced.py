"""The file that readers open is lost, or an older copy of it: the next run makes it again."""

import shutil
from pathlib import Path

from toy_home import DAYS, TAKINGS, TICKETS, Toy

SERVED = (TICKETS, TAKINGS, "marts.quality_metrics")


def seen(toy: Toy) -> list[object]:
    return [toy.read(f"SELECT * FROM {relation} ORDER BY ALL") for relation in SERVED]


def test_what_readers_open_is_made_again_whole(tmp_path: Path) -> None:
    """Not only the parts that the last publication changed: the others are not in an older copy."""
    toy = Toy(tmp_path / "home")
    file, older = toy.home / "published.duckdb", tmp_path / "older"
    assert toy.run(*DAYS[:2]).exit_code == 0
    shutil.copyfile(file, older)
    assert toy.run(*DAYS[:2], fault="restated").exit_code == 0
    before = seen(toy)

    shutil.copyfile(older, file)
    assert seen(toy) != before
    told = toy.command("books", "--domain", "toy")
    assert told.exit_code == 4
    assert "the next run shows it" in told.output
    assert toy.run(*DAYS[:2], fault="restated").exit_code == 0
    assert seen(toy) == before

    file.unlink()
    assert toy.run(*DAYS[:2], fault="restated").exit_code == 0
    assert seen(toy) == before

    # A copy of the same publication that another file has taken the place of.
    shutil.copyfile(file, older)
    file.unlink()
    assert toy.run(*DAYS[:2], fault="restated").exit_code == 0
    shutil.copyfile(older, file)
    copied = toy.command("books", "--domain", "toy")
    assert copied.exit_code == 4
    assert "another copy than the one that was made for them last" in copied.output
    assert toy.run(*DAYS[:2], fault="restated").exit_code == 0
    assert toy.command("books", "--domain", "toy").exit_code == 0
