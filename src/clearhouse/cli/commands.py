"""All commands together, and one way with errors: a sentence for a person, a code to exit with."""

import os
import sys
from pathlib import Path

import duckdb
import sqlalchemy as sa
from rich.markup import escape

from clearhouse.cli import admin, books, quarantine, rebuild, run
from clearhouse.cli.app import app, err
from clearhouse.cli.interrupt import interrupt
from clearhouse.cli.streams import OutputError
from clearhouse.core.errors import ClearhouseError, SettingsError, UsageError
from clearhouse.pipeline.runner import ExitCode

for module in (run, books, quarantine, rebuild, admin):
    module.register(app)


def execute() -> None:
    """Run the command that was typed. Always ends in SystemExit, but for a defect of our own."""
    try:
        _run_and_write_all()
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


def _run_and_write_all() -> None:
    """Run the command and write what it has still to say, which may fail as well.

    Raises:
        OutputError: it can't be written, and the command came to nothing worse.
    """
    try:
        app()
    except SystemExit as ended:
        try:
            sys.stdout.flush()
        except OutputError:
            if not ended.code:
                raise
        raise


def _leave(code: str, sentence: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
    interrupt.leave_if_asked()  # then the error may be what Ctrl-C came to
    err.print(f"[bold red]{code}[/]: {escape(sentence)}", soft_wrap=True)
    sys.exit(int(exit_code))


@sa.event.listens_for(sa.Engine, "handle_error")
def _note_which_store(context: sa.ExceptionContext) -> None:
    """Keep with an error of a database which of them it comes from: the error does not say."""
    if context.engine is not None and context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.add_note(str(context.engine.url.database))


def _is_of_the_machine(error: Exception) -> bool:
    """Whether a disk or a file is the trouble; a wrong statement is a defect, and is not hidden."""
    if isinstance(error, sa.exc.DatabaseError):
        return isinstance(error, sa.exc.OperationalError) or type(error) is sa.exc.DatabaseError
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, sa.exc.DatabaseError):
        store = next((Path(note) for note in getattr(error, "__notes__", ())), None)
        named = f"The store {store}" if store else "A store"
        if "locked" in str(error.orig):
            return f"{named} is locked by another program: close it there and run this again"
        return f"{named} can't be used: {error.orig}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error).splitlines()[0].rstrip(".")
