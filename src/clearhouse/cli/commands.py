"""All commands, imported when they are asked for, and one way with errors.

A sentence for a person, a code to exit with. The list of commands stands here with their first
lines of help, so that `--help` does not import what they work with.
"""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from clearhouse.cli.app import err, new_app
from clearhouse.cli.interrupt import interrupt
from clearhouse.cli.streams import OutputError
from clearhouse.core.errors import (
    ClearhouseError,
    ExitCode,
    SettingsError,
    UsageError,
    first_line,
)

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("run:demo", "Pull days of records, publish them, and show that the books balance."),
    "run": (
        "run:run",
        "Run a domain's pipeline over days. What is unchanged is skipped: this is also a backfill.",
    ),
    "step": (
        "step:step",
        "Run one step of a domain over one day. The books say what it may touch.",
    ),
    "release": ("run:release", "Let a held day pass the gates that hold it, and publish it."),
    "books": (
        "audit:books",
        "Every entry, measured again in the stores; what does not hold is named, record by record.",
    ),
    "verify": (
        "verify:verify_command",
        "Derive days again from landing, and compare every field of every store with it.",
    ),
    "close": (
        "books:close",
        "Seal a day: its totals as a certificate, chained to the closed day before it.",
    ),
    "reopen": (
        "books:reopen",
        "Open a closed day again, and those after it, whose seals stand on its own.",
    ),
    "prove": (
        "books:prove",
        "Prove, to who has nothing but verify_proof.py, that a closed day holds a record.",
    ),
    "publications": (
        "books:publications",
        "The publications of a domain: when readers were shown what, and why.",
    ),
    "rollback": (
        "books:rollback",
        "Show readers an earlier publication again. The next run over its days publishes anew.",
    ),
    "trace": (
        "books:trace_command",
        "One record on one screen: raw line, bronze, silver, gold, and what readers see of it.",
    ),
    "quarantine": ("quarantine:group", "Rows that broke their contract."),
    "rebuild": (
        "rebuild:rebuild_command",
        "Build bronze, silver, gold and what readers see again, from landing alone.",
    ),
    "replay": ("replay:group", "What arrived, made into events again."),
    "exporter": (
        "exporter:exporter",
        "Serve metrics of the books of all domains to Prometheus, until it is stopped.",
    ),
    "gl": ("gl:group", "The general ledger."),
    "serve": ("serve:group", "The services of payments."),
    "payments": ("payments:group", "Payments, and the sandbox's providers."),
    "dlq": ("dlq:group", "Messages of payments that a stage can't handle."),
    "settings": ("admin:show_settings", "Every setting in force, secrets masked."),
    "doctor": (
        "doctor:doctor",
        "Ask every part whether it answers: its version, what waits for it, and what to do.",
    ),
    "sandbox": ("admin:sandbox", "Stand-ins for the outside world."),
}
"""By name: where the command is, below this package, and its first line of help."""


def build(wanted: str | None = None) -> typer.Typer:
    """The application: with one command imported, and the others by their names; None: with all."""
    app = new_app()
    for name, (place, summary) in COMMANDS.items():
        if wanted in (None, name):
            found = _imported(place)
            if isinstance(found, typer.Typer):
                app.add_typer(found, name=name)
            else:
                app.command(name)(found)
        else:
            app.command(name, help=summary)(_not_imported)
    return app


def _imported(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(f"clearhouse.cli.{module}"), attribute)


def _not_imported() -> None:
    raise AssertionError("Only the command that is named on the command line is called.")


def execute() -> None:
    """Run the command that was typed. Always ends in SystemExit, but for a defect of our own."""
    try:
        _run_and_write_all()
    except ClearhouseError as error:
        wrong_usage = isinstance(error, UsageError | SettingsError)
        _leave(error.code, error.message, ExitCode.USAGE if wrong_usage else ExitCode.FAILED)
    except Exception as error:
        reason = None if os.environ.get("LOG_LEVEL", "").lower() == "debug" else _reason(error)
        if reason is None:
            raise
        _leave(
            "store_failed",
            f"{reason}. `clearhouse doctor` checks the stores; `clearhouse rebuild` makes "
            "again, from landing, what is missing or broken of those that derive from it.",
        )


def _run_and_write_all() -> None:
    """Run the command and write what it has still to say, which may fail as well.

    Raises:
        OutputError: it can't be written, and the command came to nothing worse.
        UsageError: what was typed is not UTF-8, which no store could keep.
    """
    if any(map(_is_no_text, sys.argv[1:])):
        raise UsageError(
            "An argument of the command is not UTF-8: type it, or have it written, in UTF-8.",
            "not_utf8",
        )
    named = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    try:
        build(named[0] if named else "")()
    except SystemExit as ended:
        try:
            sys.stdout.flush()
        except OutputError:
            if not ended.code:
                raise
        raise


def _is_no_text(argument: str) -> bool:
    """Whether bytes of an argument are no characters: Python holds them as lone surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in argument)


def _leave(code: str, sentence: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
    interrupt.leave_if_asked()  # then the error may be what Ctrl-C came to
    err.print(f"[bold red]{code}[/]: {escape(sentence)}", soft_wrap=True)
    sys.exit(int(exit_code))


def _reason(error: Exception) -> str | None:
    """What is wrong with the machine, where a disk or a file is the trouble; None for a defect."""
    duckdb, sqlalchemy = sys.modules.get("duckdb"), sys.modules.get("sqlalchemy")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, OSError) or (duckdb and isinstance(error, duckdb.IOException)):
        return first_line(error)
    if sqlalchemy and isinstance(error, sqlalchemy.exc.DatabaseError):
        return _reason_of_database(error, is_of_server=sqlalchemy.exc.OperationalError)
    return None


def _reason_of_database(error: Any, is_of_server: type[Exception]) -> str | None:
    """The same of a database's error; one of a wrong statement is a defect."""
    if not isinstance(error, is_of_server) and type(error).__name__ != "DatabaseError":
        return None
    store = next((Path(note) for note in getattr(error, "__notes__", ())), None)
    named = f"The store {store}" if store else "A store"
    if "locked" in str(error.orig):
        return f"{named} is locked by another program: close it there and run this again"
    return f"{named} can't be used: {error.orig}"
