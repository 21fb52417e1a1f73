"""Draws docs/images/demo.svg: the README's picture of the terminal, from a real run.

How to run, in a checkout that is installed: `.venv/bin/python scripts/terminal_picture.py`.

The commands run in an empty folder with the installation on the PATH, so that a picture shows
no path of the machine that it was made on. Two things are left out of what they say: the
heartbeat lines that stand for a live bar where there is no terminal, and from the second
command's output the progress altogether.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
COLUMNS = 80
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("clearhouse", "demo", "--days", "7"),
    ("clearhouse", "demo", "--days", "7", "--steal", "1"),
)

_HEARTBEAT = re.compile(r"^  .* …\n", re.MULTILINE)
_WEB_FONT = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)


def environment() -> dict[str, str]:
    """The caller's environment without settings of Clearhouse, and with colour asked for."""
    kept = {"HOME", "LANG", "USER", "TMPDIR"}
    return {
        **{name: value for name, value in os.environ.items() if name in kept},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "COLUMNS": str(COLUMNS),
        "FORCE_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "error",
    }


def said(command: tuple[str, ...], folder: Path, *, progress: bool) -> str:
    """What a command says, colours and all."""
    finished = subprocess.run(  # noqa: S603 (the commands are those above)
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if progress else subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    return _HEARTBEAT.sub("", finished.stdout) + f"\n(exit code {finished.returncode})\n"


def main() -> None:
    """Run the commands and write the picture."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        with tempfile.TemporaryDirectory() as folder:
            for number, command in enumerate(COMMANDS):
                console.print(Text(f"$ {' '.join(command)}", style="bold"))
                text = said(command, Path(folder), progress=number == 0)
                console.print(Text.from_ansi(text), overflow="fold", soft_wrap=False)
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        # A picture should fetch nothing: every system has a monospaced font.
        svg_format = _WEB_FONT.sub("", CONSOLE_SVG_FORMAT)
        console.save_svg(str(PICTURE), title="clearhouse", code_format=svg_format, unique_id="demo")
    print(f"wrote {PICTURE.name}")


if __name__ == "__main__":
    main()
