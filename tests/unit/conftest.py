import pytest
from databases import Databases, SqliteDatabases, books, database

__all__ = ["books", "database"]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """In files. `tests/stack` runs the same tests with those of a server."""
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))
