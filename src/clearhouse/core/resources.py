"""Where the project's files (contracts, dbt, gx) are: in a checkout, or inside the package."""

from functools import cache
from pathlib import Path


@cache
def resource(name: str) -> Path:
    """The folder `contracts`, `dbt` or `gx`."""
    package = Path(__file__).parents[1]
    installed = package / "_resources" / name
    return installed if installed.is_dir() else package.parents[1] / name
