"""What does not come is not waited for for ever, and a task that is ended is ended."""

import asyncio

import pytest

from clearhouse.payments.gateway.patience import Patience


async def never() -> None:
    await asyncio.Event().wait()


async def soon() -> str:
    await asyncio.sleep(0)
    return "here"


def test_who_waits_too_long_is_told_and_nobody_else():
    async def run():
        patience = Patience(0.01)
        waits = [patience.wait(never()), patience.wait(soon()), patience.wait(never())]
        first = await asyncio.gather(*waits, return_exceptions=True)
        return first, await patience.wait(soon())

    (late, came, also_late), later = asyncio.run(run())
    assert isinstance(late, TimeoutError)
    assert isinstance(also_late, TimeoutError)
    assert (came, later) == ("here", "here")


def test_a_task_that_was_cancelled_is_not_taken_for_a_late_one():
    async def run():
        task = asyncio.create_task(Patience(20).wait(never()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
