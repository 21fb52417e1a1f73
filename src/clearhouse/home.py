"""A home knows where it is, so that a copy of it never writes into the original.

Bronze tables, and views over their files, hold absolute paths. In a copied or moved home they name
the files of the place before. `clearhouse rebuild` makes them again from landing.
"""

import json
import os
import uuid
from pathlib import Path

from clearhouse.core.durable import sync
from clearhouse.core.errors import SettingsError
from clearhouse.settings import Settings

_FILE = "home.json"


def check_home(settings: Settings) -> None:
    """See that the home is where it was first used, and note the place at its first use.

    Raises:
        SettingsError: it was copied or moved (home_moved), or its note can't be read.
    """
    home = settings.clearhouse_home.resolve()
    noted = _noted(home / _FILE)
    if noted is None:
        note_home(settings)
    elif not _same(home, noted):
        raise SettingsError(
            f"{home} is a copy of {noted}, or was moved from there, and its tables still name the "
            f"files at {noted}: run `clearhouse rebuild` for each domain to make them again here, "
            "or move it back.",
            "home_moved",
        )


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
