"""Which log a store's events come from: positions in another one mean other events."""

import sqlalchemy as sa

from clearhouse.core.errors import StoreError
from clearhouse.log.log import Log
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import add_missing
from clearhouse.payments.store.tables import event_log


def bind(store: PaymentStore, log: Log) -> None:
    """See that a store's events come from a log. The first that it is used with is its own.

    Raises:
        StoreError: they come from another (another_log): a new one, or one of another home.
    """
    identity = log.identity
    with store.writing() as connection:
        add_missing(connection, event_log, [{"only": 1, "identity": identity}])
        bound = connection.scalar(sa.select(event_log.c.identity))
    if bound != identity:
        raise StoreError(
            "The payments in PAYMENTS_DATABASE_URL were recorded from another log than that of "
            "LOG_URL: put that log back, or set PAYMENTS_DATABASE_URL to a new store.",
            "another_log",
        )
