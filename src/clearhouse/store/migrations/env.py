"""Runs migrations on the connection that is given, in its transaction."""

from alembic import context

from clearhouse.store.tables import version_table

context.configure(
    connection=context.config.attributes["connection"], version_table=version_table.name
)
context.run_migrations()
