"""Keeping the collector of cycles out of work that keeps what it makes until its end."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def collect_rarely() -> None:
    """Look for cycles less often than by default, in the whole process, as long as it lives.

    Imports and dbt make objects by the hundred thousand that stay: going through them again and
    again takes a tenth of their time.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


@contextmanager
def uncollected() -> Iterator[None]:
    """No cycles are looked for while the block lasts, in the whole process.

    For a batch: its objects live until it ends and then go by their reference counts, and the
    collector would walk over all of them again and again. Blocks must not overlap between threads.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
