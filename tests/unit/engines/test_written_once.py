"""Files that readers may have open are deleted when nothing names them, however they are named."""

import os
from pathlib import Path

from clearhouse.engines.written_once import delete_retired, new_name


def test_a_file_that_is_named_by_another_path_to_its_folder_is_kept(tmp_path: Path) -> None:
    folder, link = tmp_path / "gold", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    kept, retired = (folder / f"{new_name('rows')}.parquet" for _ in range(2))
    for file in (kept, retired):
        file.touch()
        os.utime(file, (0, 0))

    delete_retired(folder, {str(link / kept.name)})

    assert [*folder.iterdir()] == [kept]
