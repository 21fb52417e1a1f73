"""Paths as people type them, and what tells that a file has changed."""

from pathlib import Path


def near(path: str) -> str:
    """A path as one would type it here."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def file_state(path: str | Path) -> tuple[str, int, int]:
    """A file by what changes when somebody writes it: its size, and its time of change in ns."""
    found = Path(path).stat()
    return str(path), found.st_size, found.st_mtime_ns
