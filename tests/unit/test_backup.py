"""Stores that are set aside come back, or go, together with what stands beside their files."""

import os
from pathlib import Path

import pytest

from clearhouse.core.errors import StoreError
from clearhouse.store.backup import SUFFIX, Backup

OLD = {"lake/data/file": "1", "catalog.db": "2", "catalog.db-wal": "3", "engine.duckdb": "4"}


@pytest.fixture
def aside(tmp_path: Path) -> Backup:
    write(tmp_path, OLD)
    stores = ("lake", "catalog.db", "engine.duckdb")
    return Backup(tuple(tmp_path / name for name in stores), tmp_path / "rebuilding")


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def read(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "rebuilding"
    }


def test_nothing_is_left_in_the_place_of_new_stores(aside: Backup, tmp_path: Path) -> None:
    aside.begin()

    assert {name for name in read(tmp_path) if SUFFIX not in name} == set()
    assert len(aside.kept()) == len(OLD)
    write(tmp_path, {"engine.duckdb": "new"})
    aside.discard()
    assert read(tmp_path) == {"engine.duckdb": "new"}
    assert not aside.marker.exists()


def test_old_stores_come_back_as_they_were(aside: Backup, tmp_path: Path) -> None:
    aside.begin()
    write(tmp_path, {"lake/data/other": "new", "catalog.db": "new", "engine.duckdb.wal": "new"})

    aside.undo()

    assert read(tmp_path) == OLD
    assert not aside.marker.exists()


def test_a_second_beginning_leaves_the_new_stores_and_the_old(
    aside: Backup, tmp_path: Path
) -> None:
    aside.begin()
    write(tmp_path, {"engine.duckdb": "new"})

    aside.begin()

    assert read(tmp_path)["engine.duckdb"] == "new"
    assert read(tmp_path)["engine.duckdb" + SUFFIX] == "4"


def test_a_beginning_that_was_cut_short_is_completed(aside: Backup, tmp_path: Path) -> None:
    (tmp_path / "lake").rename(tmp_path / ("lake" + SUFFIX))
    write(tmp_path, {"lake/data/half": "new"})

    aside.begin()
    aside.undo()

    assert read(tmp_path) == OLD


def test_without_room_for_both_nothing_is_set_aside(aside: Backup, tmp_path: Path) -> None:
    os.truncate(tmp_path / "engine.duckdb", 1 << 43)  # a file of holes takes no room

    with pytest.raises(StoreError, match=r"may take .* MiB, and .* free") as refused:
        aside.begin()

    assert refused.value.code == "disk_full"
    assert aside.kept() == []
