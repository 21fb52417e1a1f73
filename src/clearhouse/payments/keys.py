"""By which keys payments and payouts are known, and which ids are of one payment."""

from collections.abc import Iterable
from functools import lru_cache

from clearhouse.payments.event import EventType, PaymentEvent

OF_PAYOUTS = frozenset(kind for kind in EventType if kind.startswith("payout_"))


REFERENCE = "reference:"
"""What hints by the merchant's reference begin with."""


def scope_of(event: PaymentEvent) -> str:
    """In which ids of a provider are unique: `<provider>:<account>:<live|test>`."""
    return _scope(event.provider, event.account, event.livemode)


@lru_cache(4_096)  # an event asks for it a dozen times, and a merchant has few accounts
def _scope(provider: str, account: str, livemode: bool) -> str:
    return f"{provider}:{account}:{'live' if livemode else 'test'}"


def own_key(event: PaymentEvent) -> str | None:
    """The payment that an event names, by the id that it names it by; None for a payout."""
    if event.payment_id is None or event.event_type in OF_PAYOUTS:
        return None
    return f"{scope_of(event)}:{event.payment_id}"


def linked_key(event: PaymentEvent) -> str | None:
    """The same by the other id that the event links it to."""
    if event.linked_id is None or event.linked_id == event.payment_id:
        return None
    return f"{scope_of(event)}:{event.linked_id}"


def payout_key(event: PaymentEvent) -> str | None:
    """The payout that an event is about."""
    if event.event_type not in OF_PAYOUTS:
        return None
    return f"{scope_of(event)}:{event.payout_id}"


def reversal_hint(event: PaymentEvent) -> str | None:
    """By which the payout that takes back another one is found from that one."""
    if event.is_reversal_of is None or event.event_type not in OF_PAYOUTS:
        return None
    return hint_of_reversal(f"{scope_of(event)}:{event.is_reversal_of}")


def hint_of_reversal(payout: str) -> str:
    """The hint of those payouts that take one back, by its key."""
    return f"reversal:{payout}"


def hints_of(event: PaymentEvent) -> list[str]:
    """By what else a payment can be known, the surest first: its dispute, refund, reference."""
    if event.event_type in OF_PAYOUTS:
        return []
    scope, hints = scope_of(event), []
    if event.dispute_id is not None:
        hints.append(f"dispute:{scope}:{event.dispute_id}")
    if event.refund_id is not None:
        hints.append(f"refund:{scope}:{event.refund_id}")
    reference = reference_hint(event)
    return hints if reference is None else [*hints, reference]


def reference_hint(event: PaymentEvent) -> str | None:
    """The hint by the merchant's reference, which further attempts to pay an order share."""
    if event.merchant_reference is None or event.event_type in OF_PAYOUTS:
        return None
    return f"{REFERENCE}{scope_of(event)}:{event.merchant_reference}"


def object_keys(event: PaymentEvent) -> list[str]:
    """The keys of the dispute and the refund that an event is about."""
    scope = scope_of(event)
    return [f"{scope}:{own}" for own in (event.dispute_id, event.refund_id) if own is not None]


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
    for own, other in {*links}:
        ids.add(own)
        if other is not None and other != own:
            ids.add(other)
            linked.add(own)
    return min(ids - linked or ids)
