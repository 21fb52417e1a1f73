"""Runs migrations on the connection that is given, in its transaction."""

from alembic import context

from clearhouse.payments.store.tables import version

context.configure(connection=context.config.attributes["connection"], version_table=version.name)
context.run_migrations()
