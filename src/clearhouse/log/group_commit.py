"""Appending for many who wait at the same time: one transaction and one fsync for all of them.

While one group is written, the next one gathers. So the log is as fast as its commits are large,
and who is alone does not wait for others.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from clearhouse.log.log import Log, LogError, Message
from clearhouse.log.room import Room

_MOST_IN_GROUP_BYTES = 8 << 20
_MOST_IN_GROUP = 1_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    messages: Sequence[Message]
    size: int
    positions: "asyncio.Future[Sequence[int]]"


class GroupCommit:
    """Appends for the tasks of one event loop. Start it in that loop, and close it there.

    Args:
        log: written from a thread of this object's own.
        most_waiting_bytes: of messages in the queue; who comes when it is full waits for room.
    """

    def __init__(self, log: Log, most_waiting_bytes: int = 64 << 20) -> None:
        self._log = log
        self._room = Room(most_waiting_bytes)
        self._queue: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="group-commit")
        self._writing: asyncio.Task[None] | None = None
        self._is_closed = False

    async def append(self, messages: Sequence[Message]) -> Sequence[int]:
        """Append messages, all of them or none. They are durable when this returns.

        Returns:
            The position of each.

        Raises:
            LogError: they could not be, or this is closed (log_closed).
        """
        size = sum(len(message.value) for message in messages)
        await self._room.take(size)
        if self._is_closed:
            self._room.give_back(size)
            raise LogError("The log is being closed.", "log_closed")
        waiting = _Waiting(messages, size, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await waiting.positions

    async def close(self) -> None:
        """Append what waits, and take no more. The log stays open."""
        self._is_closed = True
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._thread.shutdown()

    async def _write_all(self) -> None:
        try:
            while self._queue:
                await self._write(self._next_group())
        finally:
            self._writing = None

    def _next_group(self) -> list[_Waiting]:
        group, size = [self._queue.popleft()], 0
        while self._queue and len(group) < _MOST_IN_GROUP:
            size += group[-1].size
            if size + self._queue[0].size > _MOST_IN_GROUP_BYTES:
                break
            group.append(self._queue.popleft())
        return group

    async def _write(self, group: Sequence[_Waiting]) -> None:
        messages = [message for each in group for message in each.messages]
        loop = asyncio.get_running_loop()
        try:
            positions = await loop.run_in_executor(self._thread, self._log.append, messages)
        except Exception as error:  # noqa: BLE001  # whoever waits is told, whatever it is
            for each in group:
                if not each.positions.done():
                    each.positions.set_exception(error)
        else:
            _give(group, positions)
        finally:
            self._room.give_back(sum(each.size for each in group))


def _give(group: Sequence[_Waiting], positions: Sequence[int]) -> None:
    """Each waiting task its positions; one that was cancelled meanwhile wants none."""
    taken = 0
    for each in group:
        after = taken + len(each.messages)
        if not each.positions.done():
            each.positions.set_result(positions[taken:after])
        taken = after
