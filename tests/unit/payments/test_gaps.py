"""Of which accounts Stripe's events are listed."""

from contextlib import closing

import pytest
from databases import Databases
from payment_desk import Desk
from payment_lives import an_event

from clearhouse.payments.event import EventType, Provider
from clearhouse.payments.gaps import accounts_of


@pytest.mark.parametrize("names", [["acct_2", "acct_1", "acct_2"], []])
def test_connected_accounts_of_stripe_are_named_once(
    databases: Databases, names: list[str]
) -> None:
    desk = Desk(databases.bare())
    with closing(desk.store):
        desk.record(
            *(an_event(EventType.CAPTURED, account=name) for name in [*names, "default"]),
            an_event(EventType.CAPTURED, account="acct_9", provider=Provider.SQUARE),
        )
        assert accounts_of(desk.store) == ["", *sorted({*names})]
