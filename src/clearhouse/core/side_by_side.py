"""Tasks side by side, a bounded number of them, each answer as soon as it is there."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")


async def side_by_side(
    work: Callable[[A], Awaitable[T]], arguments: Iterable[A], most: int
) -> AsyncGenerator[T, None]:
    """The answers of a function for many arguments, in no order.

    At most so many are under way or waiting to be taken, so that a slow reader slows the work and
    does not fill the memory. Close the generator (`contextlib.aclosing`) to leave early.
    """
    waiting = iter(arguments)

    def begin(count: int) -> set[asyncio.Future[T]]:
        return {asyncio.ensure_future(work(argument)) for argument in islice(waiting, count)}

    tasks = begin(most)
    try:
        while tasks:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            tasks |= begin(len(done))
            for task in done:
                yield task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
