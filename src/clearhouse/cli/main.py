"""The `clearhouse` command: all commands together, and one way with errors."""

import sys

from clearhouse.cli import admin, books, quarantine, run
from clearhouse.cli.app import app, err
from clearhouse.core.errors import ClearhouseError, SettingsError, UsageError
from clearhouse.core.runner import ExitCode

for module in (run, books, quarantine, admin):
    module.register(app)


def main() -> None:
    """Entry point of the `clearhouse` command."""
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
