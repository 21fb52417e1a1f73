"""Calls of concurrent tasks, put together to batches."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Batcher(Generic[Asked, Answered]):
    """Does the work of many tasks in few calls: what is asked while one is under way is the next.

    One call is under way at a time, in a thread. It is used by the tasks of one event loop.

    Args:
        work: answers a batch: one answer for each, in their order. An answer that is an exception
            is raised for the task that asked; an exception of the call, for all of the batch.
        most: of one batch.
        gather_seconds: that the first of a batch waits for others.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Sequence[Answered | Exception]],
        most: int = 500,
        gather_seconds: float = 0.0,
    ) -> None:
        self._work = work
        self._most = most
        self._gather_seconds = gather_seconds
        self._asked: list[tuple[Asked, asyncio.Future[Answered]]] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, item: Asked) -> Answered:
        """The answer to one item.

        Raises:
            Exception: what the work raised.
        """
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._asked.append((item, future))
        if self._working is None:
            self._working = asyncio.create_task(self._work_all())
        return await future

    async def _work_all(self) -> None:
        try:
            while self._asked:
                if len(self._asked) < self._most:
                    await asyncio.sleep(self._gather_seconds)
                batch, self._asked = self._asked[: self._most], self._asked[self._most :]
                await self._answer(batch)
        finally:
            self._working = None

    async def _answer(self, batch: Sequence[tuple[Asked, asyncio.Future[Answered]]]) -> None:
        answers: Sequence[Answered | Exception]
        try:
            answers = await asyncio.to_thread(self._work, [item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # raised where each was asked
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # who asked has given up
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
