"""What was known of a payment before an event counts objects, and not what was told of them."""

from pathlib import Path

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


def _record(events: list[PaymentEvent], recorder: Recorder) -> None:
    handled = [
        Handled(event, Record(EVENTS.name, n, "k", encode_event(event), NOON))
        for n, event in enumerate(events)
    ]
    recorder.record(handled, None)
