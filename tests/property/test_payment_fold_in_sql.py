"""The models' fold in SQL gives the rows that the service's fold gives, in any order of events."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payment_lives import lives, settlements
from payment_sql import folded

from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.fold import fold_payment, fold_payout

Rows = list[dict[str, Any]]
_QUICK = settings(max_examples=15, suppress_health_check=list(HealthCheck))


def _each_in_its_account(found: Sequence[Sequence[PaymentEvent]]) -> list[list[PaymentEvent]]:
    """Lives that have nothing to do with each other, so that one query folds them all."""
    return [
        [
            msgspec.structs.replace(event, account=f"a{n}", event_id=f"{event.event_id}:{n}")
            for event in life
        ]
        for n, life in enumerate(found)
    ]


def _alike(theirs: Iterable[dict[str, Any]], ours: Rows, *key: str) -> None:
    """Their rows are ours, in all columns that they have."""
    expected = sorted(theirs, key=lambda row: [row[name] for name in key])
    found = sorted(ours, key=lambda row: [row[name] for name in key])
    assert [{name: row[name] for name in expected[0]} for row in found if expected] == expected
    assert len(found) == len(expected)


@given(found=st.lists(lives(), min_size=3, max_size=10), random=st.randoms())
@_QUICK
def test_payments_refunds_disputes_and_lines_are_those_of_the_service(
    found: list[list[PaymentEvent]], random: Any
) -> None:
    apart = _each_in_its_account(found)
    events = [event for life in apart for event in life]
    random.shuffle(events)
    folds = [fold_payment(life) for life in apart]

    payments, refunds, disputes, journal = folded(
        events, "payments", "refunds", "disputes", "journal"
    )

    _alike([f.payment for f in folds if f.payment], payments, "payment_key")
    _alike([row for f in folds for row in f.refunds], refunds, "refund_key")
    _alike([row for f in folds for row in f.disputes], disputes, "dispute_key")
    _alike([row for f in folds for row in f.lines], journal, "subject_key", "posting", "line")


def _taking_back(life: Iterable[PaymentEvent], payout_id: str | None) -> set[str | None]:
    """The payouts of which an event says that they take this one back."""
    return {event.payout_id for event in life if event.is_reversal_of == payout_id}


@given(found=st.lists(lives(payout=True), min_size=3, max_size=10), random=st.randoms())
@_QUICK
def test_payouts_and_their_lines_are_those_of_the_service(
    found: list[list[PaymentEvent]], random: Any
) -> None:
    apart = _each_in_its_account(found)
    events = [event for life in apart for event in life]
    random.shuffle(events)
    folds = [
        fold_payout(
            [event for event in life if event.payout_id == own],
            [event for event in life if event.payout_id in _taking_back(life, own)],
        )
        for life in apart
        for own in {event.payout_id for event in life}
    ]

    payouts, journal = folded(events, "payouts", "journal")

    _alike([fold.payout for fold in folds], payouts, "payout_key")
    _alike([row for f in folds for row in f.lines], journal, "subject_key", "posting", "line")


@given(life=lives(), payouts=lives(payout=True), data=st.data())
@_QUICK
def test_postings_of_settlements_balance_in_one_currency(
    life: list[PaymentEvent], payouts: list[PaymentEvent], data: st.DataObject
) -> None:
    provider = life[0].provider
    of_payouts = [
        msgspec.structs.replace(event, provider=provider, event_id=f"{event.event_id}:payout")
        for event in payouts
    ]
    entries = data.draw(settlements(provider))

    (lines,) = folded([*life, *of_payouts], "settled", entries=entries)

    sides: dict[tuple[str, str], Rows] = defaultdict(list)
    for line in sorted(lines, key=lambda each: each["line"]):
        sides[line["subject_key"], line["posting"]].append(line)
    for posting in sides.values():
        assert [(line["line"], line["currency"]) for line in posting] == [
            (n, posting[0]["currency"]) for n in (1, 2)
        ]
        assert sum(line["debit_minor"] - line["credit_minor"] for line in posting) == 0
