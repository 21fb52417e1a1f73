"""Preparing the stores on a server: their tables, and the roles of those who do not own them."""

from contextlib import closing

from clearhouse.core.urls import SecretUrl
from clearhouse.payments.store.database import SCHEMA, open_store
from clearhouse.settings import Settings
from clearhouse.store.database import open_database
from clearhouse.store.roles import ROLES, make_roles
from clearhouse.store.tables import grant_rights


def prepare_roles(settings: Settings) -> list[str]:
    """Migrate the stores that are on a server, and give the roles their rights in them.

    It may be repeated. It needs the owner of the tables; where roles are missing, one who may make
    them too.

    Returns:
        What was done, a sentence each. Nothing for stores in files.

    Raises:
        StoreError: the tables can't be migrated.
        ServerError: a server can't be reached, or roles are missing (roles_missing).
    """
    said = []
    if isinstance(settings.payments_database_url, SecretUrl):
        said += _prepare_payments(settings.payments_database_url)
    if isinstance(settings.database_url, SecretUrl):
        said += _prepare_books(settings.database_url)
    return said


def _prepare_payments(url: SecretUrl) -> list[str]:
    with closing(open_store(url)) as store, store.writing() as connection:
        made = make_roles(connection)
        SCHEMA.grant(connection)
    return [
        *(f"The role {name} was made: GRANT {name} TO a login of your own." for name in made),
        f"{url.public} has the tables of payments; {' and '.join(ROLES)} have their rights.",
    ]


def _prepare_books(url: SecretUrl) -> list[str]:
    engine = open_database(url)
    try:
        with engine.begin() as connection:
            make_roles(connection)
            grant_rights(connection)
    finally:
        engine.dispose()
    return [f"{url.public} has the tables of the books; clearhouse_batch may read them."]
