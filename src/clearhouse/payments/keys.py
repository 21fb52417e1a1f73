"""By which keys payments and payouts are known, and which ids are of one payment."""

from collections.abc import Iterable

from clearhouse.payments.event import PaymentEvent


def scope_of(event: PaymentEvent) -> str:
    """In which ids of a provider are unique: `<provider>:<account>:<live|test>`."""
    return f"{event.provider.value}:{event.account}:{'live' if event.livemode else 'test'}"


def reference_key(event: PaymentEvent) -> str | None:
    """By which an event names its payment where it knows no id of it."""
    if event.merchant_reference is None or event.payout_id is not None:
        return None
    return f"{scope_of(event)}:reference:{event.merchant_reference}"


def payout_key(event: PaymentEvent) -> str | None:
    """The key of the payout that an event is about."""
    return None if event.payout_id is None else f"{scope_of(event)}:{event.payout_id}"


def root_of(links: Iterable[tuple[str, str | None]]) -> str:
    """The id by which a payment is known, of all the ids that its events link.

    Args:
        links: an id and another one that it is linked to, or None; at least one.

    Returns:
        The one that is linked to no other, such as the first authorization. Where there are several
        of them or none, the least of them, so that the order of events makes no difference.
    """
    ids: set[str] = set()
    linked: set[str] = set()
    for own, other in links:
        ids.add(own)
        if other is not None and other != own:
            ids.add(other)
            linked.add(own)
    return min(ids - linked or ids)
