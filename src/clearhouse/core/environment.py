"""Nothing in the environment that Clearhouse did not set steers the libraries inside it.

dbt, Great Expectations and pyiceberg take settings from variables, and pyiceberg from files in the
user's home too. A variable that is meant for another project in the same shell would change what
is built here, or where. Standard library only: it works before those libraries are imported.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_PREFIXES = ("DBT_", "GX_", "GE_", "PYICEBERG_")

_in_use: set[str] = set()
"""Variables that `only_with` has set for a library that is at work, perhaps in another thread."""


def take_no_foreign_settings() -> None:
    """Remove for this process what the libraries would read, and set what is ours."""
    ours = {
        # No version of the library may report to its makers.
        "GX_ANALYTICS_ENABLED": "false",
        "PYICEBERG_HOME": str(Path(__file__).parent / "pyiceberg"),
        # Arrow's own allocator asks for huge pages. To find room for one can take the kernel longer
        # than the work that is done in it: up to a sixth of the CPU of a first load.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    for name in _foreign_settings(*_PREFIXES):
        if name not in ours and name not in _in_use:
            del os.environ[name]
    os.environ.update(ours)


@contextmanager
def only_with(ours: Mapping[str, str], prefix: str) -> Iterator[None]:
    """Let a library read these variables, and no others with its prefix; then as it was before.

    Only what is changed here is put back: the block may run in a thread beside other work, which
    changes other variables meanwhile. One block for a prefix at a time.
    """
    changed = {*_foreign_settings(prefix), *ours}
    _in_use.update(ours)
    before = {name: os.environ.pop(name) for name in changed & os.environ.keys()}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in {name for name in os.environ if name in ours or name.startswith(prefix)}:
            del os.environ[name]
        os.environ.update(before)
        _in_use.difference_update(ours)


def _foreign_settings(*prefixes: str) -> list[str]:
    """Names of the variables with one of these prefixes, in any case."""
    return [name for name in os.environ if name.upper().startswith(prefixes)]
