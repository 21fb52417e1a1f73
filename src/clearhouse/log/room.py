"""Room for what waits in memory: who comes when it is taken waits until some is given back."""

import asyncio
from collections import deque


class Room:
    """A bound in bytes, for the tasks of one event loop.

    Args:
        most_bytes: taken at the same time; what alone is larger is let in when all is free.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.taken = 0

    async def take(self, size: int) -> None:
        """Take room, as soon as there is so much."""
        while self.taken and self.taken + size > self._most_bytes:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        self.taken += size

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        self.taken -= size
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
