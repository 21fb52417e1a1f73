"""Runs of a payment one after the other, and no more of all than there is room for."""

import asyncio

import pytest

from clearhouse.payments.workflows.under_way import UnderWay

SOON_SECONDS = 30
LONG_SECONDS = 1000


def begun(under_way, begin, *more):
    """The webhooks whose runs may begin, in order; those of `more` are tried last."""
    order = []

    async def one(webhook, payment):
        await under_way.begin(webhook, payment, asyncio.get_running_loop().time() + LONG_SECONDS)
        order.append(webhook)

    async def all_of_them():
        async with asyncio.timeout(SOON_SECONDS):
            await asyncio.gather(*(one(*each) for each in begin))
            for each in more:
                await one(*each)

    asyncio.run(all_of_them())
    return order


def test_a_run_begins_when_that_before_it_of_its_payment_has_ended():
    asked = []

    def ended(webhooks):
        asked.append(set(webhooks))
        return {1} if len(asked) == 3 else set()

    under_way = UnderWay(ended, patience_seconds=LONG_SECONDS)
    assert begun(under_way, [(1, "a"), (2, "a"), (3, "b")]) == [1, 3, 2]
    assert asked == [{1, 3}] * 3


def test_of_all_payments_no_more_are_begun_than_there_is_room_for():
    most = []

    def ended(webhooks):
        most.append(len(webhooks))
        return [min(webhooks)]

    under_way = UnderWay(ended, most=3, patience_seconds=LONG_SECONDS)
    assert begun(under_way, [(n, str(n)) for n in range(8)]) == list(range(8))
    assert max(most) == 3


def test_what_is_refused_and_what_takes_too_long_is_not_waited_for():
    under_way = UnderWay(lambda _: (), most=1, patience_seconds=0)
    assert begun(under_way, [(1, "a")], (2, "a"), (3, "b")) == [1, 2, 3]
    patient = UnderWay(lambda _: pytest.fail("nobody was to wait"), patience_seconds=LONG_SECONDS)
    begun(patient, [(1, "a")])
    patient.end(1)
    assert begun(patient, [(2, "a")]) == [2]


def test_an_outage_is_told_to_all_who_wait_and_the_next_look_is_a_new_one():
    answers = [OSError(), {1}]

    def ended(_webhooks):
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def waiting():
        under_way = UnderWay(ended, patience_seconds=LONG_SECONDS)
        later = asyncio.get_running_loop().time() + LONG_SECONDS
        await under_way.begin(1, "a", later)
        waits = [under_way.begin(2, "a", later), under_way.begin(3, "a", later)]
        told = await asyncio.gather(*waits, return_exceptions=True)
        await under_way.begin(4, "a", later)
        return told

    assert [type(each) for each in asyncio.run(waiting())] == [OSError, OSError]


def test_runs_of_a_payment_that_do_not_end_hold_a_batch_up_only_for_so_long():
    async def all_of_them():
        under_way = UnderWay(lambda _: (), patience_seconds=LONG_SECONDS)
        at_once = asyncio.get_running_loop().time()
        async with asyncio.timeout(SOON_SECONDS):
            for webhook in range(40):
                await under_way.begin(webhook, "a", at_once)

    asyncio.run(all_of_them())
