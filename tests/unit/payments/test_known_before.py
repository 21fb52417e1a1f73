"""What was known of a payment before an event counts objects, and not what was told of them."""

from pathlib import Path
from typing import Any

import pytest
from payment_lives import NOON, an_event

from clearhouse.log.log import Record
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, encode_event
from clearhouse.payments.inference.model import History
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.recorder import Handled, Recorder
from clearhouse.payments.topics import EVENTS
from clearhouse.payments.worker.history import new_with_history

FIRST = [an_event(T.FAILED, capture_id="ch_1"), an_event(T.FAILED, capture_id="ch_1")]
"""One attempt that failed, told of by its charge and by its payment intent."""
SECOND = an_event(T.FAILED, 60, capture_id="ch_2")
NAMELESS = an_event(T.FAILED, 90)
REFUNDS = [an_event(T.REFUNDED, 99), an_event(T.REFUNDED, 99), an_event(T.REFUNDED, 99,
           refund_id="other")]  # fmt: skip


@pytest.mark.parametrize("recorded", [0, 1, 3, 7])
def test_an_attempt_or_refund_counts_once_however_often_it_is_told_of(
    tmp_path: Path, recorded: int
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/payments.db")
    events = [*FIRST, SECOND, NAMELESS, *REFUNDS]
    _record(events[:recorded], Recorder(store, lambda: NOON))

    found = new_with_history(store, events)

    expected = [History(), History(), History(failures=1), History(failures=2)]
    expected += [History(failures=3), History(failures=3), History(failures=3, refunds=1)]
    assert found == list(zip(events, expected, strict=True))[recorded:]
    store.close()


ORDER = {"merchant_reference": "order 1"}


def _attempt(n: int, days: int = 0, **changes: Any) -> PaymentEvent:
    return an_event(T.FAILED, days * 86_400 + n, payment_id=f"p{n}", **changes)


@pytest.mark.parametrize("recorded", [0, 2])
@pytest.mark.parametrize(
    ("before", "failures"),
    [
        ([_attempt(1, **ORDER), _attempt(2, **ORDER)], 2),  # each attempt is a payment of its own
        ([_attempt(1, **ORDER), _attempt(2, merchant_reference="order 2")], 1),
        ([_attempt(1, -31, **ORDER), _attempt(2, -29, **ORDER)], 1),
        ([_attempt(n, **ORDER) for n in range(17)], 0),  # a reference of too many to be one order's
        ([_attempt(1, livemode=False, **ORDER)], 0),
    ],
)
def test_failures_at_other_payments_of_an_order_count(
    tmp_path: Path, before: list[PaymentEvent], failures: int, recorded: int
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/payments.db")
    _record(before[:recorded], Recorder(store, lambda: NOON))

    *_, (_, history) = new_with_history(store, [*before, _attempt(99, **ORDER)])

    assert history == History(failures=failures)
    store.close()


def _record(events: list[PaymentEvent], recorder: Recorder) -> None:
    handled = [
        Handled(event, Record(EVENTS.name, n, "k", encode_event(event), NOON))
        for n, event in enumerate(events)
    ]
    recorder.record(handled, None)
