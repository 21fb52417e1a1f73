"""A source that is asked for each day by itself: several at once, a failure beside the others."""

import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from clearhouse.core.errors import ClearhouseError
from clearhouse.core.side_by_side import side_by_side
from clearhouse.pipeline.domain import Batch, Failure


async def each_day(
    ask: Callable[[dt.date], Awaitable[Batch]], days: Sequence[dt.date], at_once: int
) -> AsyncGenerator[Batch | Failure, None]:
    """Each day as soon as it is there, in any order.

    Args:
        ask: gives a day, or raises why the source does not give it.
        days: that are wanted.
        at_once: how many are asked for side by side.
    """

    async def answer_of(day: dt.date) -> Batch | Failure:
        try:
            return await ask(day)
        except ClearhouseError as error:
            return Failure(day, error)

    async with aclosing(side_by_side(answer_of, days, at_once)) as found:
        async for answer in found:
            yield answer
