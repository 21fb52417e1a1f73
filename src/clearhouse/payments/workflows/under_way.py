"""How many runs are under way at a time, and which must end before another is begun.

A workflow server takes runs faster than workers execute them, and gives the newest to a worker
first when there are many. So what waits does so in the log.
"""

import asyncio
from collections.abc import Callable, Collection

DEFAULT_MOST = 128
_LOOKS_EVERY_SECONDS = 0.03
_PATIENCE_SECONDS = 15.0
"""After it, a run is not waited for: it waits for an outage to end, or no worker is there."""
ORDER_SECONDS = 60.0
"""For which the runs of one payment in a batch are kept in order. A log's reader that takes minutes
over a batch is cast out of its group, and would be given the same batch again."""


class UnderWay:
    """What is under way, by the webhook of its event. The tasks of one event loop use it.

    Args:
        ended: those of some webhooks of whose events it is recorded what became of them.
        most: runs under way.
        patience_seconds: that one counts as under way at most.
    """

    def __init__(
        self,
        ended: Callable[[Collection[int]], Collection[int]],
        most: int = DEFAULT_MOST,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._ended = ended
        self._most = most
        self._patience = patience_seconds
        self._until: dict[int, float] = {}
        self._latest: dict[str, int] = {}
        self._looking: asyncio.Task[None] | None = None

    async def begin(self, webhook: int, payment: str, ordered_until: float) -> None:
        """Wait until there is room, and until the run before it of the same payment has ended.

        Args:
            webhook: the position of the event's webhook.
            payment: what keeps its order.
            ordered_until: by the event loop's clock, when that run is waited for no longer.

        Raises:
            Exception: it can't be found out what has ended.
        """
        loop = asyncio.get_running_loop()
        while len(self._until) >= self._most or (
            payment in self._latest and loop.time() < ordered_until
        ):
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
            await asyncio.shield(self._looking)
        self._until[webhook] = loop.time() + self._patience
        self._latest[payment] = webhook

    def end(self, webhook: int) -> None:
        """Say that there is no run of it, or none any more."""
        self._forget({webhook})

    async def _look(self) -> None:
        try:
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)
            asked = list(self._until)
            ended = await asyncio.to_thread(self._ended, asked)
            now = asyncio.get_running_loop().time()
            self._forget({*ended, *(each for each in asked if self._until.get(each, now) <= now)})
        finally:
            self._looking = None

    def _forget(self, webhooks: Collection[int]) -> None:
        for each in webhooks:
            self._until.pop(each, None)
        self._latest = {
            payment: webhook for payment, webhook in self._latest.items() if webhook in self._until
        }
