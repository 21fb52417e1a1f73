"""What readers see: a role that may read it, and how a publication made anew takes its place.

Readers read the same database. Its isolation shows a statement, or a transaction of the level
REPEATABLE READ, one publication and never a mixture: pointers and derived rows change in one
transaction.

Derived tables that are made anew, and the views over them, are built in the schema `fresh`, while
readers go on with those in force. The transaction that flips the pointers moves them to their
places. A view is bound to tables and not to names, so it needs no other text there.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from clearhouse.core.errors import StoreError
from clearhouse.engines.engine import Anew

READER = "clearhouse_reader"
"""The role of readers. A person's role is given it: GRANT clearhouse_reader TO analyst."""

FRESH = "fresh"
VIEWS = "CREATE TABLE IF NOT EXISTS ops.shown_view (relation text PRIMARY KEY, definition text)"
_SCHEMAS = ("gold", "marts", "ops")
_LOCK_SECONDS = 15
_THERE = "SELECT to_regclass(%s) IS NOT NULL"


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
    return f"{FRESH}.{relation.partition('.')[2]}"


def placed(connection: psycopg.Connection[Any], anew: Anew) -> Iterator[str]:
    """Statements that put what was built in `fresh` into its places, for one transaction."""
    views = anew.views
    shown = [table for table in anew.tables if table not in anew.internal]
    fresh = {relation: fresh_of(relation) for relation in (*anew.tables, *views)}
    built = [r for r in fresh if connection.execute(_THERE, [fresh[r]]).fetchone() == (True,)]
    yield f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"
    for relation in reversed([v for v in views if v in built]):
        yield f"DROP VIEW IF EXISTS {relation} CASCADE"
    for relation in anew.tables:
        if relation in built:
            yield f"DROP TABLE IF EXISTS {relation} CASCADE"
    for relation in built:
        kind = "VIEW" if relation in views else "TABLE"
        yield f"ALTER {kind} {fresh[relation]} SET SCHEMA {relation.partition('.')[0]}"
    for relation in (*views, *shown):
        if relation in built:
            yield f"GRANT SELECT ON {relation} TO {READER}"
    for view in views:
        if view in built:
            yield f"""INSERT INTO ops.shown_view
                VALUES ('{view}', pg_get_viewdef('{view}'::regclass))
                ON CONFLICT (relation) DO UPDATE SET definition = excluded.definition"""


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
