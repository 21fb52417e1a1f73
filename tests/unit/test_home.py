"""A home notes where it is; a copy is refused before it writes, until it has been built again."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clearhouse.core.errors import SettingsError
from clearhouse.home import check_home, note_home
from clearhouse.settings import Settings, load_settings


def home_at(path: Path) -> Settings:
    path.mkdir(exist_ok=True)
    return load_settings(_env_file=None, clearhouse_home=path)


def test_a_copy_and_a_moved_home_are_refused_until_they_are_noted_again(tmp_path: Path) -> None:
    check_home(home_at(tmp_path / "first"))
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    (tmp_path / "first").rename(tmp_path / "moved")
    for name in ("copy", "moved"):
        with pytest.raises(SettingsError, match="clearhouse rebuild") as refused:
            check_home(home_at(tmp_path / name))
        assert refused.value.code == "home_moved"
        assert str(tmp_path / "first") in refused.value.message

    note_home(home_at(tmp_path / "copy"))

    check_home(home_at(tmp_path / "copy"))


def test_a_home_is_its_own_when_the_tables_of_all_domains_are(tmp_path: Path) -> None:
    settings = home_at(tmp_path / "home")

    def table(domain: str, home: str) -> None:
        place = f"file://{tmp_path / home}/bronze/{domain}/sales/metadata/00001.metadata.json"
        with closing(sqlite3.connect(tmp_path / "home" / "catalog.db")) as catalog, catalog:
            catalog.execute("CREATE TABLE IF NOT EXISTS iceberg_tables (table_namespace TEXT "
                            "PRIMARY KEY, metadata_location TEXT)")  # fmt: skip
            catalog.execute("REPLACE INTO iceberg_tables VALUES (?, ?)", [domain, place])

    table("bnpl", "home")
    check_home(settings)
    table("retail", "other")
    with pytest.raises(SettingsError, match=r"other: run .* for each domain \(retail\) to"):
        check_home(settings)
    table("retail", "home")
    check_home(settings)


def test_another_path_to_the_same_folder_is_no_copy(tmp_path: Path) -> None:
    check_home(home_at(tmp_path / "home"))
    (tmp_path / "link").symlink_to("home")

    check_home(home_at(tmp_path / "link"))


def test_a_note_that_can_not_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text("{")

    with pytest.raises(SettingsError, match="neither copied nor moved"):
        check_home(home_at(tmp_path))
