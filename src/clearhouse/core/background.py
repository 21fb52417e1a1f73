"""Slow imports beside other work, and the wait for them before the interpreter ends."""

from collections.abc import Callable
from threading import Thread

_importing: list[Thread] = []


def import_beside(*preloads: Callable[[], None]) -> Thread:
    """Call functions that import or prepare, one after the other, in a thread of their own.

    Code that needs the modules imports them as usual, and waits for the thread if it must.
    """

    def import_all() -> None:
        for preload in preloads:
            preload()

    thread = Thread(target=import_all)
    _importing.append(thread)
    thread.start()
    return thread


def wait_for_imports() -> None:
    """Let imports come to their end: a module can't be imported while Python shuts down."""
    while _importing:
        _importing.pop().join()
