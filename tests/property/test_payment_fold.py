"""A payment is what the set of its events says, whatever their order and number."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from payment_lives import lives

from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.fold import Folded, fold_payment, fold_payout
from clearhouse.payments.journal import AccountCode, Row

often = settings(max_examples=120)
shuffles = st.randoms(use_true_random=False)


@often
@given(lives(), shuffles, st.data())
def test_permuted_and_duplicated_events_are_the_same_payment(
    life: list[PaymentEvent], random, data: st.DataObject
) -> None:
    again = [*life, *data.draw(st.lists(st.sampled_from(life)))]
    random.shuffle(again)
    assert fold_payment(again) == fold_payment(life)


@often
@given(lives(payout=True), shuffles)
def test_permuted_and_duplicated_events_are_the_same_payout(
    life: list[PaymentEvent], random
) -> None:
    own = [event for event in life if event.payout_id == life[0].payout_id]
    reversals = [event for event in life if event not in own and event.is_reversal_of]
    expected = fold_payout(own, reversals)
    again = [*own, *own]
    random.shuffle(again)
    assert fold_payout(again, reversals[::-1]) == expected
    assert unbalanced(expected.lines) == []


@often
@given(lives())
def test_the_journal_balances_and_says_what_the_payment_says_after_each_event(
    life: list[PaymentEvent],
) -> None:
    for count in range(1, len(life) + 1):
        folded = fold_payment(life[:count])
        assert unbalanced(folded.lines) == []
        payment = folded.payment
        assert payment is not None
        assert 0 <= payment["refunded_minor"] <= payment["captured_minor"]
        owed = balance(folded, AccountCode.MERCHANT_PAYABLE)
        assert -owed == payment["captured_minor"] - payment["refunded_minor"]
        assert balance(folded, AccountCode.DISPUTES) == payment["disputed_minor"]


def balance(folded: Folded, account: AccountCode) -> int:
    assert folded.payment is not None
    return sum(
        line["debit_minor"] - line["credit_minor"]
        for line in folded.lines
        if line["account_code"] == account and line["currency"] == folded.payment["currency"]
    )


def unbalanced(lines: list[Row]) -> list[str]:
    total: Counter[tuple[str, str]] = Counter()
    for line in lines:
        total[line["posting"], line["currency"]] += line["debit_minor"] - line["credit_minor"]
    keys = {(line["posting"], line["line"]) for line in lines}
    assert len(keys) == len(lines), "a posting is written twice"
    return [name for (name, _), difference in total.items() if difference]
