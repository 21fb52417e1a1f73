"""Parquet files that readers may have open: written once, and kept for a week once retired."""

import time
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path

_KEPT_SECONDS = 7 * 24 * 3600
"""How long a reader can go on with a publication that he opened."""


def new_name(prefix: str) -> str:
    """A name that no file has had."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def retire(paths: Iterable[str]) -> None:
    """Let the time that files are kept begin: from now on, nobody who comes anew reads them."""
    for path in map(Path, paths):
        if path.exists():
            path.touch()


def delete_retired(folder: Path, named: Collection[str]) -> None:
    """Delete the files that are not among the named ones and have been retired for long.

    They are compared by their own names: a folder has more than one where a link leads to it.
    """
    long_ago = time.time() - _KEPT_SECONDS
    kept = {Path(path).name for path in named}
    for path in folder.rglob("*.parquet"):
        if path.name not in kept and path.stat().st_mtime < long_ago:
            path.unlink()
