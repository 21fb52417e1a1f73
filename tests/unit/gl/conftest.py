"""A small ledger by hand with its marts, and the close pack of its last period."""

import pytest
from gl_ledger import asks, pack_over, small_journal, write_marts

from clearhouse.engines.engine import Ask
from clearhouse.gl.reports.model import Pack


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    path = tmp_path_factory.mktemp("marts") / "published.duckdb"
    write_marts(path, small_journal())
    return asks(path)


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return pack_over(tmp_path_factory.mktemp("pack") / "published.duckdb", small_journal())
