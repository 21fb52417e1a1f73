"""What readers see: a role that may read it, and how a publication made anew takes its place.

Readers read the same database. Its isolation shows a statement, or a transaction of the level
REPEATABLE READ, one publication and never a mixture: pointers and derived rows change in one
transaction.

Derived tables stand in `gold`. In `marts` readers are shown a materialized view of a summary, which
a publication refreshes in its transaction, and a view of another table.

Derived tables that are made anew, and the views over them, are built in the schema `fresh`, while
readers go on with those in force. The transaction that flips the pointers moves them to their
places. A view is bound to tables and not to names, so it needs no other text there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from clearhouse.core.errors import StoreError
from clearhouse.engines.engine import Anew, DerivedTable

READER = "clearhouse_reader"
"""The role of readers. A person's role is given it: GRANT clearhouse_reader TO analyst."""

FRESH = "fresh"
VIEWS = "CREATE TABLE IF NOT EXISTS ops.shown_view (relation text PRIMARY KEY, definition text)"
_SCHEMAS = ("gold", "marts", "ops")
_LOCK_SECONDS = 15
_SHOWN = "_shown"
"""At the end of a view's name while its table has the name that readers know."""

DESCRIBE = """CREATE OR REPLACE FUNCTION ops.describe(relation text, description text, columns json)
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        relation_found pg_class;
        described record;
    BEGIN
        SELECT * INTO relation_found FROM pg_class WHERE oid = to_regclass(relation);
        IF NOT FOUND THEN
            RETURN;
        END IF;
        IF obj_description(relation_found.oid, 'pg_class') IS DISTINCT FROM description THEN
            EXECUTE format('COMMENT ON %s %s IS %L',
                CASE relation_found.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                    ELSE 'TABLE' END, relation_found.oid::regclass, description);
        END IF;
        FOR described IN
            SELECT attname, value
            FROM json_each_text(columns)
            INNER JOIN pg_attribute
                ON attname = key AND attrelid = relation_found.oid AND attnum > 0
            WHERE col_description(relation_found.oid, attnum) IS DISTINCT FROM value
        LOOP
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L',
                relation_found.oid::regclass, described.attname, described.value);
        END LOOP;
    END $$"""
"""Comments on a relation and its columns; what has its comment already is not touched."""


def set_up_role(connection: psycopg.Connection[Any]) -> None:
    """The role, with the right to read what readers are shown; ours to act as.

    Raises:
        StoreError: there is none, and we may not make it.
    """
    exists = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    try:
        if not connection.execute(exists, [READER]).fetchone():
            connection.execute(f"CREATE ROLE {READER} NOLOGIN")
        if connection.execute(f"SELECT pg_has_role('{READER}', 'MEMBER')").fetchone() != (True,):
            connection.execute(f"GRANT {READER} TO CURRENT_USER")
    except psycopg.errors.InsufficientPrivilege:
        raise StoreError(
            f"The role {READER}, by which readers read, is missing, or not ours to act as: let an "
            f"administrator run CREATE ROLE {READER}; GRANT {READER} TO the role of ENGINE_URL.",
            "engine_failed",
        ) from None
    connection.execute(f"GRANT USAGE ON SCHEMA {', '.join(_SCHEMAS)} TO {READER}")
    connection.execute(f"GRANT SELECT ON ops.publication, marts.quality_metrics TO {READER}")


def fresh_of(relation: str) -> str:
    """Where `schema.name` is built anew."""
    return f"{FRESH}.{_name_of(relation)}"


def table_of(relation: str) -> str:
    """The table of what is served as `schema.name`."""
    return f"gold.{_name_of(relation)}"


