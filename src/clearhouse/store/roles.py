"""Who may do what in the stores on a server: two roles, which the logins of services are given.

Grants name each table: in a database that holds more than one store, a role of one has no right in
another. They are made by whoever owns the tables, whenever these have been made or migrated.
"""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from clearhouse.core.errors import ServerError

WORKER = "clearhouse_worker"
"""Records payments: it reads and writes rows of their store, and nothing else."""
BATCH = "clearhouse_batch"
"""Steps of domains, exporter, doctor: it reads the store of payments, and the books."""
ROLES = (WORKER, BATCH)

READS = "SELECT"
WRITES = "SELECT, INSERT, UPDATE, DELETE"


def missing_roles(connection: sa.Connection) -> list[str]:
    """Which of the roles the server does not have."""
    there = connection.scalars(
        sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"), {"names": list(ROLES)}
    ).all()
    return [name for name in ROLES if name not in there]


def make_roles(connection: sa.Connection) -> list[str]:
    """Make the roles that are missing; none of them can log in.

    Returns:
        Those that were made.

    Raises:
        ServerError: the user may make none (roles_missing).
    """
    missing = missing_roles(connection)
    may = connection.scalar(
        sa.text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    )
    if missing and not may:
        statements = " ".join(f"CREATE ROLE {name} NOLOGIN;" for name in missing)
        raise ServerError(
            f"The roles {' and '.join(missing)} are missing, and the user of the store may not "
            f"make them: let an administrator run {statements} and prepare again.",
            "roles_missing",
        )
    for name in missing:
        connection.execute(sa.text(f"CREATE ROLE {name} NOLOGIN"))
    return missing


def grant(connection: sa.Connection, rights: Mapping[str, str], tables: Collection[str]) -> None:
    """Give roles rights in tables; those that the server does not have are left out.

    Args:
        connection: of the tables' owner, in a transaction.
        rights: privileges by role.
        tables: their names.
    """
    if connection.dialect.name != "postgresql":
        return
    missing = missing_roles(connection)
    for role, privileges in rights.items():
        if role in missing:
            continue
        _let_into_the_schema(connection, role)
        connection.execute(sa.text(f"GRANT {privileges} ON {', '.join(tables)} TO {role}"))
        if "INSERT" in privileges:
            for sequence in _sequences(connection, tables):
                connection.execute(sa.text(f"GRANT USAGE ON SEQUENCE {sequence} TO {role}"))


def _let_into_the_schema(connection: sa.Connection, role: str) -> None:
    schema, may = connection.execute(
        sa.text(
            "SELECT quote_ident(current_schema()),"
            " has_schema_privilege(:role, current_schema(), 'USAGE')"
        ),
        {"role": role},
    ).one()
    if not may:
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))


def _sequences(connection: sa.Connection, tables: Collection[str]) -> list[str]:
    """Those by which tables number their rows."""
    found = connection.scalars(
        sa.text(
            "SELECT sequence.oid::regclass::text FROM pg_class AS sequence"
            " JOIN pg_depend ON objid = sequence.oid AND deptype = 'a'"
            " WHERE relkind = 'S' AND refobjid = ANY(CAST(:tables AS regclass[]))"
        ),
        {"tables": list(tables)},
    )
    return list(found)
