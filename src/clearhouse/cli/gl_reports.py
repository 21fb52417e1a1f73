"""`gl report` and `gl export`: the close pack of a period, and the journal as files."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from clearhouse.cli.app import err, settings_of_stores
from clearhouse.cli.progress import under_way
from clearhouse.core.errors import UsageError
from clearhouse.core.paths import near
from clearhouse.gl.reports.formats import Format, make_files, replacing

if TYPE_CHECKING:
    from clearhouse.engines.engine import Engine
    from clearhouse.settings import Settings

Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Where to write it; unset: here, by its name."),
]
Year = Annotated[int, typer.Option("--year", metavar="YEAR", help="Fiscal year.", min=1900)]

export = typer.Typer(no_args_is_help=True, help="The journal of a fiscal year as a file.")


def register(group: typer.Typer) -> None:
    """Add the commands to those of the general ledger."""
    group.command("report")(report)
    group.add_typer(export, name="export")


def report(
    period: Annotated[
        str, typer.Option("--period", metavar="PERIOD", help="Fiscal period, such as 2024-03.")
    ],
    to: Annotated[Format, typer.Option("--to", help="Format of the file.")] = Format.PDF,
    output: Output = None,
) -> None:
    """The close pack of a fiscal period: checklist, statements, economics, and what proves them."""
    from clearhouse.store.database import open_database

    config = settings_of_stores()
    path = _writable(output or Path(f"close-pack-{period}.{to}"))
    with _readers(config) as engine, under_way("making the close pack"):
        database = open_database(config.database_url)
        made = make_files(engine.query_readers, database, period, [to])
    with replacing(path) as file:
        file.write(made[to])
    print(near(str(path)))


@export.command("fec")
def export_fec(
    year: Year,
    siren: Annotated[
        str, typer.Option("--siren", metavar="NUMBER", help="The company's SIREN: nine digits.")
    ],
    output: Output = None,
) -> None:
    """The French FEC: 18 columns, entries in order of validation, opening balances first."""
    from clearhouse.gl.reports.export import fec_name, write_fec

    name = fec_name(siren, year)  # a wrong number is refused wherever the file goes
    path = _writable(output or Path(name))
    with _streamed(path) as (engine, file):
        held = write_fec(engine.query_readers, year, file)
    err.print(
        f"{held.entries:,} entries, {held.lines:,} lines; "
        f"debits {held.debit:,}, credits {held.credit:,}.",
        soft_wrap=True,
    )
    print(near(str(path)))


@export.command("csv")
def export_csv(year: Year, output: Output = None) -> None:
    """The journal's lines with the columns that readers see."""
    from clearhouse.gl.reports.export import write_csv

    path = _writable(output or Path(f"journal-{year}.csv"))
    with _streamed(path) as (engine, file):
        held = write_csv(engine.query_readers, year, file)
    err.print(f"{held.lines:,} lines.")
    print(near(str(path)))


def _writable(path: Path) -> Path:
    """A path at which a file can be made, so that a wrong one is refused before the work.

    Raises:
        UsageError: it is a folder, or lies where nothing can be written.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = next(each for each in path.parents if each.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}.", "not_writable") from error
    return path


@contextmanager
def _readers(config: "Settings") -> "Iterator[Engine]":
    """The engine that readers of the general ledger are served by."""
    from clearhouse.gl.reports.evidence import DOMAIN
    from clearhouse.pipeline.opening import open_engine

    engine = open_engine(config, DOMAIN)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def _streamed(path: Path) -> "Iterator[tuple[Engine, BinaryIO]]":
    """The same, with a file that is there when it is whole."""
    with _readers(settings_of_stores()) as engine, under_way("exporting"), replacing(path) as file:
        yield engine, file
