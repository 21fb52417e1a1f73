"""From a verified webhook to one payment event, or why it is none: pure functions.

The same webhook gives the same result for as long as the code stays the same, so that landing can
be normalized again (`payments.replay`).
"""

import datetime as dt
from collections.abc import Callable, Mapping

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent, Provider
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers import adyen, paypal, square, stripe
from clearhouse.payments.providers.notice import Notice
from clearhouse.payments.providers.refusal import RefusedError
from clearhouse.payments.webhook import StoredWebhook

__all__ = ["Fetched", "Problem", "needs_fetch", "normalize"]

Fetched = bytes
"""JSON of the object that a thin event names, as the provider's API answered."""

_READERS: Mapping[Provider, Callable[[Notice], PaymentEvent | Unmapped]] = {
    Provider.SQUARE: square.normalize,
    Provider.ADYEN: adyen.normalize,
    Provider.PAYPAL: paypal.normalize,
}


def normalize(
    webhook: StoredWebhook, position: int, book_date: dt.date, fetched: Fetched | None = None
) -> PaymentEvent | Unmapped | list[Problem]:
    """What a notification says.

    Args:
        webhook: verified by the gateway.
        position: of it in the topic `payments.webhooks`.
        book_date: the UTC day on which the log took it.
        fetched: what `needs_fetch` names; None where it names nothing.

    Returns:
        The event; Unmapped where no ledger fact follows from its type; or at least one problem,
        the first of which says why it can't be read.
    """
    notice = Notice(webhook, position, book_date, webhook.body.encode())
    try:
        if webhook.provider is Provider.STRIPE:
            return stripe.normalize(notice, fetched)
        return _READERS[webhook.provider](notice)
    except RefusedError as error:
        return list(error.problems)


def needs_fetch(webhook: StoredWebhook) -> str | None:
    """The path at Stripe's API of the object that a thin event names; None where all is here.

    A notification that can't be read needs nothing: `normalize` says what is wrong with it.
    """
    found = thin_object(webhook)
    return found.path if found else None


def thin_object(webhook: StoredWebhook) -> stripe.Thin | None:
    """The same with the account that the object is in."""
    if webhook.provider is not Provider.STRIPE or '"v2.core.event"' not in webhook.body:
        return None
    try:
        return stripe.thin_object(webhook.body.encode())
    except RefusedError:
        return None
