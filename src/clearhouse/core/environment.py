"""Nothing in the environment that Clearhouse did not set steers the libraries inside it.

dbt, Great Expectations and pyiceberg take settings from variables, and pyiceberg from files in the
user's home too. A variable that is meant for another project in the same shell would change what
is built here, or where. Standard library only: it works before those libraries are imported.
"""

import os
from pathlib import Path

_PREFIXES = ("DBT_", "GX_", "GE_", "PYICEBERG_")


def foreign_settings(*prefixes: str) -> list[str]:
    """Names of the variables with one of these prefixes, in any case."""
    return [name for name in os.environ if name.upper().startswith(prefixes)]


def take_no_foreign_settings() -> None:
    """Remove for this process what the libraries would read, and set what is ours."""
    ours = {
        # No version of the library may report to its makers.
        "GX_ANALYTICS_ENABLED": "false",
        "PYICEBERG_HOME": str(Path(__file__).parent / "pyiceberg"),
    }
    for name in foreign_settings(*_PREFIXES):
        if name not in ours:
            del os.environ[name]
    os.environ.update(ours)
