"""Calls of concurrent tasks, put together."""

import asyncio

import pytest

from clearhouse.core.batching import Batcher


def test_what_is_asked_while_a_batch_is_at_work_is_the_next_and_each_gets_its_own_answer():
    batches = []

    def work(numbers):
        batches.append(list(numbers))
        return [ValueError(str(n)) if n == 3 else n * 10 for n in numbers]

    async def ask():
        batcher = Batcher(work, most=4)
        return await asyncio.gather(*map(batcher.ask, range(6)), return_exceptions=True)

    answers = asyncio.run(ask())
    assert batches == [[0, 1, 2, 3], [4, 5]]
    assert answers[:3] + answers[4:] == [0, 10, 20, 40, 50]
    assert repr(answers[3]) == "ValueError('3')"


def test_a_call_that_fails_fails_for_its_batch_and_not_for_the_next():
    def work(numbers):
        if 0 in numbers:
            raise RuntimeError
        return numbers

    async def ask():
        batcher = Batcher(work)
        with pytest.raises(RuntimeError):
            await batcher.ask(0)
        return await batcher.ask(1)

    assert asyncio.run(ask()) == 1
