"""What makes a write outlast a power cut."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have the disk keep a file's bytes or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
