"""One run at a time of a domain in a home: two would build over each other's days."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clearhouse.core.errors import StoreError

_SILENT_SECONDS = 1.0
_held: dict[Path, int] = {}
"""Locks that this process holds, and the thread that does."""


@contextmanager
def only_run(
    home: Path,
    domain: str = "bnpl",
    *,
    wait_seconds: float = 60.0,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold the right to change what `home` has of a domain for as long as the block lasts.

    The operating system releases it when the process ends, however it ends.

    Args:
        home: the folder of all local state.
        domain: domains don't wait for each other.
        wait_seconds: how long to wait for another run to end.
        on_wait: called once when the wait has lasted a second.

    Raises:
        StoreError: another run holds it still (run_under_way).
        RuntimeError: this thread holds it already, and would wait for itself.
    """
    path = (home / "locks" / f"{domain}.lock").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    if _held.get(path) == threading.get_ident():
        raise RuntimeError(f"{path} is held by this thread already: it would wait for itself.")
    lock = FileLock(path)
    if not _acquired(lock, min(_SILENT_SECONDS, wait_seconds)):
        if on_wait is not None and wait_seconds > _SILENT_SECONDS:
            on_wait()
        if not _acquired(lock, max(wait_seconds - _SILENT_SECONDS, 0)):
            raise StoreError(
                f"Another run of {domain} is still at work in {home} after {wait_seconds:g} s: "
                "wait for it to end, or set CLEARHOUSE_HOME to another folder.",
                "run_under_way",
            )
    _held[path] = threading.get_ident()
    try:
        yield
    finally:
        del _held[path]
        lock.release()


def _acquired(lock: FileLock, wait_seconds: float) -> bool:
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        return False
    return True
