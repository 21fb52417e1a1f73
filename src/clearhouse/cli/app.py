"""The Typer application and its way with errors: one sentence for a person, a code to exit with."""

import sys
from typing import NoReturn

import typer
from rich.console import Console

from clearhouse.core.errors import ClearhouseError, SettingsError, UsageError
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


def main() -> None:
    """Entry point of the `clearhouse` command."""
    from clearhouse.cli import admin, books, quarantine, run

    for module in (run, books, quarantine, admin):
        module.register(app)
    try:
        app()
    except ClearhouseError as error:
        err.print(f"[bold red]{error.code}[/]: {_escaped(error.message)}", soft_wrap=True)
        wrong_usage = isinstance(error, UsageError | SettingsError)
        sys.exit(int(ExitCode.USAGE if wrong_usage else ExitCode.FAILED))
    except KeyboardInterrupt:
        err.print("Stopped. Run the same command again: it goes on where this one ended.")
        sys.exit(int(ExitCode.FAILED))


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
