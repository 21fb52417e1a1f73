from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from clearhouse.books import Books
from clearhouse.store.database import open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'books.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def books(database: sa.Engine) -> Books:
    return Books(database)