def placed(connection: psycopg.Connection[Any], anew: Anew) -> Iterator[str]:
    """Statements that put what was built in `fresh` into its places, for one transaction.

    All is made before the first lock that a reader would wait for, and their indexes before it.
    """
    tables = _built(connection, anew)
    views = [view for view in anew.views if _kind(connection, fresh_of(view))]
    yield f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"
    for table in tables:
        yield from _made_ready(table)
    for relation in (*reversed(views), *(t.relation for t in tables), *_of_gold(tables)):
        if kind := _kind(connection, relation):
            yield f"DROP {kind} IF EXISTS {relation} CASCADE"
    for table in tables:
        yield from _moved(table)
    for view in views:
        yield f"ALTER VIEW {fresh_of(view)} SET SCHEMA {_schema_of(view)}"
    for relation in (*views, *(t.relation for t in tables if not t.is_internal)):
        yield f"GRANT SELECT ON {relation} TO {READER}"
    for view in views:
        yield f"""INSERT INTO ops.shown_view
            VALUES ('{view}', pg_get_viewdef('{view}'::regclass))
            ON CONFLICT (relation) DO UPDATE SET definition = excluded.definition"""


def indexes_of(connection: psycopg.Connection[Any], anew: Anew) -> list[str]:
    """Statements that make the indexes of what was built in `fresh`, before `placed`."""
    return [
        f"CREATE INDEX ON {fresh_of(table.relation)} ({', '.join(columns)})"
        for table in _built(connection, anew)
        for columns in table.indexes
    ]


def _built(connection: psycopg.Connection[Any], anew: Anew) -> list[DerivedTable]:
    return [table for table in anew.tables if _kind(connection, fresh_of(table.relation))]


def _made_ready(table: DerivedTable) -> Iterator[str]:
    """The view by which readers are shown a table in `fresh`."""
    fresh = fresh_of(table.relation)
    if _is_shown_by_a_view(table):
        yield f"CREATE {_kind_of_view(table)} {fresh}{_SHOWN} AS SELECT * FROM {fresh}"
    if table.is_summary:
        # A materialized view without one can't be refreshed while readers read it.
        yield f"CREATE UNIQUE INDEX ON {fresh}{_SHOWN} ({', '.join(table.grain)})"
        for columns in table.indexes:
            yield f"CREATE INDEX ON {fresh}{_SHOWN} ({', '.join(columns)})"


def _moved(table: DerivedTable) -> Iterator[str]:
    fresh, name = fresh_of(table.relation), _name_of(table.relation)
    yield f"ALTER TABLE {fresh} SET SCHEMA gold"
    if _is_shown_by_a_view(table):
        kind = _kind_of_view(table)
        yield f"ALTER {kind} {fresh}{_SHOWN} RENAME TO {name}"
        yield f"ALTER {kind} {fresh} SET SCHEMA {_schema_of(table.relation)}"


def _is_shown_by_a_view(table: DerivedTable) -> bool:
    return table.relation != table_of(table.relation)


def _kind_of_view(table: DerivedTable) -> str:
    return "MATERIALIZED VIEW" if table.is_summary else "VIEW"


def _of_gold(tables: Iterable[DerivedTable]) -> list[str]:
    return [table_of(t.relation) for t in tables if _is_shown_by_a_view(t)]


def _kind(connection: psycopg.Connection[Any], relation: str) -> str:
    """What a relation is, as SQL names it; "" where it is not there."""
    found = connection.execute(
        """SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
            ELSE 'TABLE' END FROM pg_class WHERE oid = to_regclass(%s)""",
        [relation],
    ).fetchone()
    return str(found[0]) if found else ""


def _name_of(relation: str) -> str:
    return relation.partition(".")[2]


def _schema_of(relation: str) -> str:
    return relation.partition(".")[0]


def differing(
    connection: psycopg.Connection[Any], facts: Sequence[str], views: Sequence[str]
) -> list[str]:
    """Facts that hide nothing from readers, and views that are not those that were built."""
    found = []
    for fact in facts:
        row = connection.execute(
            """SELECT relrowsecurity AND EXISTS (
                SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'published')
            FROM pg_class WHERE oid = to_regclass(%s)""",
            [fact],
        ).fetchone()
        found += [] if row in (None, (True,)) else [fact]
    for view in views:
        row = connection.execute(
            """SELECT definition IS NOT DISTINCT FROM pg_get_viewdef(to_regclass(relation))
            FROM ops.shown_view WHERE relation = %s""",
            [view],
        ).fetchone()
        found += [] if row in (None, (True,)) else [view]
    return found
