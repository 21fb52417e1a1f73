"""A large history on PostgreSQL: its indexes take longer than any other statement may."""

from typing import Any

import sqlalchemy as sa
from gl_service import Time
from gl_tiny import TinyLedger

from clearhouse.core.database_access import DatabaseAccess
from clearhouse.core.urls import SecretUrl
from clearhouse.gl.service import tables
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.feed import Feed, FeedOptions
from stack.server import Server

_MOST_SECONDS, _SLOW_SECONDS = 1.0, 1.5


def test_a_history_is_whole_though_an_index_takes_longer_than_a_statement_may(
    server: Server,
) -> None:
    store = SecretUrl.parse(server.database("gl_slow_indexes"), ("postgresql",))
    access = DatabaseAccess(program="clearhouse gl", statement_seconds=_MOST_SECONDS)
    database = Database(store, access)

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _slowly(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("CREATE INDEX ix_gl_line_account_code"):
            cursor.execute(f"DO $$ BEGIN PERFORM pg_sleep({_SLOW_SECONDS}); END $$")

    Feed(database, FeedOptions(5), Time(), TinyLedger).catch_up()
    made = {each["name"] for each in sa.inspect(database.engine).get_indexes("gl_line")}
    database.close()
    assert {str(index.name) for index in tables.line.indexes} <= made
