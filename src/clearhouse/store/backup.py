"""A backup of derived stores while new ones are built in their place.

They are renamed and not copied, so that it takes no time and no room. New ones can't be built
elsewhere and moved in: Iceberg's metadata holds absolute paths.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearhouse.core.durable import sync
from clearhouse.core.errors import StoreError

SUFFIX = ".before-rebuild"
_SIDE_FILES = ("", ".wal", "-wal", "-shm", "-journal")
"""What DuckDB and SQLite keep beside a file: left behind, it would be read into the new one."""


@dataclass(frozen=True)
class Backup:
    """Some stores that are put back or thrown away together.

    Attributes:
        stores: files and folders, each on any file system.
        marker: a file that exists from when the backup is complete until it is deleted.
    """

    stores: tuple[Path, ...]
    marker: Path

    def begin(self) -> None:
        """Make the backup, unless that was done before by a rebuild that was cut short.

        Raises:
            StoreError: there is no room for new ones beside them (disk_full).
        """
        if self.marker.exists():
            return
        self._check_room()
        for path, aside in self._all_places():
            if aside.exists():  # cut short: what is in its place is newer, and holds less
                _remove(path)
            elif path.exists():
                path.rename(aside)
        self.marker.touch()
        sync(self.marker.parent)

    def undo(self) -> None:
        """Put the stores back."""
        for store in self.stores:
            places = list(_places(store))
            if any(aside.exists() for _, aside in places):
                for path, aside in places:
                    _remove(path)
                    if aside.exists():
                        aside.rename(path)
        self.marker.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete the backup."""
        for _, aside in self._all_places():
            _remove(aside)
        self.marker.unlink(missing_ok=True)

    def kept(self) -> list[Path]:
        """The backup's files."""
        return [aside for _, aside in self._all_places() if aside.exists()]

    def _all_places(self) -> Iterator[tuple[Path, Path]]:
        for store in self.stores:
            yield from _places(store)

    def _check_room(self) -> None:
        needed = sum(map(_size_bytes, self.stores))
        free = shutil.disk_usage(self.marker.parent).free
        if free < needed:
            listed = ", ".join(str(path) for path in self.stores if path.exists())
            raise StoreError(
                f"The new stores stand beside the old ones until they are whole, which may take "
                f"{needed >> 20:,} MiB, and {free >> 20:,} MiB are free: free some, or delete "
                f"{listed} first.",
                "disk_full",
            )


def _places(store: Path) -> Iterator[tuple[Path, Path]]:
    """Where a store's parts are, and where their backups are."""
    for side in _SIDE_FILES:
        path = store.with_name(store.name + side)
        yield path, path.with_name(path.name + SUFFIX)


def _size_bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
