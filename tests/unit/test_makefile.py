"""`make install` installs into the clone, whatever the shell's variables say of other projects."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
A_UV = """#!/bin/bash
set -e
mkdir -p "$UV_PROJECT_ENVIRONMENT"
env > "$UV_PROJECT_ENVIRONMENT/variables"
echo "$@" > "$UV_PROJECT_ENVIRONMENT/asked"
"""
FOREIGN = {
    "UV_PROJECT_ENVIRONMENT": "/nowhere",
    "UV_NO_SYNC": "1",
    "UV_PYTHON": "/nowhere/python",
    "PIP_TARGET": "/nowhere",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "VIRTUAL_ENV": "/nowhere",
    "VENV": "/nowhere",
    "PYTHON": "/nowhere/python",
    "PYTHONPATH": "/nowhere",
}
MEANT = {"UV_INDEX": "https://index.example", "PIP_INDEX_URL": "https://index.example"}


def test_it_installs_here_and_takes_only_where_packages_come_from(tmp_path: Path) -> None:
    clone = tmp_path / "a clöne"
    tools = clone / "the tools"
    tools.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(REPOSITORY / name, clone)
    uv = tools / "uv"
    uv.write_text(A_UV)
    uv.chmod(0o755)
    variables = {**FOREIGN, **MEANT, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}

    made = subprocess.run(
        ["make", "install"], cwd=clone, env=variables, capture_output=True, text=True, check=False
    )

    assert made.returncode == 0, made.stderr
    assert (clone / ".venv" / ".installed").exists()
    asked = (clone / ".venv" / "asked").read_text()
    assert asked == "sync --frozen --no-dev --inexact --extra reports\n"
    seen = dict(
        line.split("=", 1) for line in (clone / ".venv" / "variables").read_text().splitlines()
    )
    assert {name: seen.get(name) for name in FOREIGN} == {
        **dict.fromkeys(FOREIGN),
        "UV_PROJECT_ENVIRONMENT": ".venv",
        "VENV": ".venv",
        "PYTHON": "",
    }
    assert MEANT.items() <= seen.items()
