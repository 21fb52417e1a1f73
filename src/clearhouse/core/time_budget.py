"""The time that all attempts of one request share."""

import asyncio


class TimeBudget:
    """The time that all attempts of one request share; it runs from the first attempt on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started: float | None = None

    def spent_seconds(self) -> float:
        """Since the first attempt began."""
        now = asyncio.get_running_loop().time()
        if self._started is None:
            self._started = now
        return now - self._started

    def left_seconds(self) -> float:
        """Until it is used up, at least 0."""
        return max(self._seconds - self.spent_seconds(), 0.0)

    def allows(self, retry: bool | float, usual_wait_seconds: float) -> bool | float:
        """The answer to stamina: as given, or no where the wait would use up the time."""
        wait_seconds = usual_wait_seconds if isinstance(retry, bool) else retry
        return retry if wait_seconds < self.left_seconds() else False
