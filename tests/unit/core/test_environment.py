"""Variables and files that are meant for other projects don't reach the libraries inside."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os
from clearhouse.core.environment import take_no_foreign_settings

take_no_foreign_settings()
from pyiceberg.utils.config import Config

foreign = ("DBT_", "GX_", "GE_", "PYICEBERG_")
print(sorted(name for name in os.environ if name.upper().startswith(foreign)))
print(dict(Config().config))
print(os.environ["KEPT"])
"""


def test_foreign_variables_and_the_users_own_files_are_not_read(tmp_path: Path) -> None:
    for folder in ("user", "here"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".pyiceberg.yaml").write_text("max-workers: none\n")
    foreign = {
        "DBT_TARGET": "prod",
        "GX_HOME": "/nowhere",
        "GE_HOME": "/nowhere",
        "GX_ANALYTICS_ENABLED": "true",
        "PYICEBERG_HOME": str(tmp_path / "user"),
        "pyiceberg_manifest_cache_size": "none",
        "HOME": str(tmp_path / "user"),
        "KEPT": "as it was",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path / "here", env=foreign, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names, config, kept = done.stdout.splitlines()

    assert names == "['GX_ANALYTICS_ENABLED', 'PYICEBERG_HOME']"
    assert "max-workers" not in config
    assert "manifest-cache-size" not in config
    assert kept == "as it was"


def test_arrow_does_not_ask_for_huge_pages() -> None:
    program = """
from clearhouse.core.environment import take_no_foreign_settings

take_no_foreign_settings()
import pyarrow

print(pyarrow.default_memory_pool().backend_name)
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert said.stdout == "system\n"
