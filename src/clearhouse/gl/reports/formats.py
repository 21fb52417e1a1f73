"""The pack of a period in the formats that it is asked for; their libraries are imported then."""

import importlib.util
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from clearhouse.core.durable import sync
from clearhouse.core.errors import SettingsError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from clearhouse.engines.engine import Ask

LIBRARIES = ("altair", "typst", "vl_convert", "xlsxwriter")


class Format(StrEnum):
    """What a pack can be asked for as."""

    PDF = "pdf"
    XLSX = "xlsx"
    HTML = "html"


def missing_libraries() -> list[str]:
    """The libraries of reports that are not installed."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


def make_files(
    ask: "Ask", database: "sa.Engine", period: str, formats: Sequence[Format]
) -> dict[Format, bytes]:
    """A period's pack as files.

    Args:
        ask: `Engine.query_readers`.
        database: where the books are.
        period: such as `2024-03`.
        formats: which files.

    Raises:
        UsageError: there is no such period.
        SettingsError: the extra `reports` is not installed.
    """
    if missing := missing_libraries():
        raise SettingsError(
            f"Reports need {', '.join(missing)}: install Clearhouse with the extra `reports`, as "
            "in `pip install 'clearhouse[reports]'`.",
            "extra_missing",
        )
    from clearhouse.gl.reports.pack import make_pack

    pack = make_pack(ask, database, period)
    made: dict[Format, bytes] = {}
    for each in formats:
        if each is Format.PDF:
            from clearhouse.gl.reports.pdf import pdf

            made[each] = pdf(pack)
        elif each is Format.XLSX:
            from clearhouse.gl.reports.xlsx import xlsx

            made[each] = xlsx(pack)
        else:
            from clearhouse.gl.reports.html import html

            made[each] = html(pack).encode()
    return made


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file as a whole or not at all: until the block ends well, what was there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        with unfinished.open("wb") as file:
            yield file
        sync(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync(path.parent)
