"""Modules that a library imports for what is not used here: loaded late, or not at all."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


def defer(*names: str) -> None:
    """Let an `import` of these modules load nothing until one of their attributes is asked for.

    It holds for the whole process, and two threads must not be the first to use such a module.
    """
    sys.meta_path.insert(0, _Deferring(frozenset(names)))


def leave_out(*names: str) -> None:
    """Let an `import` of these modules fail in this process, as if they were not installed.

    pyarrow looks for pandas as soon as it makes an array, which takes a quarter of a second.
    """
    sys.meta_path.insert(0, _LeavingOut(frozenset(names)))


@contextmanager
def left_out(*names: str) -> Iterator[None]:
    """The same for as long as a library is imported that can do without them."""
    refusing = _LeavingOut(frozenset(names))
    sys.meta_path.insert(0, refusing)
    try:
        yield
    finally:
        sys.meta_path.remove(refusing)


class _LeavingOut:
    """Refuses some modules."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if name in self._names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _Deferring:
    """Finds some modules as the standard finder does, with a loader that waits."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
