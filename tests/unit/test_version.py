"""`clearhouse --version`."""

import subprocess
import sys
import tomllib
from pathlib import Path

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_version_is_that_of_the_package_and_said_at_once() -> None:
    program = (
        "import sys; sys.argv = ['clearhouse', '--version']\n"
        "from clearhouse.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'duckdb', 'pyarrow', 'pydantic', 'sqlalchemy'} & {*sys.modules}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    version = tomllib.loads(_PROJECT.read_text())["project"]["version"]
    assert said.splitlines() == [f"clearhouse {version}", "[]"]
