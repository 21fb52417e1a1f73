"""The commands that the documentation gives are there, with the options that it gives them."""

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from clearhouse.cli.commands import build

_PROJECT = Path(__file__).parents[2]
_PAGES = [_PROJECT / "README.md", *(_PROJECT / "docs").rglob("*.md")]
_COMMAND = re.compile(r"(?:^|[`$( ])(?:\.venv/bin/)?clearhouse ([a-z][^\n`|#]*)", re.MULTILINE)
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_NAMES_OF_OTHERS = {"worker", "exporter", "dlt_arrow"}
"""Sessions of services are called so on a server, as `clearhouse worker`; benchmarks have names."""


def _unknown(command: Any, words: list[str]) -> str:
    """The word that the command line does not know; none: an empty text."""
    while subcommands := getattr(command, "commands", None):
        if not words or words[0].startswith("--") or words[0].isupper():
            return ""
        if words[0] not in subcommands:
            return words[0]
        command, words = subcommands[words[0]], words[1:]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    given = [word for word in words if word.startswith("--") and word != "--help"]
    return next((word for word in given if word.partition("=")[0] not in known), "")


def test_every_command_in_the_documentation_exists() -> None:
    found, clearhouse = 0, get_command(build(None))
    for page in _PAGES:
        for line in _COMMAND.findall(page.read_text()):
            words = [w.strip('.,;:)"') for w in _QUOTED.sub("TEXT", line).split()]
            found += 1
            if words[0] not in _NAMES_OF_OTHERS:
                assert not _unknown(clearhouse, words), (page.name, line)
    assert found > 300
