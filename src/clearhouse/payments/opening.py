"""Opening what the services of payments share: the log, and the operational store."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearhouse.core.database_access import BATCH, DatabaseAccess
from clearhouse.log.log import Log
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.settings import Settings


@contextmanager
def opened(
    settings: Settings, access: DatabaseAccess = BATCH
) -> Iterator[tuple[Log, PaymentStore]]:
    """The log and the store that the settings name, for as long as the block lasts.

    Args:
        settings: name them.
        access: to a store on a server; `settings.database_access` of a service.

    Raises:
        SettingsError, LogError, StoreError, ServerError: one can't be opened.
    """
    log = open_payment_log(log_place(settings))
    try:
        store = open_store(settings.payments_database_url, access)
        try:
            yield log, store
        finally:
            store.close()
    finally:
        log.close()
