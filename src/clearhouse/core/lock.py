"""One run at a time in one world: two would build over each other's days."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clearhouse.core.errors import StoreError


@contextmanager
def only_run(home: Path) -> Iterator[None]:
    """Hold the right to change what is under `home` for as long as the block lasts.

    The operating system lets go of it when the process ends, however it ends.

    Raises:
        StoreError: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "run.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"Another run is at work in {home}: wait for it to end, or set CLEARHOUSE_HOME to "
            "another folder.",
            "run_under_way",
        ) from None
    try:
        yield
    finally:
        lock.release()
