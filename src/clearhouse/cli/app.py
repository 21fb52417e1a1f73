"""The Typer application and its way with errors: one sentence for a person, a code to exit with."""

from typing import NoReturn

import typer
from rich.console import Console

from clearhouse.core.runner import ExitCode
from clearhouse.core.telemetry import configure_logging
from clearhouse.settings import Settings, load_settings

app = typer.Typer(
    help="A lakehouse for money, where the books balance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held by a gate, 4 books unbalanced.",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def settings() -> Settings:
    """The settings, with logging set up as they say."""
    loaded = load_settings()
    configure_logging(loaded.log_level, loaded.log_format)
    return loaded


def leave(code: ExitCode) -> NoReturn:
    """End the command with a code."""
    raise typer.Exit(int(code))
