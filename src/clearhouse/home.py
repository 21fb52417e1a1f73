"""The folders of local state, and a note in the home of where it is.

By the note a copy of the home never writes into the original. Bronze tables, and views over their
files, hold absolute paths. In a copied or moved home they name the files of the place before.
`clearhouse rebuild` makes those of a domain again from landing: the note is true when it has been
run for each domain.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from clearhouse.core.durable import sync
from clearhouse.core.errors import SettingsError
from clearhouse.settings import SCHEMES, Settings

_FILE = "home.json"
_FILE_URL = "file://"
# A location is <home>/bronze/<domain>/<table>/metadata/<file>.
_TABLES = """SELECT table_namespace, metadata_location FROM iceberg_tables
    WHERE metadata_location LIKE 'file:///%/bronze/%/%/metadata/%' ORDER BY 1"""


def check_home(settings: Settings) -> None:
    """See that the home is where it was first used, and note the place at its first use.

    Raises:
        SettingsError: it was copied or moved (home_moved), or its note can't be read.
    """
    home = settings.clearhouse_home.resolve()
    noted = _noted(home / _FILE)
    others = tables_elsewhere(settings)
    is_here = noted is None or _same(home, noted)
    place = next(iter(others.values()), None) if is_here else noted
    if place is not None:
        named = f" ({', '.join(others)})" if others else ""
        raise SettingsError(
            f"{home} is a copy of {place}, or was moved from there, and its tables still name the "
            f"files at {place}: run `clearhouse rebuild` for each domain{named} to make them again "
            "here, or move it back.",
            "home_moved",
        )
    if noted is None:
        note_home(settings)


def tables_elsewhere(settings: Settings) -> Mapping[str, Path]:
    """Domains whose bronze tables are those of another home, with that home.

    A catalog that can't be read says nothing of this: who opens it says what is wrong with it.
    """
    home = settings.clearhouse_home.resolve()
    catalog = Path(settings.catalog_url.partition(":///")[2])
    try:
        with closing(sqlite3.connect(f"{catalog.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            rows = opened.execute(_TABLES).fetchall()
    except sqlite3.Error:
        return {}
    homes = {name: Path(place.removeprefix(_FILE_URL)).parents[4] for name, place in rows}
    return {name: place for name, place in homes.items() if not _same(home, place)}


def make_folders(settings: Settings) -> None:
    """Make the folders of local state that the settings name, and see that they can be written.

    Raises:
        SettingsError: one can't be, in a sentence that names its setting.
    """
    for name, folder, file in _places(settings):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "a file is in its way" if _in_the_way(folder) else error.strerror
            raise SettingsError(
                f"{name}: the folder {folder} can't be made ({reason}): set it to one that can."
            ) from None
        if file is not None and file.is_dir():
            raise SettingsError(f"{name}: {file} is a folder: set it to the path of a file.")
        for path in (folder, file):
            if path is not None and path.exists() and not os.access(path, os.R_OK | os.W_OK):
                raise SettingsError(
                    f"{name}: {path} can't be written: give yourself the right to, or set it to "
                    "another place."
                )


def _places(settings: Settings) -> Iterator[tuple[str, Path, Path | None]]:
    """Setting, folder and, where one is named, the file in it, of each store in use."""
    yield "CLEARHOUSE_HOME", settings.clearhouse_home, None
    for name in ("landing_url", "export_url"):
        url = getattr(settings, name)
        if url.startswith("file:"):
            yield name.upper(), Path(url2pathname(urlsplit(url).path)), None
    engines = [name for name in SCHEMES if name.startswith("engine_url")]
    for name in (
        "database_url",
        "catalog_url",
        *engines,
        "gl_database_url",
        "log_url",
        "payments_database_url",
    ):
        url = getattr(settings, name)
        if isinstance(url, str) and ":///" in url:  # else it is on a server
            file = Path(url.partition(":///")[2])
            yield name.upper(), file.parent, file


def _in_the_way(folder: Path) -> bool:
    return any(path.is_file() for path in (folder, *folder.parents))


def is_read_only(settings: Settings) -> bool:
    """Whether the home is there and can't be written."""
    home = settings.clearhouse_home
    return home.is_dir() and not os.access(home, os.W_OK)


def note_home(settings: Settings) -> None:
    """Note that the home is here: at its first use, and when all in it has been built again."""
    home = settings.clearhouse_home.resolve()
    staged = home / f".{_FILE}.{uuid.uuid4().hex}"
    staged.write_text(json.dumps({"path": str(home)}) + "\n", encoding="utf-8")
    sync(staged)
    staged.replace(home / _FILE)
    sync(home)


def _noted(file: Path) -> Path | None:
    try:
        return Path(json.loads(file.read_text(encoding="utf-8"))["path"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{file} does not say where this home belongs: delete it if the folder was neither "
            "copied nor moved, and restore it otherwise."
        ) from None


def _same(home: Path, noted: Path) -> bool:
    """Whether both are one folder: it may have more than one path, as a mount in a container."""
    return home == noted or (noted.is_dir() and home.samefile(noted))
