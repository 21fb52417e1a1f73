"""A small ledger by hand with its marts, and the close pack of its last period."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from gl_ledger import Journal, asks, small_journal, write_marts

from clearhouse.engines.engine import Ask
from clearhouse.gl.reports.evidence import Day, Evidence
from clearhouse.gl.reports.figures import read_figures
from clearhouse.gl.reports.model import Pack
from clearhouse.gl.reports.pack import pack_of

PERIOD = "2024-03"


def pack_over(path: Path, journal: Journal) -> Pack:
    """The pack of a journal's last period, each of whose days the books have published."""
    write_marts(path, journal)
    figures = read_figures(asks(path), PERIOD)
    days: dict[dt.date, Day] = {
        row["recorded_on"]: Day(5, 5, row["lines"], Decimal(0), "ab" * 32, "cd" * 32)
        for row in figures.days
    }
    return pack_of(figures, Evidence(7, days))


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    path = tmp_path_factory.mktemp("marts") / "published.duckdb"
    write_marts(path, small_journal())
    return asks(path)


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return pack_over(tmp_path_factory.mktemp("pack") / "published.duckdb", small_journal())
