"""Tables are made as this version has them, and those of other versions are migrated or refused."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from books_in_memory import DAY, key_of, totals
from databases import Databases, databases_at, opened, url_of

from clearhouse.books import Books, Side
from clearhouse.books.journal import Journal
from clearhouse.books.model import Measured
from clearhouse.core.errors import StoreError
from clearhouse.store import tables

MIGRATIONS = Path(tables.__file__).with_name("migrations")
NEXT_VERSION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade():
    op.add_column("quarantine", sa.Column("note", sa.Text()))
"""


def bare_engine(url: str) -> sa.Engine:
    """Nothing of ours is done to it."""
    return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def config(connection: sa.Connection | None = None) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def shape(engine: sa.Engine) -> dict[str, Any]:
    """All that a database says of its tables, constraints without their names."""

    def unnamed(found: Any) -> Any:
        if isinstance(found, dict):
            return {k: unnamed(v) for k, v in found.items() if k != "name"}
        return str(found)

    inspector = sa.inspect(engine)
    constraints = ("pk_constraint", "foreign_keys", "unique_constraints", "indexes")
    return {
        name: [
            [(c["name"], unnamed(c)) for c in inspector.get_columns(name)],
            *(
                sorted(map(str, map(unnamed, found))) if isinstance(found, list) else unnamed(found)
                for found in (getattr(inspector, f"get_{what}")(name) for what in constraints)
            ),
        ]
        for name in sorted(inspector.get_table_names())
    }


def record(engine: sa.Engine) -> None:
    Books(engine).close({key_of(DAY): Measured({Side.OUT: totals(1, 5)})}, "run-1")


def test_migrations_come_to_the_tables_as_they_are_made_at_once(databases: Databases) -> None:
    migrated = bare_engine(databases.bare())
    with migrated.begin() as connection:
        command.upgrade(config(connection), "head")

    assert shape(migrated) == shape(opened(databases.bare()))

    assert ScriptDirectory.from_config(config()).get_current_head() == tables.VERSION


def test_a_store_of_before_migrations_is_opened_without_loss(databases: Databases) -> None:
    engine = opened(databases.bare())
    record(engine)
    head = Journal(engine).head()
    later = ("clearhouse_version", "books_cover")
    databases.edit(url_of(engine), *(f"DROP TABLE {name}" for name in later))

    again = opened(url_of(engine))

    assert (Journal(again).head(), Journal(again).check()) == (head, [])
    with again.connect() as connection:
        version = sa.select(tables.version_table.c.version_num)
        assert connection.scalars(version).all() == [tables.VERSION]


def test_a_store_of_an_earlier_version_is_migrated_once(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = opened(databases.bare())
    record(engine)
    folder = shutil.copytree(MIGRATIONS, tmp_path / "50% of them")
    (folder / "versions" / "9999_a_note.py").write_text(NEXT_VERSION.format(before=tables.VERSION))
    monkeypatch.setattr(tables, "VERSION", "9999")
    monkeypatch.setattr(tables, "_MIGRATIONS", folder)

    with ThreadPoolExecutor(4) as pool:
        migrated, *_ = pool.map(opened, [url_of(engine)] * 4)

    assert "note" in {column["name"] for column in sa.inspect(migrated).get_columns("quarantine")}
    assert Journal(migrated).check() == []
    monkeypatch.undo()
    with pytest.raises(StoreError, match="A later version") as refused:
        opened(url_of(engine))
    assert refused.value.code == "books_of_later"


def test_several_processes_make_a_store_at_the_same_time(databases: Databases) -> None:
    for _ in range(5):  # the first moment of a file is the critical one
        url = databases.bare()
        with ThreadPoolExecutor(4) as pool:
            for engine in pool.map(opened, [url] * 4):
                record(engine)
        assert Journal(opened(url)).head().length == 4


def test_alembic_is_not_imported_to_open_a_store_of_this_version(databases: Databases) -> None:
    url = databases.bare()
    program = (
        "import sys; from databases import opened; opened(sys.argv[1]);"
        "sys.exit('alembic' in sys.modules)"
    )
    tests = Path(__file__).parents[2]
    for _ in ("made", "opened"):
        subprocess.run([sys.executable, "-c", program, url], cwd=tests, check=True)


def test_another_program_may_keep_its_tables_and_its_migrations_there(
    databases: Databases,
) -> None:
    url = databases.bare()
    databases_at(url).edit(
        url,
        "CREATE TABLE alembic_version (version_num TEXT)",
        "INSERT INTO alembic_version VALUES ('9999')",
        "CREATE TABLE entry (id INTEGER)",
    )
    engine = opened(url)
    record(engine)
    assert Journal(engine).check() == []
    with engine.connect() as connection:
        theirs = connection.exec_driver_sql("SELECT * FROM alembic_version").scalars().all()
    assert theirs == ["9999"]
