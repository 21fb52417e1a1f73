"""All commands together, and one way with errors: a sentence for a person, a code to exit with."""

import os
import sys

import duckdb
import sqlalchemy as sa
from rich.markup import escape

from clearhouse.cli import admin, books, quarantine, rebuild, run
from clearhouse.cli.app import app, err
from clearhouse.cli.interrupt import interrupt
from clearhouse.core.errors import ClearhouseError, SettingsError, UsageError
from clearhouse.pipeline.runner import ExitCode

for module in (run, books, quarantine, rebuild, admin):
    module.register(app)


def execute() -> None:
    """Run the command that was typed. Always ends in SystemExit, but for a defect of our own."""
    try:
        app()
    except ClearhouseError as error:
        wrong_usage = isinstance(error, UsageError | SettingsError)
        _leave(error.code, error.message, ExitCode.USAGE if wrong_usage else ExitCode.FAILED)
    except (OSError, duckdb.IOException, sa.exc.DatabaseError) as error:
        if os.environ.get("LOG_LEVEL", "").lower() == "debug" or not _is_of_the_machine(error):
            raise
        _leave(
            "store_failed",
            f"{_reason(error)}. `clearhouse doctor` checks the stores; `clearhouse rebuild` makes "
            "again, from landing, what is missing or broken of those that derive from it.",
        )


def _leave(code: str, sentence: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
    interrupt.leave_if_asked()  # then the error may be what Ctrl-C came to
    err.print(f"[bold red]{code}[/]: {escape(sentence)}", soft_wrap=True)
    sys.exit(int(exit_code))


def _is_of_the_machine(error: Exception) -> bool:
    """Whether a disk or a file is the trouble; a wrong statement is a defect, and is not hidden."""
    if isinstance(error, sa.exc.DatabaseError):
        return isinstance(error, sa.exc.OperationalError) or type(error) is sa.exc.DatabaseError
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, sa.exc.DatabaseError):
        return f"The store at DATABASE_URL can't be used: {error.orig}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error).splitlines()[0].rstrip(".")
