"""Where the project's files (contracts, dbt, gx) are: in a checkout, or inside the package."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path


@cache
def resource(name: str) -> Path:
    """The folder `contracts`, `dbt` or `gx`."""
    package = Path(__file__).parents[1]
    installed = package / "_resources" / name
    return installed if installed.is_dir() else package.parents[1] / name


def code_hash(paths: Iterable[Path]) -> str:
    """SHA-256 hex over the bytes of files, in the order given: what a step's outcome depends on."""
    hasher = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        hasher.update(f"{len(content)}:".encode() + content)
    return hasher.hexdigest()


def package_files(*names: str) -> list[Path]:
    """Source files of this package, named from `clearhouse/` on, `*` allowed."""
    package = Path(__file__).parents[1]
    return sorted(path for name in names for path in package.glob(name))
